"""The invoicer's own figures."""

from prometheus_client import Counter

MAILS = Counter("onaccount_mails", "Mails by what became of a try", ["kind", "outcome"])
MAYBE_TWICE = Counter(
    "onaccount_mails_maybe_twice",
    "Mails given to a server again, as a worker died or the line broke before its answer was noted",
)
