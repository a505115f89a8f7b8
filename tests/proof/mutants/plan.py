"""Which faults are tried, and which tests must find them: the quick ones first."""

from __future__ import annotations

from pathlib import Path

from tests.proof.mutants import python_faults, sql_faults
from tests.proof.mutants.python_faults import Fault

Tests = tuple[str, ...]
"""Of one phase, blanks between files; a phase is begun where the one before found nothing."""

_T = "tests/services/authorizer/test_"
_L = "tests/services/ledger/test_"
_P = "tests/proof/test_"
_MODEL = f"{_P}model.py"
_TOGETHER = f"{_P}schedules.py {_T}together.py"
_LOCKS = f"{_P}locks.py {_P}finds.py"
_SELLING = (f"{_P}finds.py {_T}sums.py", f"{_T}sales.py {_T}cancellations.py", _MODEL)
_COMMANDS = f"{_T}environments.py {_T}customers.py {_T}accounts.py {_T}registry.py {_T}erasing.py"
_REGISTRY = (f"{_P}survivors.py {_P}finds.py", _COMMANDS, _MODEL)
_I = "tests/services/importer/"
_D = f"{_I}domain/test_"
_ROWS = (f"{_D}planning.py {_D}messy.py", f"{_I}domain")
_LISTS = (*_ROWS, f"{_I}test_imports.py {_I}test_earlier.py")
_WAITED_FOR = (f"{_I}test_forgetting.py {_I}test_uploads.py",)
_B = "tests/services/invoicer/test_"
_RULES = f"{_B}rules.py {_B}domain.py {_B}parties.py {_B}reversals.py"
_APART = f"{_B}apart.py {_B}runs_apart.py {_B}audit_apart.py {_B}sales.py"
_ACTS = f"{_B}corrections.py {_B}drafts.py {_B}payments.py {_B}replacing.py"
_RUNS = f"{_B}run.py {_B}run_turns.py {_B}pending.py {_B}numbers.py {_B}vat_in_euros.py"
_WAITING = f"{_B}pending.py {_B}runs_apart.py {_B}mail.py"
_BILLING = (_APART, _ACTS, _RUNS)
_FITS = f"{_B}many_accounts.py::test_what_a_run_says_of_accounts_of_the_longest_names_fits_a_record"

