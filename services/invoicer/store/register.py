"""The register of numbers: consecutive without a gap, per environment, series and year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.numbering import pattern
from schemas.registry import EnvironmentState
from services.invoicer import numbers

sql = statements("services.invoicer", "sql/issuing.sql")


class NumberTaken(Exception):
    """A changed number format gives a number that was given before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Numbers by document id, all of one moment."""

    numbers: dict[str, str]
    issued_at: datetime
    issued_on: date


async def ahead(tx: Tx, environment: EnvironmentState) -> tuple[numbers.Series, str] | None:
    """A number that was given already and that a present format will write again, with its kind.

    Formats may be changed at any time, and then a series counts on. The register is looked through
    only where a format has not written the last number of its series.
    """
    number = environment.environment
    year = numbers.year_of(tx.now, ZoneInfo(environment.time_zone))
    last = {r["series"]: r for r in await tx.fetch(sql.last_numbers, number, year)}
    for kind in numbers.KINDS:
        series, written_by = (
            numbers.series_of(kind, environment),
            numbers.format_of(kind, environment),
        )
        row = last.get(series)
        seq = row["last_seq"] if row else 0
        if row and row["number"] == numbers.written(written_by, year=year, seq=seq):
            continue
        expression, year_group, seq_group = pattern(written_by)
        found = await tx.fetchval(
            sql.number_ahead, number, expression, year_group, seq_group, year, seq
        )
        if found is not None:
            return kind, found
    return None


async def give(
    tx: Tx, environment: EnvironmentState, documents: Sequence[tuple[numbers.Series, str]]
) -> Given:
    """Give each (kind, document_id) its number, in order, under the series' lock.

    The moment is the transaction's, or the series' last one where another transaction that began
    later was quicker: within a series dates never fall. Raises NumberTaken.
    """
    zone = ZoneInfo(environment.time_zone)
    year = numbers.year_of(tx.now, zone)
    wanted = sorted({numbers.series_of(kind, environment) for kind, _ in documents})
    number = environment.environment
    today = tx.now.astimezone(zone).date()
    await tx.execute(sql.begin_series, number, wanted, year, tx.now, today)
    rows = await tx.fetch(sql.lock_series, number, wanted, year)
    last = {r["series"]: r["last_seq"] for r in rows}
    issued_at = max(tx.now, *(r["last_issued_at"] for r in rows))
    issued_on = max(today, *(r["last_issued_on"] for r in rows))
    entries: list[tuple[str, int, str, str, str]] = []
    for kind, document_id in documents:
        series = numbers.series_of(kind, environment)
        last[series] += 1
        written = numbers.written(numbers.format_of(kind, environment), year=year, seq=last[series])
        entries.append((series, last[series], written, kind, document_id))
    if await tx.fetch(sql.numbers_taken, number, [entry[2] for entry in entries]):
        raise NumberTaken(f"environment {number}: a number in the present format was given before")
    await tx.execute(
        sql.count_series, number, list(last), year, list(last.values()), issued_at, issued_on
    )
    series_, seqs, texts, kinds, ids = map(list, zip(*entries, strict=True))
    await tx.execute(
        sql.add_numbers, number, series_, year, seqs, texts, kinds, ids, issued_at, issued_on
    )
    return Given(
        numbers=dict(zip(ids, texts, strict=True)), issued_at=issued_at, issued_on=issued_on
    )
