"""Small wrongs put into the invoicer's rules, one at a time: each must be noticed by a test.

    python -m tests.services.invoicer.mutants [NUMBER ...]      (make prove-invoicer-mutants)

Method: in a fork, one module's source with one text replaced is imported instead of the module, and
the tests of plain values are run; a mutant that no test fails on has survived.
Where a mutant can't be told from the right code it says so in `same`, with why.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings
from prometheus_client import REGISTRY

ROOT = Path(__file__).resolve().parents[3]
SIDE_BY_SIDE = 2


@dataclass(frozen=True, slots=True)
class Mutant:
    """`before` stands once in the module's source, and becomes `after`."""

    module: str
    before: str
    after: str
    same: str = ""


D, V = "services.invoicer.domain", "services.invoicer.vat"
R, N = "services.invoicer.reversals", "services.invoicer.numbers"
S, A, P = "services.invoicer.schedule", "services.invoicer.admission", "services.invoicer.parties"
F = "schemas.numbering"
_HERE = "tests/services/invoicer"
_RULES = (f"{_HERE}/test_domain.py", f"{_HERE}/test_rules.py")
TESTS = {
    D: _RULES, N: _RULES, S: _RULES,
    A: (f"{_HERE}/test_parties.py",),
    P: (f"{_HERE}/test_parties.py",),
    V: (f"{_HERE}/test_vat.py",),
    R: (f"{_HERE}/test_reversals.py",),
    F: ("tests/schemas/test_numbering.py",),
}  # fmt: skip
"""Which tests are to notice what is wrong in a module."""

