"""What becomes of a mail, and what finance hears of it."""

from typing import Any

import pytest

from schemas.invoices import InvoiceApprove, InvoiceDelete, InvoiceSend, PendingRequest
from services.invoicer.metrics import MAYBE_TWICE
from tests.services.invoicer.test_drafts import delete
from tests.services.invoicer.test_payments import payment
from tests.services.invoicer.world import (
    ENV,
    JULY,
    World,
    account,
    customer,
    environment,
    new_id,
    reversal,
    said,
    sale,
    types,
)
from tests.support.mails import MailServer

GUEST = "guest@club.example"


def send(invoice_id: str, **changes: Any) -> InvoiceSend:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "f"}
    return InvoiceSend(invoice_id=invoice_id, **{**values, **changes})


async def issued(world: World, **changes: Any) -> str:
    await world.guests("A1", **{"email": GUEST, **changes})
    await world.sell(sale("A1"))
    (told,) = said(await world.run("run", "document"), "invoice.issued")
    return str(told["invoice_id"])


async def test_what_is_refused_for_now_is_tried_again_and_arrives(
    world: World, smtp: MailServer
) -> None:
    smtp.answers[GUEST] = "451 4.7.1 greylisted"
    await issued(world)
    assert await world.jobs() == []
    assert await world.jobs() == []  # not before its delay is over
    await world.bench.make_due("mail")
    smtp.answers.clear()
    told = await world.jobs()
    assert types(told) == ["invoice.state", "invoice.sent"]
    (sent,) = said(told, "invoice.sent")
    assert (sent["to"], sent["message_id"]) == (GUEST, smtp.mails[0]["Message-ID"])
    rows = await world.fetch("SELECT state, attempts, refusals, handed_over FROM mail")
    assert [tuple(r) for r in rows] == [("sent", 2, 1, 2)]


async def test_what_is_refused_for_good_is_told_with_code_and_words(
    world: World, smtp: MailServer
) -> None:
    smtp.answers[GUEST] = "550 5.1.1 no such user"
    invoice = await issued(world)
    told = await world.jobs()
    (undeliverable,) = said(told, "invoice.undeliverable")
    assert undeliverable["code"] == 550
    assert "no such user" in undeliverable["reason"]
    assert undeliverable["permanent"]
    assert said(told, "invoice.state")[0]["status"] == "undeliverable"
    told = await world.command(send(invoice, to="other@club.example"))
    assert types(told) == ["command.applied"]
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    assert smtp.recipients == [["other@club.example"]]


async def test_what_is_refused_for_now_for_two_days_is_undeliverable(
    world: World, smtp: MailServer
) -> None:
    smtp.answers[GUEST] = "452 4.2.2 mailbox full"
    await issued(world)
    await world.jobs()
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE mail SET refused_since = now() - interval '49 hours'")
    await world.bench.make_due("mail")
    (undeliverable,) = said(await world.jobs(), "invoice.undeliverable")
    assert (undeliverable["code"], undeliverable["permanent"]) == (452, False)


@pytest.mark.parametrize("answer", ["552 5.3.4 too big", "554 5.7.1 no"])
async def test_a_mail_that_is_refused_after_its_data_is_undeliverable(
    world: World, smtp: MailServer, answer: str
) -> None:
    smtp.data_answer = answer
    await issued(world)
    (undeliverable,) = said(await world.jobs(), "invoice.undeliverable")
    assert undeliverable["code"] == int(answer[:3])


async def test_a_server_that_is_away_is_waited_for(world: World, smtp: MailServer) -> None:
    smtp.stop()
    await issued(world)
    for _ in range(3):
        assert await world.jobs() == []
        await world.bench.make_due("mail")
    smtp.start()
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    assert len(smtp.mails) == 1


async def test_whom_a_server_always_answers_421_is_undeliverable_and_a_closing_one_is_waited_for(
    world: World, smtp: MailServer
) -> None:
    """Closing: it is away when it is asked next. What it said three days ago counts no more."""
    smtp.answers[GUEST] = "421 4.3.2 shutting down"
    await issued(world)
    long_ago = "UPDATE mail SET refused_since = now() - interval '49 hours' WHERE refusals > 0"
    for closing in (True, False):
        assert await world.jobs() == []
        async with world.bench.database.connection() as connection:
            await connection.execute(long_ago)
        if closing:
            smtp.stop()
            await world.bench.make_due("mail")
            assert await world.jobs() == []
            smtp.start()
        await world.bench.make_due("mail")
    (undeliverable,) = said(await world.jobs(), "invoice.undeliverable")
    assert (undeliverable["code"], undeliverable["permanent"]) == (421, False)


