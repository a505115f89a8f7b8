"""The chapters at the bar: twenty tills sell, and what happens there besides."""

from __future__ import annotations

import asyncio
import time
from itertools import islice

from cli.amounts import money
from cli.demo import venue
from cli.demo.scene import ANSWER_S, Scene
from cli.messages import Json
from cli.replies import Reply
from cli.till import Entry, Till
from cli.trouble import Trouble


async def sell(scene: Scene) -> None:
    """All tills sign on and sell at the same time; some send a sale twice."""
    names = venue.terminals()
    scene.teller.chapter(f"{len(names)} tills sign on and sell")
    tills = [scene.till(name) for name in names]
    signed = await asyncio.gather(*(till.sign_on() for till in tills))
    _see_the_button(scene, signed[0][0], signed[0][1])
    plan = venue.orders(scene.told.accounts[:-1])
    total = sum(len(orders) for orders in plan.values())
    began = time.monotonic()
    with scene.screen.progress("sales") as gauge:

        async def behind(till: Till) -> None:
            for order in plan[till.terminal]:
                message = till.sale(order.account, order.lines, operator="demo")
                reply = await scene.client.ask(message, timeout_s=ANSWER_S)
                scene.approved(reply)
                gauge(len(scene.told.approved), total)
                if len(scene.told.approved) % venue.SENT_TWICE_EVERY == 0:
                    await _again(scene, till, message, reply)

        await asyncio.gather(*(behind(till) for till in tills))
    seconds = time.monotonic() - began
    worth = sum(sale["total"] for sale in scene.told.approved.values())
    scene.screen.good(
        f"{total} sales, {money(worth)}, in {seconds:.1f} s; {scene.told.repeated} were sent "
        f"twice, {scene.told.repeated_same} of these answered byte for byte as before"
    )


async def special_cases(scene: Scene) -> None:
    """Declined over the limit, recorded by an offline till, cancelled."""
    scene.teller.chapter("One is declined, one was made offline, one is cancelled")
    till, account = scene.till("bar-01"), scene.told.accounts[-1]
    scene.approved(await till.sell(account, [venue.COFFEE]))
    declined = (await till.sell(account, [venue.LUNCH])).message
    if declined["type"] != "sale.declined":
        raise Trouble(f"A sale over the limit was not declined but answered {declined['type']}.")
    scene.told.declined = declined
    scene.screen.say(f"declined at bar-01: {declined['explanation']}", "yellow")

    offline = scene.till("bar-02")
    recorded = await offline.record(account, [venue.FAREWELL], note="kassa was offline")
    scene.approved(recorded)
    scene.told.offline = recorded.message
    scene.screen.say(
        f"bar-02 was offline and had sold {money(recorded.message['total'])} already: booked, "
        f"over the limit: {'yes' if recorded.message['over_limit'] else 'no'}"
    )

    sale = next(iter(scene.told.approved.values()))
    reply = await scene.till(sale["terminal"]).cancel(sale["account"], sale["sale_id"])
    if reply.type != "sale.reversed":
        raise Trouble(f"A cancellation was refused: {reply.message.get('reason')}.")
    scene.told.reversed = reply.message
    scene.screen.say(
        f"cancelled at {sale['terminal']}: {money(reply.message['amount'])} back on account "
        f"{sale['account']}"
    )


def _see_the_button(scene: Scene, entries: list[Entry], page: Json) -> None:
    if len(entries) != len(scene.told.accounts):
        raise Trouble(
            f"A till sees {len(entries)} accounts behind the on-account button instead of "
            f"{len(scene.told.accounts)} ({page.get('reason') or 'no reason given'})."
        )
    shown = ", ".join(entry.name for entry in islice(entries, 4))
    scene.screen.say(f"behind the button: {shown} and {len(entries) - 4} more")


async def _again(scene: Scene, till: Till, message: Json, first: Reply) -> None:
    second = await till.repeat(message)
    scene.told.repeated += 1
    scene.told.repeated_same += _identity(first) == _identity(second)


def _identity(reply: Reply) -> tuple[object, ...]:
    """What must be the same whenever a message is answered (docs/tills.md)."""
    return reply.key, reply.value, reply.header("ce_id"), reply.header("ce_time")
