"""Which ingests are at work and what each takes, so that what falls between them is known."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from ingest.share import Gaps, Share, gaps
from registry.models import Compound
from storage import Base, JsonText, UtcTime

HEARD_WITHIN: Final = dt.timedelta(minutes=2)
"""Who has said nothing for so long takes nothing: a stop for an update is shorter."""

SAY_EVERY: Final = dt.timedelta(seconds=30)
_FORGOTTEN: Final = dt.timedelta(days=7)


class IngestShare(Base):
    """One row a session at the broker, written by whoever listens in it."""

    __tablename__ = "ingest_shares"

    client_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    # None: of every compound, of every vendor.
    compounds: Mapped[list[str] | None] = mapped_column(JsonText)
    vendor_topics: Mapped[list[str] | None] = mapped_column(JsonText)
    heard_at: Mapped[dt.datetime] = mapped_column(UtcTime)


def say(session: Session, client_id: str, one: Share, now: dt.datetime) -> None:
    """Says what is taken in a session, and forgets those that have long been silent."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {
        "compounds": None if one.compounds is None else sorted(one.compounds),
        "vendor_topics": None if one.vendor_topics is None else list(one.vendor_topics),
        "heard_at": now,
    }
    session.execute(
        insert(IngestShare)
        .values(client_id=client_id, **values)
        .on_conflict_do_update(index_elements=["client_id"], set_=values)
    )
    session.execute(delete(IngestShare).where(IngestShare.heard_at < now - _FORGOTTEN))


def heard(session: Session, now: dt.datetime) -> Sequence[IngestShare]:
    """The sessions in which somebody listens, by their names."""
    return session.scalars(
        select(IngestShare).where(IngestShare.heard_at > now - HEARD_WITHIN).order_by(IngestShare.client_id)
    ).all()


def between(session: Session, now: dt.datetime) -> Gaps:
    """What falls between those that listen, of all registered compounds."""
    shares = [
        Share(
            None if row.compounds is None else frozenset(row.compounds),
            None if row.vendor_topics is None else tuple(row.vendor_topics),
        )
        for row in heard(session, now)
    ]
    return gaps(shares, session.scalars(select(Compound.id)))
