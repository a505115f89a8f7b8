"""What the mailer makes of a server's answers, and how it keeps its connections."""

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from services.invoicer.settings import Settings
from services.invoicer.smtp import MAILS_PER_CONNECTION, Mailer
from services.invoicer.smtp_outcomes import Away, Outcome, Refused, Sent, Unsure
from tests.support.rude_mails import CERTIFICATE, HangUp, RudeServer, Said

FROM, TO = "bar@club.example", "guest@club.example"
MAIL = b"Subject: x\r\nMessage-ID: <1@club.example>\r\n\r\nHello\r\n"


@pytest.fixture
def rude() -> Iterator[RudeServer]:
    server = RudeServer()
    yield server
    server.close()


def mailer(rude: RudeServer, **changes: Any) -> Mailer:
    usual = {"smtp_timeout_s": 2.0, "smtp_data_timeout_s": 2.0, "smtp_away_s": 0.2}
    return Mailer(
        Settings(
            postgres=SecretStr("postgresql://unused"),
            smtp=rude.address,
            **{**usual, **changes},
        )
    )


async def sent(rude: RudeServer, **changes: Any) -> Outcome:
    rude.start()
    one = mailer(rude, **changes)
    outcome = await one.send(FROM, TO, MAIL)
    await one.close()
    return outcome


def hang_up(said: Said) -> str:
    raise HangUp


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    "answer", ["451 4.7.1 later", "452 4.2.2 full", "550 5.1.1 no", "552 5.3.4 big"]
)
async def test_a_refusal_is_the_mails_own_wherever_it_is_said(
    rude: RudeServer, verb: str, answer: str
) -> None:
    rude.rule = lambda said: answer if said.verb == verb else None
    code, _, words = answer.partition(" ")
    assert await sent(rude) == Refused(code=int(code), said=words)
    assert rude.mails == []


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
async def test_a_server_that_closes_with_421_is_away_but_for_who_is_told_so_when_named(
    rude: RudeServer, verb: str
) -> None:
    rude.rule = lambda said: "421 4.3.2 closing" if said.verb == verb else None
    outcome = await sent(rude)
    if verb in ("RCPT", "DATA", "."):
        assert outcome == Refused(code=421, said="4.3.2 closing")
    else:
        assert isinstance(outcome, Away)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
async def test_a_line_that_was_kept_and_closes_with_421_costs_nothing(
    rude: RudeServer, verb: str
) -> None:
    closing = (verb, 2)
    rude.rule = lambda said: "421 4.3.2 closing" if (said.verb, said.nth) == closing else None
    rude.start()
    one = mailer(rude)
    assert [await one.send(FROM, TO, MAIL) for _ in range(3)] == [Sent()] * 3
    assert rude.verbs.count("CONNECT") == 2
    await one.close()


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT"])
async def test_a_line_that_breaks_before_the_mail_is_given_says_nothing(
    rude: RudeServer, verb: str
) -> None:
    rude.rule = lambda said: hang_up(said) if said.verb == verb else None
    assert isinstance(await sent(rude), Away)
    assert rude.mails == []


async def test_a_line_that_breaks_after_the_mail_was_given_leaves_it_open(rude: RudeServer) -> None:
    rude.rule = lambda said: hang_up(said) if said.verb == "." else None
    assert isinstance(await sent(rude), Unsure)
    assert len(rude.mails) == 1


async def test_a_slow_answer_to_the_mail_is_waited_for_longer_than_others(rude: RudeServer) -> None:
    """Who asks again after 30 seconds has it twice (RFC 5321, 4.5.3.2.6)."""
    rude.delay_s = {".": 0.6}
    assert await sent(rude, smtp_timeout_s=0.3) == Sent()
    rude.delay_s = {"RCPT": 0.6}
    assert isinstance(await mailer(rude, smtp_timeout_s=0.3).send(FROM, TO, MAIL), Away)
    rude.delay_s = {".": 0.6}
    late = mailer(rude, smtp_data_timeout_s=0.3)
    assert isinstance(await late.send(FROM, TO, MAIL), Unsure)


@pytest.mark.parametrize("code", [530, 534, 535, 538])
async def test_a_server_that_wants_a_login_is_a_matter_of_settings_not_of_the_mail(
    rude: RudeServer, code: int
) -> None:
    rude.rule = lambda said: f"{code} 5.7.0 log in first" if said.verb == "MAIL" else None
    assert isinstance(await sent(rude), Away)


async def test_refusals_leave_the_connection_open_for_the_next_mail(rude: RudeServer) -> None:
    rude.rule = lambda said: "550 5.1.1 no" if said.verb == "RCPT" and said.nth % 2 else None
    rude.start()
    one = mailer(rude)
    outcomes = [await one.send(FROM, TO, MAIL) for _ in range(6)]
    assert [type(each) for each in outcomes] == [Refused, Sent] * 3
    assert rude.verbs.count("CONNECT") == 1
    await one.close()
    assert rude.verbs[-1] == "QUIT"


