"""Workbooks on their way in (topics imports.uploads, imports.events and imports.state)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.base import Message, Part, Patch, wrong
from schemas.entities import AccountStatus, Language
from schemas.values import (
    BASE64_PATTERN,
    NOT_NULL,
    Account,
    Amount,
    Count,
    Environment,
    LongText,
    RequiredText,
    Sha256,
    Text,
    Time,
    Uuid,
    Version,
    Word,
    entries,
)

MAX_PART_BYTES = 700_000
MAX_PARTS = 100
MAX_COLUMNS = 500
MAX_PROBLEMS = 1000
MAX_DIFFERENCES = 200

ImportStatus = Literal[
    "received", "previewed", "running", "completed", "failed", "cancelled", "expired", "undone"
]
PartNumber = Annotated[int, Field(strict=True, ge=1, le=MAX_PARTS)]
PartContent = Annotated[
    str, StringConstraints(max_length=(MAX_PART_BYTES + 2) // 3 * 4, pattern=BASE64_PATTERN)
]
"""Base64 of MAX_PART_BYTES, or of up to two bytes more: `ImportUploaded` refuses those."""

MappedField = Literal[
    "account", "account_count", "chamber_number", "city", "company", "country", "description",
    "email", "email_fictitious", "first_name", "in_overview", "infix", "language", "last_name",
    "limit", "name", "on_account", "peppol_id", "postcode", "status", "street", "vat_number",
]  # fmt: skip
"""What a column may hold: the fields of the registry's commands, a full name, a count."""


class ImportDefaults(Part):
    """What rows that leave it open get. limit: minor units, null is no limit."""

    limit: Amount | None = None
    on_account: Annotated[bool | None, NOT_NULL] = None
    in_overview: Annotated[bool | None, NOT_NULL] = None
    status: Annotated[AccountStatus | None, NOT_NULL] = None
    language: Annotated[Language | None, NOT_NULL] = None


class _Job(Message):
    answer_ids: ClassVar[tuple[str, ...]] = ("job_id", "environment")
    answered_by: ClassVar[str | None] = "import.failed"

    job_id: Uuid
    environment: Environment


class ImportUploaded(Patch, _Job):
    """A workbook, or one part of it; sha256 is of the whole file. Parts may come in any order."""

    type: Literal["import.uploaded"] = "import.uploaded"
    file_name: RequiredText
    sha256: Sha256
    part: PartNumber
    parts: PartNumber
    content: PartContent
    mode: Literal["preview", "import"]
    by: RequiredText
    sheet: Text | None = None
    mapping: Annotated[dict[Text, MappedField], entries(MAX_COLUMNS)] | None = None
    defaults: ImportDefaults | None = None

    @model_validator(mode="after")
    def _is_one_of_its_parts(self) -> Self:
        if self.part > self.parts:
            raise wrong("part", "must not be more than parts")
        return self

    @model_validator(mode="after")
    def _fits_in_a_part(self) -> Self:
        # Base64 has room for two bytes more in the same number of letters.
        if len(self.content) // 4 * 3 - self.content.count("=", -2) > MAX_PART_BYTES:
            raise wrong("content", f"must be base64 of at most {MAX_PART_BYTES:,} bytes")
        return self


class ImportConfirmed(_Job):
    """Import what was previewed: its valid rows."""

    type: Literal["import.confirmed"] = "import.confirmed"
    by: RequiredText


class ImportCancelled(_Job):
    """Do not import what was previewed."""

    type: Literal["import.cancelled"] = "import.cancelled"
    by: RequiredText


class ImportUndo(_Job):
    """Take back what an import did, as far as nothing was built on it since."""

    type: Literal["import.undo"] = "import.undo"
    by: RequiredText


class Column(Part):
    """A column of the workbook and the field it was taken for (null: none)."""

    header: Text
    field: MappedField | None
    samples: Annotated[tuple[Text, ...], entries(10)]


