"""What was imported, when, by whom, and how to take it back."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime


class ImportState(enum.StrEnum):
    """Where an import stands."""

    CHECKING = "checking"
    CHECKED = "checked"  # a dry run ended: nothing was written
    APPLYING = "applying"
    APPLIED = "applied"
    REFUSED = "refused"  # faults, and the user wanted all or nothing
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportJob(OwnedByCompound, Base):
    """One file, from the upload to the undo. The file itself is not kept."""

    __tablename__ = "import_jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    # No file name: people write names of people into it. Its hash tells whether it is the same one.
    content_hash: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(64))
    dry_run: Mapped[bool] = mapped_column(Boolean)
    # Whether good rows go in although others are refused.
    partly: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[ImportState] = mapped_column(String(16))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The last sign of life of the process that is at it.
    beat_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    rows_total: Mapped[int | None] = mapped_column(Integer)
    rows_done: Mapped[int] = mapped_column(Integer, default=0)
    # What became of rows and things: {"people": {"created": 1, "updated": 2, "unchanged": 3}, …}.
    counts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    faults: Mapped[int] = mapped_column(Integer, default=0)
    # The code of what stopped the whole file.
    error: Mapped[str | None] = mapped_column(String(64))
    error_facts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)


class ImportFault(OwnedByCompound, Base):
    """What is wrong with a row: a code for the catalogues, the place, never the person's data."""

    __tablename__ = "import_faults"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    job: Mapped[str] = mapped_column(ForeignKey("import_jobs.id"))
    # As the sheet numbers it; 0 for the file as a whole.
    row: Mapped[int] = mapped_column(Integer)
    column: Mapped[str | None] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)

    __table_args__ = (Index("ix_import_faults_job", "job", "row"),)


class ImportChange(OwnedByCompound, Base):
    """One thing that an import created, changed or ended, with what it was before, sealed."""

    __tablename__ = "import_changes"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    job: Mapped[str] = mapped_column(ForeignKey("import_jobs.id"), index=True)
    table: Mapped[str] = mapped_column(String(32))
    row_id: Mapped[str] = mapped_column(String(64))
    # The row's columns as they were, sealed ones as the sealed bytes they are; None: it was made.
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The version that the import left; a later edit makes undo leave that row alone.
    version: Mapped[int | None] = mapped_column(Integer)
