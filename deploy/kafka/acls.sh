#!/bin/sh
# Made by `python -m deploy.kafka.acls` from schemas/topics.py; a test compares the two.
# Who may read and write what. Run it with Kafka's kafka-acls.sh on the PATH, as a super user, as
# often as one likes: it adds what is missing and takes nothing away.
#
#   sh acls.sh --bootstrap-server kafka-1:9093 --command-config admin.properties
#
# The brokers must refuse whom nothing allows (StandardAuthorizer, which does so unless
# allow.everyone.if.no.acl.found is set). Reading and writing each include describing.
set -eu
allow() {
    principal=$1
    shift
    kafka-acls.sh $connection --add --allow-principal "User:$principal" "$@"
}
connection=$*

allow administrator \
    --operation Read \
    --topic imports.events \
    --topic imports.state \
    --topic invoices.events \
    --topic invoices.state \
    --topic ledger.balances \
    --topic ledger.entries \
    --topic pos.decisions \
    --topic pos.unbooked \
    --topic registry.outcomes \
    --topic registry.state

allow administrator \
    --operation Read \
    --operation Write \
    --topic pos.sales \
    --topic registry.commands

allow administrator \
    --operation Write \
    --topic imports.uploads

allow authorizer \
    --operation Read \
    --group authorizer

allow authorizer \
    --operation Read \
    --topic authorizer.retries \
    --topic invoices.events \
    --topic pos.sales \
    --topic pos.terminals \
    --topic registry.commands

allow authorizer \
    --operation Write \
    --topic authorizer.dead-letters \
    --topic pos.decisions \
    --topic pos.directories \
    --topic pos.unbooked \
    --topic registry.outcomes \
    --topic registry.state

allow finance \
    --operation Read \
    --topic imports.events \
    --topic imports.state \
    --topic invoices.documents \
    --topic invoices.events \
    --topic invoices.state \
    --topic ledger.balances \
    --topic ledger.entries \
    --topic pos.unbooked

allow finance \
    --operation Write \
    --topic imports.uploads \
    --topic invoices.commands

allow importer \
    --operation Read \
    --group importer

allow importer \
    --operation Read \
    --topic importer.retries \
    --topic imports.uploads \
    --topic registry.outcomes \
    --topic registry.state

allow importer \
    --operation Write \
    --topic importer.dead-letters \
    --topic imports.events \
    --topic imports.state \
    --topic registry.commands

allow invoicer \
    --operation Read \
    --group invoicer

allow invoicer \
    --operation Read \
    --topic invoicer.retries \
    --topic pos.decisions \
    --topic registry.state

allow invoicer \
    --operation Read \
    --operation Write \
    --topic invoices.commands \
    --topic invoices.events

allow invoicer \
    --operation Write \
    --topic invoicer.dead-letters \
    --topic invoices.documents \
    --topic invoices.state \
    --topic pos.sales

allow ledger \
    --operation Read \
    --group ledger

allow ledger \
    --operation Read \
    --topic invoices.events \
    --topic ledger.retries \
    --topic pos.decisions

allow ledger \
    --operation Write \
    --topic ledger.balances \
    --topic ledger.dead-letters \
    --topic ledger.entries

allow operator \
    --operation Create \
    --operation Describe \
    --cluster

allow operator \
    --operation Alter \
    --operation AlterConfigs \
    --operation Describe \
    --operation DescribeConfigs \
    --topic invoices.commands \
    --topic invoices.documents \
    --topic invoices.events \
    --topic pos.decisions \
    --topic pos.directories \
    --topic pos.sales \
    --topic pos.terminals \
    --topic registry.commands \
    --topic registry.outcomes \
    --topic registry.state

allow operator \
    --operation Alter \
    --operation AlterConfigs \
    --operation Describe \
    --operation DescribeConfigs \
    --operation Read \
    --topic imports.events \
    --topic imports.state \
    --topic invoices.state \
    --topic ledger.balances \
    --topic ledger.entries \
    --topic pos.unbooked

allow operator \
    --operation Alter \
    --operation AlterConfigs \
    --operation Describe \
    --operation DescribeConfigs \
    --operation Read \
    --operation Write \
    --topic authorizer.dead-letters \
    --topic importer.dead-letters \
    --topic invoicer.dead-letters \
    --topic ledger.dead-letters

allow operator \
    --operation Alter \
    --operation AlterConfigs \
    --operation Describe \
    --operation DescribeConfigs \
    --operation Write \
    --topic authorizer.retries \
    --topic importer.retries \
    --topic imports.uploads \
    --topic invoicer.retries \
    --topic ledger.retries

allow till \
    --operation Read \
    --group till- \
    --resource-pattern-type prefixed

allow till \
    --operation Read \
    --topic pos.decisions \
    --topic pos.directories

allow till \
    --operation Write \
    --topic pos.sales \
    --topic pos.terminals