async def test_a_worker_that_died_between_sending_and_recording_is_counted(
    world: World, smtp: MailServer
) -> None:
    await issued(world)
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE mail SET handed_over = 1")
    before = MAYBE_TWICE._value.get()
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    assert MAYBE_TWICE._value.get() == before + 1


async def test_an_address_that_no_mail_can_go_to_is_undeliverable(world: World) -> None:
    await issued(world, email="gäst@club.example")
    (undeliverable,) = said(await world.jobs(), "invoice.undeliverable")
    assert undeliverable["reason"] == "bad_address"


async def test_an_address_for_answers_that_can_not_stand_in_a_mail_keeps_no_mail_back(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1", email=GUEST)
    await world.registry(environment(version=2, reply_to="café@club.example"))
    await world.sell(sale("A1"))
    assert types(await world.run("run", "document", "mail")).count("invoice.sent") == 1
    assert smtp.mails[0]["Reply-To"].addresses[0].addr_spec == "finance@club.example"


async def test_a_draft_and_a_holder_without_address_cannot_be_sent(world: World) -> None:
    invoice = await issued(world, email=None)
    (refused,) = said(await world.command(send(invoice)))
    assert (refused["reason"], refused["field"]) == ("no_address", "to")
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(run_id="d", mode="draft"), "invoice.drafted")
    (refused,) = said(await world.command(send(draft["invoice_id"])))
    assert refused["reason"] == "not_issued"


@pytest.mark.parametrize("kept", ["holder", "NULL"])
async def test_what_one_guest_had_is_not_mailed_to_the_accounts_next_holder(
    world: World, smtp: MailServer, kept: str
) -> None:
    """Nor is its credit note; to a holder who only moved, or also got another name, it goes.
    `NULL`: issued by older code, which only a name can tell. To nobody it can't go at all."""
    invoice, other = await issued(world), new_id()
    await world.jobs()
    (note,) = said(await world.command(delete(invoice)), "credit_note.issued")
    await world.jobs()
    async with world.bench.database.connection() as connection:
        await connection.execute(f"UPDATE invoice SET holder = {kept}")
        (row,) = await connection.fetch("SELECT holder::text AS one FROM account")
    of_both = [send(invoice), send(invoice, credit_note_id=note["credit_note_id"])]
    now, next_one = ("Anne", "Anna") if kept == "holder" else ("Anna", "Vink")
    await world.registry(
        customer(row["one"], version=2, first_name=now, email="moved@club.example")
    )
    await world.command(*(x.model_copy(update={"command_id": new_id()}) for x in of_both))
    await world.jobs()
    assert [mail["To"] for mail in smtp.mails] == [GUEST, GUEST, *["moved@club.example"] * 2]
    await world.registry(
        customer(other, first_name=next_one, email="vink@club.example"),
        account("A1", other, version=2),
    )
    refused = said(await world.command(*of_both))
    assert [(x["reason"], x["field"]) for x in refused] == [("holder_changed", "to")] * 2
    await world.registry(account("A1", None, version=3))
    (refused,) = said(await world.command(send(invoice)))
    assert (refused["reason"], refused["field"]) == ("no_address", "to")
    await world.command(send(invoice, to="anna@new.example"))
    await world.jobs()
    assert [mail["To"] for mail in smtp.mails[4:]] == ["anna@new.example"]


async def test_a_mail_asks_for_what_is_open_of_its_invoice_when_it_goes(
    world: World, smtp: MailServer
) -> None:
    """All of it, a part, and nothing once the rest is credited."""
    invoice = await issued(world)
    await world.jobs()
    await world.command(payment(500, invoice_id=invoice), send(invoice))
    await world.jobs()
    await world.command(delete(invoice), send(invoice))
    await world.jobs()
    bodies = [m.get_body(("plain",)) for m in smtp.mails if m["Subject"].startswith("Factuur")]
    texts = [body.get_content().replace("\xa0", " ") for body in bodies if body is not None]
    asks = ("Te betalen: € 7,00 uiterlijk", "Te betalen: € 2,00 uiterlijk", "NL91", "Sneller: scan")
    found = [[word in text for word in asks] for text in texts]
    assert found == [[True, False, True, True], [False, True, True, False], [False] * 4]
    assert "van € 7,00 nog openstaat" in texts[1]
    assert "u hoeft niets te betalen" in texts[2]


