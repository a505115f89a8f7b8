"""From the topics to a file: read, sort on disk, write."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cli.amounts import Misuse
from cli.books.period import Period
from cli.books.spool import Spool
from cli.books.tables import Books, Count, write_csv, write_xlsx
from cli.books.venue import document_of, read_venue
from cli.books.xaf import check, write_xaf
from cli.client import Client
from cli.messages import Json
from cli.screen import Screen
from cli.trouble import from_os_error

Format = Literal["xlsx", "csv", "xaf"]


def format_of(out: Path | None, given: Format | None) -> Format:
    """The format that is asked for; raises Misuse where a file's name says none."""
    if given is not None:
        return given
    if out is None or out.is_dir():
        return "xlsx"
    for known in ("xlsx", "csv", "xaf"):
        if out.suffix == f".{known}":
            return known
    raise Misuse(f"{out.name} tells no format; name it .xlsx, .csv or .xaf, or give --format.")


async def export(
    client: Client,
    environment: int,
    period: Period,
    *,
    format: Format,
    out: Path | None,
    screen: Screen,
) -> Json:
    """Write the period's entries to a file and say what is in it.

    An existing file is replaced only when the new one is whole. Raises Misuse and Trouble.
    """
    venue = await read_venue(client, environment)
    zone = venue.zone
    file = out or Path()
    if file.is_dir():
        file /= f"ledger-{environment}-{period}.{format}"
    if not file.parent.is_dir():
        raise Misuse(f"There is no folder {file.parent} to write {file.name} to.")
    with Spool(
        begins=period.begins(zone), ends=period.ends(zone), year_begins=period.year_begins(zone)
    ) as spool:
        books = Books(spool, venue, period, zone)
        if format == "xaf":
            check(books)
        await _fill(client, environment, spool, screen)
        _write(books, format, file, screen)
        figures = spool.figures()
        return {
            "file": str(file),
            "format": format,
            "environment": environment,
            "period": str(period),
            "currency": venue.settings["currency"],
            "entries": spool.entries,
            "lines": spool.lines,
            "debit": sum(one.debit for one in figures.values()),
            "credit": sum(one.credit for one in figures.values()),
            "ledger_accounts": {
                name: {
                    "opening": one.opening,
                    "debit": one.debit,
                    "credit": one.credit,
                    "closing": one.closing,
                }
                for name, one in figures.items()
            },
        }


async def _fill(client: Client, environment: int, spool: Spool, screen: Screen) -> None:
    with screen.progress("reading the entries") as gauge:
        async for reply in client.replies("ledger.entries", gauge=gauge):
            if reply.type == "entry.posted" and reply.message["environment"] == environment:
                spool.add(reply.message)
    with screen.progress("reading the invoices' numbers") as gauge:
        async for reply in client.replies("invoices.events", gauge=gauge):
            if (named := document_of(reply.message, environment)) is not None:
                spool.name_document(*named)


def _write(books: Books, format: Format, file: Path, screen: Screen) -> None:
    """Under another name first: what breaks off leaves no half a file under the right one."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with screen.progress(f"writing {file.name}") as gauge:

            def count(number: int) -> None:
                if number % 1_000 == 0 or number == books.spool.lines:
                    gauge(number, books.spool.lines)

            _write_as(books, format, unfinished, count)
        unfinished.replace(file)
    except OSError as fault:
        raise from_os_error(fault) from fault
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _write_as(books: Books, format: Format, file: Path, count: Count) -> None:
    match format:
        case "csv":
            write_csv(books, file, count)
        case "xlsx":
            write_xlsx(books, file, count)
        case "xaf":
            write_xaf(books, file, count, today=datetime.now(UTC).astimezone(books.zone).date())