async def test_a_connection_that_was_closed_while_it_idled_costs_nothing(rude: RudeServer) -> None:
    rude.rule = lambda said: hang_up(said) if (said.verb, said.nth) == ("MAIL", 2) else None
    rude.start()
    one = mailer(rude)
    assert [await one.send(FROM, TO, MAIL) for _ in range(3)] == [Sent()] * 3
    assert rude.verbs.count("CONNECT") == 2
    assert len(rude.mails) == 3
    await one.close()


async def test_a_connection_is_not_used_for_ever(rude: RudeServer) -> None:
    rude.start()
    one = mailer(rude)
    for _ in range(MAILS_PER_CONNECTION + 1):
        assert await one.send(FROM, TO, MAIL) == Sent()
    assert rude.verbs.count("CONNECT") == 2
    await one.close()


async def test_a_mail_arrives_as_it_was_written_dots_and_all(rude: RudeServer) -> None:
    rude.start()
    one = mailer(rude)
    body = ".first\r\n..\r\n.\r\nlast without an end"
    for content in (body, f"{body}\r\n"):
        head = "Message-ID: <1@club.example>\r\n\r\n"
        assert await one.send(FROM, TO, f"{head}{content}".encode()) == Sent()
        got = rude.mails[-1].get_content()
        assert got.replace("\r\n", "\n") == ".first\n..\n.\nlast without an end\n"
    await one.close()


async def test_no_more_go_side_by_side_than_the_limit(rude: RudeServer) -> None:
    rude.delay_s = {".": 0.05}
    rude.start()
    one = mailer(rude, smtp_connections=3)
    await asyncio.gather(*(one.send(FROM, TO, MAIL) for _ in range(12)))
    assert rude.most_at_once == 3
    assert len(rude.mails) == 12
    await one.close()


async def test_a_server_that_is_away_is_tried_with_growing_pauses(rude: RudeServer) -> None:
    one, pauses = mailer(rude, smtp_away_s=0.8), []
    for _ in range(4):
        assert isinstance(await one.send(FROM, TO, MAIL), Away)
        before = time.monotonic()
        await one.ready()
        pauses.append(time.monotonic() - before)
    assert all(
        pause >= least for pause, least in zip(pauses, (0.09, 0.19, 0.39, 0.79), strict=True)
    )
    rude.start()
    assert await one.send(FROM, TO, MAIL) == Sent()
    await asyncio.wait_for(one.ready(), 0.1)
    await one.close()


async def test_after_421_the_next_mail_waits_whomever_it_was_said_of(rude: RudeServer) -> None:
    """So a server says that there are too many: going on at once would have all mails refused."""
    rude.rule = lambda said: "421 4.7.0 too many" if said.verb == "RCPT" else None
    rude.start()
    one = mailer(rude, smtp_away_s=0.8)
    assert isinstance(await one.send(FROM, TO, MAIL), Refused)
    before = time.monotonic()
    await one.ready()
    assert time.monotonic() - before >= 0.09
    await one.close()


# -- TLS and login -------------------------------------------------------------------------------


async def test_starttls_is_refused_where_the_server_has_none(rude: RudeServer) -> None:
    outcome = await sent(rude, smtp_security="starttls")
    assert isinstance(outcome, Away)
    assert "STARTTLS extension not supported" in outcome.why
    assert "MAIL" not in rude.verbs


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    rude: RudeServer, security: str
) -> None:
    rude.starttls, rude.tls = security == "starttls", security == "tls"
    outcome = await sent(rude, smtp_security=security)
    assert isinstance(outcome, Away)
    assert "certificate" in outcome.why
    assert rude.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_with_tls_it_logs_in_and_sends(rude: RudeServer, security: str) -> None:
    rude.starttls, rude.tls = security == "starttls", security == "tls"
    rude.login = base64.b64encode(b"\0bar\0secret").decode()
    given = {
        "smtp_security": security,
        "smtp_ca_file": str(CERTIFICATE),
        "smtp_user": "bar",
        "smtp_password": SecretStr("secret"),
    }
    assert await sent(rude, **given) == Sent()
    wrong = mailer(rude, **{**given, "smtp_password": SecretStr("other")})
    refused = Away(why="SMTPAuthenticationError: 535 5.7.8 wrong password")
    assert await wrong.send(FROM, TO, MAIL) == refused


def test_a_password_never_goes_to_another_machine_in_the_clear() -> None:
    given = {
        "postgres": SecretStr("postgresql://unused"),
        "smtp_user": "bar",
        "smtp_password": SecretStr("secret"),
    }
    with pytest.raises(ValueError, match="ONACCOUNT_SMTP_SECURITY"):
        Settings(smtp="mail.club.example:587", **given)  # type: ignore[arg-type]
    Settings(smtp="mail.club.example:587", smtp_security="starttls", **given)  # type: ignore[arg-type]
    Settings(smtp="127.0.0.1:587", **given)  # type: ignore[arg-type]
    for half in ("smtp_user", "smtp_password"):
        with pytest.raises(ValueError, match="go together"):
            Settings(smtp="127.0.0.1:587", **{**given, half: None})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="brackets"):  # which of its parts is the port?
        Settings(smtp="fd00::5:587", **given)  # type: ignore[arg-type]
