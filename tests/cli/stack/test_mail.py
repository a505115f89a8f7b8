"""The mail catcher keeps each mail as a file, whole, and nothing else."""

import asyncio
import os
import signal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import aiosmtplib
import pytest

from cli.stack.component import running
from cli.stack.mail import Mail
from cli.stack.ports import free_port


@pytest.fixture
def catcher(tmp_path: Path) -> Mail:
    return Mail(folder=tmp_path / "mails", port=free_port(), log=tmp_path / "mail.log")


def mail(subject: str, size: int = 10) -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "zaak@example.org", "gast@example.org", subject
    one["Message-ID"] = f"<{subject}@example.org>"
    one.set_content("Beste gast,\n.\nde rekening\n")
    one.add_attachment(b"x" * size, maintype="application", subtype="pdf", filename="1.pdf")
    return one


def kept(catcher: Mail) -> list[EmailMessage]:
    files = sorted(catcher.folder.iterdir())
    assert all(file.suffix == ".eml" for file in files)
    return [
        message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=default) for file in files
    ]


async def test_mails_are_kept_in_order_as_they_were_sent(catcher: Mail) -> None:
    async with running(catcher):
        for subject in ("een", "twee", "twee"):
            await aiosmtplib.send(
                mail(subject, 2_000_000),
                hostname="127.0.0.1",
                port=catcher.port,
                recipients=["gast@example.org", "kopie@example.org"],
            )
    found = kept(catcher)
    assert [one["Subject"] for one in found] == ["een", "twee", "twee"]
    assert found[0].get_all("X-Envelope-To") == ["gast@example.org", "kopie@example.org"]
    body = found[0].get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["Beste gast,", ".", "de rekening"]
    assert [len(part.get_content()) for part in found[0].iter_attachments()] == [2_000_000]


async def test_what_was_acknowledged_is_there_after_a_kill_and_nothing_half(catcher: Mail) -> None:
    async with running(catcher) as pid:
        await aiosmtplib.send(mail("een"), hostname="127.0.0.1", port=catcher.port)
        os.kill(pid, signal.SIGKILL)
    (catcher.folder / "20260101-half.part").write_bytes(b"Subject: half")
    async with running(catcher):
        await aiosmtplib.send(mail("twee"), hostname="127.0.0.1", port=catcher.port)
    assert [one["Subject"] for one in kept(catcher)] == ["een", "twee"]


async def test_a_mail_that_cannot_be_kept_is_not_acknowledged(catcher: Mail) -> None:
    async with running(catcher):
        catcher.folder.rename(catcher.folder.with_name("elsewhere"))
        with pytest.raises(aiosmtplib.SMTPDataError, match="no room"):
            await aiosmtplib.send(mail("een"), hostname="127.0.0.1", port=catcher.port)
        await asyncio.to_thread(catcher.folder.mkdir)
        await aiosmtplib.send(mail("een"), hostname="127.0.0.1", port=catcher.port)
    assert len(kept(catcher)) == 1