MUTANTS = (
    Mutant(D, "return self.approved - self.reversed", "return self.approved"),
    Mutant(D, "return self.billed - self.credited", "return self.billed"),
    Mutant(D, "return self.stands - self.outstanding", "return self.stands + self.outstanding"),
    Mutant(D, "found.get(item.sale_id, 0) + item.amount", "item.amount"),
    Mutant(D, 'f"{moment.astimezone(zone):%Y-%m}"', 'f"{moment:%Y-%m}"'),
    Mutant(D, "datetime(year, month, 1, tzinfo=zone)", "datetime(year, month, 1, tzinfo=UTC)"),
    Mutant(D, "return month_begin(following(period), zone)", "return month_begin(period, zone)"),
    Mutant(D, "{year + month // 12:04}", "{year + month // 11:04}"),
    Mutant(D, "{month % 12 + 1:02}", "{month % 11 + 1:02}"),
    Mutant(D, "{year - (month == 1):04}", "{year:04}"),
    Mutant(D, "{(month - 2) % 12 + 1:02}", "{(month - 1) % 12 + 1:02}"),
    Mutant(D, "timedelta(days=payment_days)", "timedelta(days=payment_days + 1)"),
    Mutant(D, "if line.due and not line.outstanding and not line.held:",
           "if line.due and not line.outstanding:"),
    Mutant(D, "if line.due and not line.outstanding and not line.held:",
           "if line.due and not line.held:"),
    Mutant(D, "if line.due and not line.outstanding and not line.held:",
           "if not line.outstanding and not line.held:"),
    Mutant(D, "for period in sorted(months)", "for period in sorted(months, reverse=True)"),
    Mutant(D, "return line.booked_at, line.sale_id, line.line",
           "return line.sale_id, line.booked_at, line.line"),
    Mutant(D, "len(sales) == MAX_SALES", "len(sales) > MAX_SALES"),
    Mutant(D, "piece, sales = [], set()", "piece, sales = piece, set()"),
    Mutant(D, "vat_rate=line.vat_rate, amount=line.due)\n        )",
           "vat_rate=line.vat_rate, amount=line.approved)\n        )"),
    Mutant(D, "if line.due and line.outstanding:", "if line.due:"),
    Mutant(D, "if line.due and line.outstanding:", "if line.outstanding:"),
    Mutant(D, "amount=-line.due", "amount=line.due"),
    Mutant(D, "if total and credited == total:", "if credited == total:"),
    Mutant(D, "if total and credited == total:", "if total and credited >= paid:"),
    Mutant(D, "paid >= total - credited and paid > 0", "paid > total - credited and paid > 0"),
    Mutant(D, "paid >= total - credited and paid > 0", "paid >= total and paid > 0"),
    Mutant(D, "paid >= total - credited and paid > 0", "paid >= total - credited"),
    Mutant(D, 'delivery if status == "paid" else status', "status"),
    Mutant(D, 'delivery if status == "paid" else status', "delivery"),
    Mutant(D, "    if sale.held:\n", "    if sale.held and not sale.due:\n"),
    Mutant(D, "if sale.outstanding and sale.due:", "if sale.outstanding or sale.due:"),
    Mutant(D, "if sale.reversed and sale.reversed == sale.total:",
           "if sale.reversed == sale.total:"),
    Mutant(D, 'sale.taken_back_as or "cancelled"', '"cancelled"'),
    Mutant(V, "sign = -1 if value < 0 else 1", "sign = 1"),
    Mutant(V, "(2 * abs(value.numerator) + value.denominator)", "(2 * abs(value.numerator))"),
    Mutant(V, "gross * r / (100 + r)", "gross * r / 100"),
    Mutant(V, "sorted(sums, reverse=True)", "sorted(sums)"),
    Mutant(V, "sums.get(key, 0) + gross", "gross"),
    Mutant(V, "Decimal(rate).normalize()\n        sums", "Decimal(rate)\n        sums",
           same="Decimals that are equal are one key of a dict, however they are written"),
    Mutant(V, "base=gross - vat, vat=vat", "base=gross - vat + 1, vat=vat - 1"),
    Mutant(V, "if self.base + self.vat != self.gross:", "if self.base > self.gross:"),
    Mutant(V, 'if Decimal(rate) else "0"', 'if rate else "0"',
           same="Decimal normalises every zero to 0, which is written 0"),
    Mutant(V, "rounded[i] += each + (place < rest)", "rounded[i] += each"),
    Mutant(V, "rounded[i] += each + (place < rest)", "rounded[i] += each + (place <= rest)"),
    Mutant(V, "(-(wholes[i] % common), -abs(wholes[i]), i)",
           "(wholes[i] % common, -abs(wholes[i]), i)"),
    Mutant(V, "(-(wholes[i] % common), -abs(wholes[i]), i)",
           "(-(wholes[i] % common), abs(wholes[i]), i)"),
    Mutant(V, "Fraction(vat, 10**decimals)", "Fraction(vat, 100)"),
    Mutant(V, "* Fraction(rate) * 100)", "/ Fraction(rate) * 100)"),
    Mutant(V, "        if total:\n            raise", "        if total > 99:\n            raise"),
    Mutant(V, "Fraction(gross) * 100 / (100 + Fraction(rate))", "Fraction(gross)"),
    Mutant(V, "by_rate.setdefault(rate_text(rate), [])", 'by_rate.setdefault("21", [])'),
    Mutant(R, "return self.approved - self.reversed", "return self.approved"),
    Mutant(R, "        and taken.quantity == sold.quantity\n", ""),
    Mutant(R, "        and taken.unit_price == sold.unit_price\n", ""),
    Mutant(R, "    lambda sold, taken: sold.vat_rate == taken.vat_rate,\n", ""),
    Mutant(R, "    lambda sold, taken: True,\n", ""),
    Mutant(R, "replace(line, reversed=line.approved)", "line"),
    Mutant(R, "sign = 1 if taken.total >= 0 else -1", "sign = 1"),
    Mutant(R, "part = min(left, sold.room * sign)", "part = min(left, sold.room)"),
    Mutant(R, "reversed=sold.reversed + part * sign", "reversed=part * sign"),
    Mutant(R, "                left -= part\n", "                left = 0\n"),
    Mutant(R, 'raise ValueError("a reversal takes back more than was sold")', "return"),
    Mutant(N, "if environment.credit_note_format == environment.number_format:",
           "if environment.credit_note_format != environment.number_format:"),
    Mutant(N, 'if kind == "invoice" else', 'if kind == "credit_note" else'),
    Mutant(N, "moment.astimezone(zone).year", "moment.year"),
    Mutant(S, "run_id.startswith(_PREFIX)", "_PREFIX in run_id"),
    Mutant(S, "    if at > now:", "    if at >= now:"),
    Mutant(S, "    if at < since:", "    if at <= since:"),
    Mutant(S, "    period = previous(month)\n", "    period = month\n"),
    Mutant(S, "datetime(local.year, local.month, day, hour, tzinfo=zone)",
           "datetime(local.year, local.month, day, hour, tzinfo=UTC)"),
    Mutant(A, "if asked.period > this_month:", "if asked.period >= this_month:"),
    Mutant(A, "asked.period == this_month and is_scheduled", "is_scheduled"),
    Mutant(A, "month_of(asked.asked_at, ZoneInfo(environment.time_zone))",
           'month_of(asked.asked_at, ZoneInfo("UTC"))'),
    Mutant(P, "customer is None or customer.erased", "customer is None"),
    Mutant(P, "(customer.street, customer.postcode, customer.city)",
           "(customer.street, customer.city)"),
    Mutant(P, "if not all(part and part.strip()", "if not any(part and part.strip()"),
    Mutant(P, "part and part.strip() for part in address", "part for part in address"),
    Mutant(P, "if customer.email_fictitious else", "if not customer.email_fictitious else"),
    Mutant(F, "_UPWARDS: Final = _DIGITS - _ZERO", "_UPWARDS: Final = _DIGITS"),
    Mutant(F, "        self.take(_DIGITS, longer, longer)\n", ""),
    Mutant(F, "if (here, there) == (a.end, b.end):", "if here == a.end:"),
    Mutant(F, "                zeros = self.take(_ZERO, zeros)\n", "                pass\n"),
)  # fmt: skip


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant's changed source where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        file = ROOT / f"{mutant.module.replace('.', '/')}.py"
        source = file.read_text(encoding="utf-8")
        if source.count(mutant.before) != 1:
            raise ValueError(f"{mutant.before!r} must stand once in {mutant.module}")
        self.code = compile(source.replace(mutant.before, mutant.after), str(file), "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def warm() -> None:
    """Import what the tests need, and forget what is ours: a fork need only import that again."""
    importlib.import_module("tests.services.invoicer.world")
    ours = ("services", "schemas", "runtime", "cli", "tests")
    for name in [n for n in sys.modules if n.split(".")[0] in ours and n != __name__]:
        del sys.modules[name]
    for collector in list(REGISTRY._collector_to_names):  # they are made once more
        REGISTRY.unregister(collector)
    # A slow machine is no wrong: else it would seem to find mutants.
    settings.register_profile("mutants", deadline=None)
    settings.load_profile("mutants")


def try_out(mutant: Mutant | None) -> int:
    """Fork; in the child the tests run on the mutant, or all of them on the right code.

    Gives the child's pid.
    """
    changed = None if mutant is None else Changed(mutant)
    every = dict.fromkeys(test for tests in TESTS.values() for test in tests)
    chosen = every if mutant is None else TESTS[mutant.module]
    pid = os.fork()
    if pid:
        return pid
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    status: int = 70
    try:
        if changed is not None:
            sys.meta_path.insert(0, changed)
        own = ("-x", "-q", "-n0", "-p", "no:cacheprovider", "--noconftest", "--hypothesis-seed=1")
        status = int(pytest.main([*own, f"--rootdir={ROOT}", *(str(ROOT / t) for t in chosen)]))
    finally:
        os._exit(status)


def fates(numbers: Sequence[int]) -> dict[int, bool]:
    """Whether each of these mutants survives: no test fails on it."""
    found: dict[int, bool] = {}
    running: dict[int, int] = {}
    waiting = list(numbers)
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            number = waiting.pop(0)
            running[try_out(MUTANTS[number])] = number
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 1, 2):
            raise RuntimeError(f"mutant {running[pid]}: pytest ended with {code}")
        number = running.pop(pid)
        found[number] = code == 0
        if found[number] != bool(MUTANTS[number].same):
            sys.stdout.write(_wrong(number, MUTANTS[number]))
            sys.stdout.flush()
    return found


def _wrong(number: int, mutant: Mutant) -> str:
    what = "was killed, though said to be the same" if mutant.same else "survived"
    change = f"{mutant.before.strip()!r} -> {mutant.after.strip()!r}"
    return f"{number}: {mutant.module}: {change} {what}\n"


def main() -> int:
    """Exit status 1 where a mutant survived that should not have, or one that should did not."""
    begun = time.monotonic()
    warm()
    pid = try_out(None)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        sys.stdout.write("the tests fail without any mutant\n")
        return 1
    every = fates([int(number) for number in sys.argv[1:]] or range(len(MUTANTS)))
    wrong = sum(survived != bool(MUTANTS[number].same) for number, survived in every.items())
    same = sum(bool(MUTANTS[number].same) for number in every)
    sys.stdout.write(
        f"{len(every)} mutants: {len(every) - sum(every.values())} killed, {same} the same as the "
        f"right code, {wrong} wrong; {time.monotonic() - begun:.0f} s\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
