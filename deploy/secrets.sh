#!/bin/sh
# Makes the passwords of the compose stack, once: deploy/secrets.sh [FOLDER] (deploy/secrets unless
# given). Each service gets a file with its own secret and no other. A file that is there already
# is left alone: a database that was made with these passwords keeps them.
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# Half a set would fit no database.
for name in postgres roles admin authorizer ledger importer invoicer; do
    if [ -e "$folder/$name.env" ]; then
        [ -e "$folder/complete" ] && echo "$folder has its passwords already" && exit 0
        echo "$folder holds a part of the passwords only; remove it if no database uses them" >&2
        exit 1
    fi
done

admin=$(random)
printf 'POSTGRES_PASSWORD=%s\n' "$admin" >"$folder/postgres.env"
printf 'PGPASSWORD=%s\n' "$admin" >"$folder/roles.env"
printf 'ONACCOUNT_POSTGRES_ADMIN=postgresql://postgres:%s@postgres:5432/onaccount\n' \
    "$admin" >"$folder/admin.env"
for service in authorizer ledger importer invoicer; do
    name=$(echo "$service" | tr '[:lower:]' '[:upper:]')
    password=$(random)
    printf 'PASSWORD_%s=%s\n' "$name" "$password" >>"$folder/roles.env"
    printf 'ONACCOUNT_POSTGRES_%s=postgresql://%s:%s@postgres:5432/onaccount\n' \
        "$name" "$service" "$password" >"$folder/$service.env"
done
: >"$folder/complete"
echo "made the passwords in $folder"
