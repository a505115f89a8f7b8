"""Whether all that is said about a venue adds up, held against sums made from the events alone."""

from tests.outside import reckoning
from tests.outside.holding import books, until, well_formed
from tests.outside.story import Venue
from tests.outside.wire import Wire, sale


async def adds_up(wire: Wire, venue: Venue) -> None:
    """Books, balances, invoices, VAT, numbers and what is used are what the events make."""
    env = venue.env
    found = reckoning.accounts(wire, env)
    for kind in ("invoice.issued", "credit_note.issued"):
        for document in wire.events(kind, env):
            reckoning.vat_is_exact(document)
    reckoning.months_are_apart(wire, env, venue.zone)
    reckoning.numbers_have_no_gap(wire, env)
    assert reckoning.unbilled_sales(wire, env) == {}
    await until(lambda: _told(wire, venue, found))
    reckoning.invoices_stand_as_told(wire, env)
    sums = books(wire, env)
    assert sums["receivable:unbilled"] == sum(one.unbilled for one in found.values()) == 0
    assert sums["receivable:billed"] == sum(one.billed for one in found.values())
    for sold in wire.events("sale.approved", env):
        assert not sold["online"] or sold["limit"] is None or sold["used"] <= sold["limit"]
    for kind in ("account.state", "customer.state", "environment.state", "import.state"):
        reckoning.newest(wire, kind, env)
    well_formed(wire, env)
    dead = [one for one in wire.seen if one.topic.endswith("dead-letters")]
    assert [one for one in dead if one.body.get("environment") == env] == []
    for account in venue.accounts:
        nothing = sale(env, account, ("1", 0, "21"), currency=venue.settings["currency"])
        used = (await wire.sale(nothing)).body["used"]
        assert used == found[account].used(venue.settings["limit_release"]), account


def _told(wire: Wire, venue: Venue, found: dict[str, reckoning.Account]) -> bool:
    """Whether each account on which something was posted has a balance, and the newest is what its
    events make; and no other has one."""
    newest = reckoning.newest(wire, "balance.state", venue.env).values()
    told = {b["account"]: (b["unbilled"], b["billed"], b["version"]) for b in newest}
    return told == {
        account: (one.unbilled, one.billed, one.entries)
        for account, one in found.items()
        if one.entries
    }