async def test_the_same_send_mails_once_and_another_mails_again(
    world: World, smtp: MailServer
) -> None:
    invoice = await issued(world)
    await world.jobs()
    again = send(invoice)
    told = await world.command(again, again)
    assert told[0] == told[1]
    await world.jobs()
    assert len(smtp.mails) == 2
    await world.command(again)
    await world.jobs()
    assert len(smtp.mails) == 2


async def test_many_mails_go_over_a_few_connections(world: World, smtp: MailServer) -> None:
    names = [f"A{i}" for i in range(8)]
    await world.guests(*names)
    await world.sell(*(sale(name) for name in names))
    told = await world.run()
    assert types(told).count("invoice.sent") == 8
    assert 1 <= len(world.mailing.mailer._idle) <= world.mailing.settings.smtp_connections


async def test_finance_gets_its_copy_of_each_issued_document_though_guests_are_not_mailed(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1", email=GUEST)
    await world.registry(environment(version=2, finance_copy="each"))
    sold = sale("A1")
    await world.sell(sold)
    told = await world.run(send=False)
    (invoice,) = said(told, "invoice.issued")
    assert smtp.recipients == [["finance@club.example"]]
    assert said(told, "run.completed")[0]["sent"] == 0
    assert types(told).count("invoice.sent") == 0  # finance's copy is not the guest's
    await world.command(send(invoice["invoice_id"]))
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    assert smtp.recipients == [["finance@club.example"], [GUEST]]  # and no second copy
    copied, mailed = (str(mail["Subject"]) for mail in smtp.mails)
    assert copied == f"Kopie: {mailed}"
    await world.sell(reversal(sold))
    (note,) = said(await world.run(run_id="b", send=False), "credit_note.issued")
    assert smtp.recipients[2:] == [["finance@club.example"]]
    names = [part.get_filename() for part in smtp.mails[2].iter_attachments()]
    assert names[0] == f"{note['number']}.pdf"


async def test_a_draft_that_is_approved_without_mailing_gives_finance_its_copy_and_no_earlier(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1")
    await world.registry(environment(version=2, finance_copy="each"))
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(mode="draft", send=False), "invoice.drafted")
    assert smtp.mails == []
    approve = InvoiceApprove(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=draft["invoice_id"]
    )
    await world.command(approve, approve)
    await world.jobs()
    assert smtp.recipients == [["finance@club.example"]]


async def test_an_invoice_that_was_delivered_stays_so_when_a_later_mail_fails(
    world: World, smtp: MailServer
) -> None:
    invoice = await issued(world)
    await world.jobs()
    smtp.answers["typo@club.example"] = "550 5.1.1 no such user"
    await world.command(send(invoice, to="typo@club.example"))
    told = await world.jobs()
    (failed,) = said(told, "invoice.undeliverable")
    assert (failed["to"], failed["code"], failed["permanent"]) == ("typo@club.example", 550, True)
    assert said(told, "invoice.state") == []
    assert await status(world, invoice) == "sent"
    await world.command(send(invoice, to="gäst@club.example"))  # fails before any server hears
    assert types(await world.jobs()) == ["invoice.undeliverable"]
    assert await status(world, invoice) == "sent"


async def test_a_first_mail_that_fails_after_another_arrived_changes_nothing_either(
    world: World, smtp: MailServer
) -> None:
    smtp.answers[GUEST] = "451 4.7.1 greylisted"
    invoice = await issued(world)
    await world.command(send(invoice, to="other@club.example"))
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    smtp.answers[GUEST] = "550 5.1.1 no such user"
    await world.bench.make_due("mail")
    assert types(await world.jobs()) == ["invoice.undeliverable"]
    assert await status(world, invoice) == "sent"


async def status(world: World, invoice: str) -> str:
    (row,) = await world.fetch("SELECT status FROM invoice WHERE invoice_id = $1", invoice)
    return str(row["status"])


async def test_a_credit_note_that_did_not_arrive_is_told_and_can_be_sent_again(
    world: World, smtp: MailServer
) -> None:
    invoice = await issued(world)
    await world.jobs()
    smtp.answers[GUEST] = "552 5.2.2 over quota"
    delete = InvoiceDelete(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=invoice
    )
    (note,) = said(await world.command(delete), "credit_note.issued")
    (failed,) = said(await world.jobs(), "invoice.undeliverable")
    assert failed["credit_note_id"] == note["credit_note_id"]
    assert await status(world, invoice) == "credited"
    again = send(invoice, credit_note_id=note["credit_note_id"], to="other@club.example")
    assert types(await world.command(again, again)) == ["command.applied"] * 2
    (arrived,) = said(await world.jobs(), "credit_note.sent")
    assert (arrived["credit_note_id"], arrived["to"]) == (
        note["credit_note_id"],
        "other@club.example",
    )
    names = [part.get_filename() for part in smtp.mails[-1].iter_attachments()]
    assert names[0] == f"{note['number']}.pdf"
    (refused,) = said(await world.command(send(invoice, credit_note_id=new_id())))
    assert (refused["reason"], refused["field"]) == ("credit_note_unknown", "credit_note_id")


async def waiting(world: World) -> list[dict[str, Any]]:
    await world.command(PendingRequest(request_id=new_id(), environment=ENV, mails=True))
    (listed,) = said(await world.jobs("pending"))
    assert listed["count"] == len(listed.get("mails", []))
    return [
        {k: m.get(k) for k in ("number", "to", "tries", "code", "reason", "credit_note_id")}
        for m in listed.get("mails", [])
    ]


async def test_a_mail_to_a_guest_that_waits_is_told_with_its_last_try_until_it_has_its_fate(
    world: World, smtp: MailServer
) -> None:
    await world.registry(environment(version=2, finance_copy="each", finance_email="f@club.nl"))
    smtp.answers |= {GUEST: "451 4.7.1 greylisted", "f@club.nl": "451 4.7.1 greylisted"}
    invoice = await issued(world)
    about = {"number": "2026-00001", "to": GUEST, "credit_note_id": None}
    assert await waiting(world) == [{**about, "tries": 0, "code": None, "reason": None}]
    await world.jobs()
    (tried,) = await waiting(world)  # finance's own copy is not among them
    assert len(await world.fetch("SELECT FROM mail WHERE copy")) == 1
    assert tried == {**about, "tries": 1, "code": 451, "reason": "4.7.1 greylisted"}
    smtp.answers.clear()
    await world.bench.make_due("mail")
    await world.jobs()
    assert await waiting(world) == []
    delete = InvoiceDelete(
        command_id=new_id(), environment=ENV, invoice_id=invoice, at=JULY, by="f"
    )
    (note,) = said(await world.command(delete), "credit_note.issued")
    (waits,) = await waiting(world)
    assert (waits["number"], waits["credit_note_id"]) == (note["number"], note["credit_note_id"])


async def of_finance(world: World) -> dict[str, Any] | None:
    await world.command(PendingRequest(request_id=new_id(), environment=ENV, mails=True))
    (listed,) = said(await world.jobs("pending"))
    failed: dict[str, Any] | None = listed.get("finance")
    return failed


async def test_what_of_finances_own_mails_failed_is_told_until_one_arrives_or_the_address_is_mended(
    world: World, smtp: MailServer
) -> None:
    each = {"finance_copy": "each", "finance_email": "f@club.nl"}
    await world.registry(environment(version=2, **each))
    smtp.answers["f@club.nl"] = "550 5.1.1 no such user"
    invoice = await issued(world)
    assert await of_finance(world) is None
    await world.jobs()
    failed = await of_finance(world)
    assert failed is not None
    assert failed.pop("at") is not None
    assert failed == {
        "to": "f@club.nl",
        "count": 1,
        "kind": "invoice",
        "code": 550,
        "reason": "5.1.1 no such user",
    }
    await world.registry(environment(version=3, **{**each, "finance_copy": "report"}))
    await world.run(run_id="again")
    failed = await of_finance(world)
    assert failed is not None
    assert (failed["count"], failed["kind"]) == (2, "report")
    await world.registry(environment(version=4, finance_email="other@club.nl"))
    assert await of_finance(world) is None
    await world.registry(environment(version=5, **each))
    assert (await of_finance(world) or {})["count"] == 2
    smtp.answers.clear()
    await world.command(
        InvoiceDelete(command_id=new_id(), environment=ENV, invoice_id=invoice, at=JULY, by="f")
    )
    await world.jobs()
    assert await of_finance(world) is None


async def test_a_mail_that_waits_for_a_server_that_is_away_says_so(
    world: World, smtp: MailServer
) -> None:
    smtp.stop()
    await issued(world)
    await world.jobs()
    (waits,) = await waiting(world)
    assert waits["code"] is None
    assert waits["reason"].startswith("SMTPConnectError: Error connecting to 127.0.0.1")
    assert waits["tries"] > 0
