"""The importer's settings; all come from the environment (ONACCOUNT_*)."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from runtime.settings import MOST_DAYS, MOST_SECONDS, WorkerSettings
from services.importer.child import ChildLimits

MIB: Final = 1024 * 1024


class Settings(WorkerSettings):
    """What can be set for the importer."""

    service: ClassVar[str] = "importer"

    import_file_mb: int = Field(
        20, ge=1, le=60, description="Largest workbook that is taken, in MiB as it is sent."
    )
    import_kept_mb: int = Field(
        500,
        ge=1,
        description="Most MiB of workbooks that are kept for imports under way, in all; of one"
        " environment a quarter of it, or one workbook.",
    )
    import_rows: int = Field(
        200_000, ge=1, le=1_048_576, description="Most rows of one workbook that are imported."
    )
    import_expiry_s: float = Field(
        86_400,
        gt=0,
        le=MOST_SECONDS,
        description="Seconds after which an upload that stays incomplete, or a preview that nobody"
        " confirms, expires.",
    )
    import_undo_days: float = Field(
        30,
        ge=0,
        le=MOST_DAYS,
        description="Days for which an import can be taken back. So long its rows are kept, and"
        " then forgotten.",
    )
    import_window: int = Field(
        4000, ge=1, le=10_000, description="Most registry commands of one import under way at once."
    )
    import_resend_s: float = Field(
        60,
        gt=0,
        le=MOST_SECONDS,
        description="Seconds after which a command without an outcome is sent again.",
    )
    import_child_memory_mb: int = Field(
        256, ge=96, description="Memory (MiB of address space) of a process that opens a workbook."
    )
    import_child_cpu_s: int = Field(
        180, ge=1, description="CPU seconds of a process that opens a workbook."
    )
    import_child_silence_s: float = Field(
        60, gt=0, description="Seconds that a process that opens a workbook may say nothing."
    )
    import_side_by_side: int = Field(
        3, ge=1, le=16, description="Jobs of each kind that one worker carries out side by side."
    )

    def child_limits(self) -> ChildLimits:
        return ChildLimits(
            memory_bytes=self.import_child_memory_mb * MIB,
            cpu_s=self.import_child_cpu_s,
            file_bytes=4 * self.import_file_mb * MIB,
            silence_s=self.import_child_silence_s,
            max_rows=self.import_rows,
        )
