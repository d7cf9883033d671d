"""Which backups were made, and which copies of the keys lie beside them."""

import datetime as dt

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.columns import UtcTime


class BackupRun(Base):
    """One archive. The copy of the keys beside it is replaced by every later run to the same place."""

    __tablename__ = "backup_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Where to, as a keyed hash and a short name: a path may say who runs the machine.
    destination: Mapped[str] = mapped_column(String(64), index=True)
    label: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    verified_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    size: Mapped[int | None] = mapped_column(BigInteger)
    archive_hash: Mapped[str | None] = mapped_column(String(64))
    # When the key copy at this destination was last replaced.
    keys_copied_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