DOMAIN = "services/authorizer/domain/"
STORE = "services/authorizer/store/"
SPEAKS = "services/authorizer/handlers/"
IMPORTED = "services/importer/domain/"
JOBS = "services/importer/jobs/"
INVOICER = "services/invoicer/"
TESTS: dict[str, Tests] = {
    f"{DOMAIN}standing.py": (f"{_T}standing.py {_P}survivors.py", *_SELLING, _COMMANDS),
    f"{DOMAIN}sales.py": (f"{_T}decisions.py", *_SELLING),
    f"{DOMAIN}reversals.py": (f"{_T}reversals.py {_P}survivors.py", *_SELLING),
    "services/ledger/domain.py": (f"{_L}domain.py", f"{_L}posting.py", _MODEL),
    "services/authorizer/sql/sales.sql": (_LOCKS, f"{_T}unbooked.py", *_SELLING, _TOGETHER),
    "services/authorizer/sql/at_once.sql": (f"{_T}at_once.py {_T}recent.py", *_SELLING, _TOGETHER),
    "services/authorizer/sql/invoices.sql": (f"{_T}sums.py {_LOCKS}", _MODEL, _TOGETHER),
    "services/ledger/sql/journal.sql": (f"{_L}posting.py {_L}concurrency.py {_P}locks.py", _MODEL),
    "services/ledger/sql/at_once.sql": (
        f"{_L}at_once.py {_L}posting.py {_L}concurrency.py",
        _MODEL,
    ),
    f"{STORE}recent.py": (f"{_T}recent.py {_T}at_once.py", *_SELLING, _TOGETHER),
    f"{STORE}at_once.py": (f"{_T}at_once.py {_T}recent.py", *_SELLING, _TOGETHER),
    "runtime/haste.py": (f"tests/runtime/test_haste.py {_T}recent.py",),
    "runtime/unread.py": ("tests/runtime/test_unread.py",),
    f"{DOMAIN}book.py": (f"{_T}unbooked.py", *_SELLING),
    f"{SPEAKS}sales.py": (f"{_T}unbooked.py {_T}recent.py {_T}at_once.py", *_SELLING, _TOGETHER),
    f"{SPEAKS}cancellations.py": (f"{_T}unbooked.py", *_SELLING),
    f"{STORE}sales.py": (f"{_T}unbooked.py", *_SELLING, _TOGETHER),
    f"{DOMAIN}accounts.py": _REGISTRY,
    f"{DOMAIN}environments.py": _REGISTRY,
    f"{DOMAIN}commands.py": (f"{_T}steps.py", *_REGISTRY),
    f"{DOMAIN}entities.py": _REGISTRY,
    "services/authorizer/sql/registry.sql": (_LOCKS, *_REGISTRY, _TOGETHER),
    f"{DOMAIN}customers.py": (f"{_T}customers.py {_T}erasing.py", *_REGISTRY),
    f"{DOMAIN}steps.py": (f"{_T}steps.py", *_REGISTRY),
    f"{DOMAIN}checks.py": (f"{_T}environments.py {_T}customers.py {_T}pictures.py",),
    f"{DOMAIN}names.py": (f"{_T}tills.py {_T}customers.py {_T}erasing.py",),
    f"{DOMAIN}directory.py": (f"{_T}tills.py",),
    f"{DOMAIN}unbooked.py": (f"{_T}unbooked.py", _MODEL),
    "services/authorizer/sql/directory.sql": (f"{_T}tills.py", _LOCKS, _COMMANDS),
    "services/authorizer/sql/unbooked.sql": (f"{_T}unbooked.py", _MODEL),
    "services/ledger/audit.py": (f"{_L}verify.py",),
    "services/ledger/chain.py": (f"{_L}chain.py",),
    "services/ledger/published.py": (f"{_L}chain.py",),
    "services/ledger/sql/verify.sql": (f"{_L}verify.py",),
    "services/ledger/sql/chain.sql": (f"{_L}chain.py",),
    f"{IMPORTED}matching.py": (f"{_D}matching.py {_D}shared_addresses.py", *_LISTS),
    f"{IMPORTED}undoing.py": (f"{_D}undoing.py", f"{_I}test_undo.py"),
    f"{IMPORTED}amounts.py": (f"{_D}amounts.py", *_ROWS),
    f"{IMPORTED}bundles.py": (f"{_D}bundles.py", *_LISTS),
    f"{IMPORTED}book.py": (f"{_D}book.py", *_LISTS),
    f"{IMPORTED}changes.py": (f"{_D}changes.py", *_ROWS),
    f"{IMPORTED}ids.py": (f"{_D}ids.py", *_ROWS),
    f"{IMPORTED}planning.py": (f"{_D}steps.py {_D}refused_rows.py", *_LISTS),
    f"{IMPORTED}claims.py": (f"{_D}refused_rows.py", *_ROWS),
    f"{IMPORTED}currencies.py": (f"{_D}amounts.py", *_ROWS),
    f"{IMPORTED}checking.py": (f"{_D}checking.py {_D}refused_rows.py", *_ROWS),
    f"{IMPORTED}statuses.py": (f"{_D}statuses.py", *_ROWS),
    f"{IMPORTED}placeholders.py": (f"{_D}placeholders.py {_D}rows.py", *_ROWS),
    f"{IMPORTED}lengths.py": (f"{_D}lengths.py", *_ROWS),
    f"{IMPORTED}cells.py": (f"{_D}cells.py {_D}rows.py", *_ROWS),
    f"{IMPORTED}numbers.py": (f"{_D}cells.py {_D}placeholders.py", *_ROWS),
    f"{IMPORTED}totals.py": _ROWS,
    f"{IMPORTED}postcodes.py": _ROWS,
    f"{IMPORTED}names.py": (f"{_D}names.py", *_ROWS),
    f"{IMPORTED}rows.py": (f"{_D}rows.py", *_ROWS),
    f"{IMPORTED}columns.py": (f"{_D}columns.py {_D}header_rows.py", *_ROWS),
    f"{IMPORTED}cautions.py": (f"{_D}header_rows.py", *_ROWS),
    f"{JOBS}heard.py": _WAITED_FOR,
    f"{JOBS}expire.py": _WAITED_FOR,
    f"{JOBS}forget.py": _WAITED_FOR,
    f"{INVOICER}vat.py": (f"{_B}vat.py", *_BILLING),
    f"{INVOICER}domain.py": (_RULES, *_BILLING),
    f"{INVOICER}numbers.py": (_RULES, *_BILLING),
    f"{INVOICER}reversals.py": (_RULES, *_BILLING),
    f"{INVOICER}admission.py": (_RULES, *_BILLING),
    f"{INVOICER}parties.py": (_RULES, *_BILLING, f"{_B}mail.py {_B}statements.py"),
    f"{INVOICER}schedule.py": (_RULES, _RUNS),
    f"{INVOICER}euros.py": (f"{_B}vat_in_euros.py",),
    f"{INVOICER}moves.py": _BILLING,
    f"{INVOICER}drafting.py": _BILLING,
    f"{INVOICER}issuing.py": _BILLING,
    f"{INVOICER}handlers/corrections.py": (_ACTS, _APART, _RUNS),
    f"{INVOICER}handlers/drafts.py": _BILLING,
    f"{INVOICER}handlers/payments.py": _BILLING,
    f"{INVOICER}jobs/run.py": (_RUNS, _APART, _ACTS),
    f"{INVOICER}store/sales.py": _BILLING,
    f"{INVOICER}store/issuing.py": _BILLING,
    f"{INVOICER}store/invoices.py": (*_BILLING, f"{_B}forgetting.py"),
    f"{INVOICER}store/runs.py": (_FITS, _RUNS, _APART),
    f"{INVOICER}store/pending.py": (_WAITING, _RUNS, _APART),
    f"{INVOICER}verify.py": (_APART, _RUNS),
    f"{INVOICER}sql/issuing.sql": _BILLING,
    f"{INVOICER}sql/invoices.sql": _BILLING,
    f"{INVOICER}sql/sales.sql": _BILLING,
    f"{INVOICER}sql/runs.sql": (_APART, _RUNS, _ACTS),
    f"{INVOICER}sql/pending.sql": (_WAITING, _APART, _RUNS),
    f"{INVOICER}sql/verify.sql": (_APART, _RUNS),
    f"{INVOICER}sql/mails.sql": (_APART, f"{_B}mail.py"),
}


def planned(root: Path, only: str = "") -> list[Fault]:
    """All faults in all files, or in those whose names hold a part of `only` (by commas)."""
    found: list[Fault] = []
    for name in TESTS:
        file = root / name
        if any(part in name for part in only.split(",")) and file.exists():
            make = sql_faults.faults if file.suffix == ".sql" else python_faults.faults
            found += make(name, file.read_text(encoding="utf-8"))
    return found
