"""Documents and mails that are made, sent and recorded together: one that fails, hangs or is cut
off touches no other, and a kill repeats each mail in hand at most once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from runtime.jobs import Bundle
from services.invoicer.documents.model import Document
from services.invoicer.jobs.documents import AT_ONCE, Documents, render
from services.invoicer.jobs.mail import Mailing
from services.invoicer.metrics import MAYBE_TWICE
from services.invoicer.rendering import Rendering
from services.invoicer.store import documents
from tests.services.invoicer.test_delivery import ids, issued, sending
from tests.services.invoicer.world import World, said, sale
from tests.support.databases import Database
from tests.support.rude_mails import RudeServer


@pytest.fixture
def rude() -> Iterator[RudeServer]:
    server = RudeServer()
    server.start()
    yield server
    server.close()


class Picky(Rendering):
    """Makes documents, but for one account's."""

    def __init__(self, not_for: str) -> None:
        super().__init__(0)
        self.not_for = not_for
        self.made: list[str] = []

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        document: Document = args[0]
        if document.account == self.not_for:
            raise ValueError("ours")
        self.made.append(document.account)
        return await super().call(function, *args)


async def numbered(world: World, count: int) -> list[dict[str, Any]]:
    """So many issued invoices whose documents are still to be made."""
    names = [f"A{n}" for n in range(count)]
    await world.guests(*names)
    await world.sell(*(sale(name) for name in names))
    return said(await world.run("run", mode="issue", send=True), "invoice.issued")


async def test_a_document_that_can_not_be_made_keeps_no_other_back_and_none_is_made_twice(
    world: World,
) -> None:
    await numbered(world, AT_ONCE)
    picky = Picky("A3")
    told = []
    for _ in range(4):
        told += await world.bench.run_jobs([Documents(rendering=picky).kind(2)])
        await world.bench.make_due("document")
    assert sorted(picky.made) == [f"A{n}" for n in range(AT_ONCE) if n != 3]
    kept = await world.fetch("SELECT DISTINCT document_id FROM document")
    assert len(kept) == AT_ONCE - 1
    (undeliverable,) = said(told, "invoice.undeliverable")
    assert (undeliverable["account"], undeliverable["reason"]) == ("A3", "document_failed")
    waiting = await world.fetch("SELECT FROM job WHERE kind = 'mail' AND state = 'open'")
    assert len(waiting) == AT_ONCE - 1


async def test_files_made_together_are_those_that_each_would_have_alone(world: World) -> None:
    issued_now = await numbered(world, 3)
    await world.bench.run_jobs([Documents(rendering=Rendering(0)).kind(2)])
    for one in issued_now:
        async with world.bench.transaction() as tx:
            document = await documents.load(tx, 2890, "invoice", one["invoice_id"])
            kept = await documents.files(tx, 2890, one["invoice_id"])
        assert sorted(kept.values(), key=lambda file: file.format) == sorted(
            render(document), key=lambda file: file.format
        )


async def test_mails_cut_off_before_they_were_recorded_go_once_more_each_and_are_counted(
    postgres: Database, rude: RudeServer
) -> None:
    """Goal: no more are in doubt than a worker has connections, and each is repeated once."""

    class Killed(BaseException):
        pass

    class Dies(Mailing):
        async def _recorded(self, bundle: Bundle, number: int, posted: Sequence[Any]) -> None:
            while len(rude.mails) < len(bundle.works):
                await asyncio.sleep(0.01)
            raise Killed

    before = MAYBE_TWICE._value.get()
    async with sending(postgres, rude) as world:
        await issued(world, 7)
        connections = world.mailing.settings.smtp_connections
        kind = Dies(settings=world.mailing.settings, mailer=world.mailing.mailer).kind()
        runner = world.bench.runner([kind])
        with pytest.raises(Killed):
            await runner.work_together(await runner.take(kind), kind)
        assert len(rude.mails) == connections
        assert not await runner.take(kind)  # as many as it may are in its hands
        await world.bench.make_due("mail")
        told = await world.jobs("mail")
        assert len(said(told, "invoice.sent")) == 7
        assert sorted(ids(rude.mails).values()) == [1] * (7 - connections) + [2] * connections
        assert MAYBE_TWICE._value.get() == before + connections


async def test_a_mail_that_the_server_ponders_keeps_those_beside_it_from_nothing(
    postgres: Database, rude: RudeServer
) -> None:
    """Goal: what was taken is recorded at once, whatever becomes of a mail sent beside it."""
    slow = asyncio.Event()

    class Waits(Mailing):
        async def _post(self, letter: Any) -> Any:
            if letter.mail.account == "A1":
                await slow.wait()
            return await super()._post(letter)

    async with sending(postgres, rude) as world:
        await issued(world, 3)
        kind = Waits(settings=world.mailing.settings, mailer=world.mailing.mailer).kind()
        runner = world.bench.runner([kind])
        doing = asyncio.create_task(runner.work_together(await runner.take(kind), kind))
        sent = "SELECT FROM mail WHERE state = 'sent'"
        async with asyncio.timeout(60):  # told after it is kept, so what is told comes last
            while len(said(world.bench.published.answers, "invoice.sent")) < 2:
                await asyncio.sleep(0.02)
        assert len(await world.fetch(sent)) == 2
        slow.set()
        await doing
        assert len(await world.fetch(sent)) == 3
        assert set(ids(rude.mails).values()) == {1}


async def test_a_mail_whose_words_fail_is_given_up_alone_and_the_others_arrive(
    postgres: Database, rude: RudeServer
) -> None:
    class Fails(Mailing):
        async def _post(self, letter: Any) -> Any:
            if letter.mail.account == "A1":
                raise ValueError("ours")
            return await super()._post(letter)

    async with sending(postgres, rude) as world:
        await issued(world, 4)
        kind = Fails(settings=world.mailing.settings, mailer=world.mailing.mailer).kind()
        told = []
        for _ in range(4):
            told += await world.bench.run_jobs([kind])
            await world.bench.make_due("mail")
        assert len(said(told, "invoice.sent")) == 3
        (undeliverable,) = said(told, "invoice.undeliverable")
        assert (undeliverable["account"], undeliverable["reason"]) == ("A1", "not_processed")
        assert set(ids(rude.mails).values()) == {1}
        assert len(rude.mails) == 3
