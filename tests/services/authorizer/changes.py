"""What may happen to a venue's account while somebody is about to sell on it."""

from tests.services.authorizer.support import GUEST, Venue, cancelled, command, invoice


async def lower(bench: Venue) -> None:
    await bench.order(command("account.change", "m", accounts=[GUEST], limit=10))


async def block(bench: Venue) -> None:
    await bench.order(command("account.change", "m", accounts=[GUEST], status="blocked"))


async def bill(bench: Venue) -> None:
    await bench.account_for(invoice("i", 50))


async def switch_off(bench: Venue) -> None:
    await bench.order(command("environment.deactivate", "m"))


async def release_when_paid(bench: Venue) -> None:
    await bench.order(command("environment.configure", "m", limit_release="paid"))


async def call_off(bench: Venue) -> None:
    await bench.sell(cancelled("c", "a"))