class Problem(Part):
    """What is wrong with a cell or a row. `row` is Excel's own row number."""

    row: Annotated[int, Field(strict=True, ge=1, le=1_048_576)]
    column: Text | None
    value: Text | None
    message: LongText


Problems = Annotated[tuple[Problem, ...], entries(MAX_PROBLEMS)]


class Difference(Part):
    """What a row changes. `field` is of `account` (`holder`: who becomes its holder), or, where
    that is null, of the row's customer. `old` and `new` are as people read them, in the
    environment's language: 12,50, geen limiet, ja; null is nothing."""

    row: Annotated[int, Field(strict=True, ge=1, le=1_048_576)]
    account: Account | None
    column: Text | None
    field: Word
    old: Text | None
    new: Text | None


class ImportPreviewed(_Job):
    """What an import would do. All counts are of workbook rows; a row counts once.

    `problems` are the first ones; problem_count says how many there are. `differences` are the
    first of what changes of what is known, limits before all else.
    """

    answered_by: ClassVar[str | None] = None

    type: Literal["import.previewed"] = "import.previewed"
    columns: Annotated[tuple[Column, ...], entries(MAX_COLUMNS)]
    rows: Count
    valid: Count
    creates: Count
    changes: Count
    unchanged: Count
    problems: Problems
    problem_count: Count
    warnings: Problems
    differences: Annotated[tuple[Difference, ...], entries(MAX_DIFFERENCES)] | None = None
    expires_at: Time


class ImportProgressed(_Job):
    """How far an import is."""

    answered_by: ClassVar[str | None] = None

    type: Literal["import.progressed"] = "import.progressed"
    done: Count
    rows: Count


class ImportCompleted(_Job):
    """An import is done. `differs`: so many rows came out otherwise than the preview had said,
    because the registry changed in between; the report names them. `warnings` are the sheet's
    (hidden rows, say), where no preview told of them, and in any case what keeps new accounts from
    buying; those of rows are in the report."""

    answered_by: ClassVar[str | None] = None

    type: Literal["import.completed"] = "import.completed"
    created: Count
    changed: Count
    unchanged: Count
    refused: Count
    differs: Count | None = None
    warnings: Problems | None = None


class ImportFailed(_Job):
    """An import did not happen: also cancelled, expired, unknown_job, not_enabled,
    gdpr_not_accepted, sheet_unclear and columns_unclear (the last two with `choices`; `field` is
    what several of these columns can be). `report`: the workbook comes back all the same, with what
    is wrong with each row (import.report)."""

    answered_by: ClassVar[str | None] = None

    type: Literal["import.failed"] = "import.failed"
    reason: Word
    message: LongText
    choices: Annotated[tuple[Text, ...], entries(MAX_COLUMNS)] | None = None
    field: MappedField | None = None
    report: bool | None = None


class ImportReport(Message):
    """The workbook back, each row with its outcome; in parts where it is large."""

    answer_ids: ClassVar[tuple[str, ...]] = ("job_id",)

    type: Literal["import.report"] = "import.report"
    job_id: Uuid
    part: PartNumber
    parts: PartNumber
    content: PartContent


class Kept(Part):
    """Something that an undo left as it is, and why."""

    kind: Word
    id: RequiredText
    why: LongText


class ImportUndone(_Job):
    """What an undo took back, and what it had to leave."""

    answered_by: ClassVar[str | None] = None

    type: Literal["import.undone"] = "import.undone"
    closed: Count
    erased: Count
    restored: Count
    kept: Annotated[tuple[Kept, ...], entries(10_000)]


class ImportState(_Job):
    """An import as it stands."""

    answered_by: ClassVar[str | None] = None

    type: Literal["import.state"] = "import.state"
    version: Version
    file_name: RequiredText
    status: ImportStatus
    rows: Count
    created: Count
    changed: Count
    unchanged: Count
    refused: Count
    by: RequiredText
    at: Time
