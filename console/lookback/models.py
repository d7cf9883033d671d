"""Views of the past that somebody keeps, and how often somebody has searched for people."""

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime


class SavedView(OwnedByCompound, Base):
    """Filters of the history under a name: one's own, or shared with all who read incidents here.

    `filters` are those of `console.lookback.filters`, which have no room for a person or a plate.
    """

    __tablename__ = "saved_views"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    filters: Mapped[dict[str, Any]] = mapped_column(JsonText)
    shared: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_saved_views_compound", "compound", "shared"),)


class DefaultView(OwnedByCompound, Base):
    """The view that somebody's history opens with."""

    __tablename__ = "default_views"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    view: Mapped[str] = mapped_column(ForeignKey("saved_views.id", ondelete="CASCADE"), index=True)

    __table_args__ = (UniqueConstraint("compound", "user"),)


class SearchCount(OwnedByCompound, Base):
    """That somebody searched for a person or a plate: of whom is in the audit log alone."""

    __tablename__ = "search_counts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(String(32))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_search_counts_user", "user", "at"),)
