"""Dead letters: input that was refused, with the reason and, where we got them, the raw bytes.

The same message refused again is the same letter with a higher count. A letter can be asked
to be replayed: ingest reads it again as history, and writes down here what became of it.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Index, Integer, String, Table, bindparam, func, insert, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, Encrypted, JsonText, UtcTime, content_id, new_id
from storage.keys import current_ring

REPLAYABLE: Final = ("mqtt", "http")
"""Sources whose bytes ingest itself has read: nothing else can be read again."""

STORED: Final = "stored"
"""The outcome of a replay that made events of a letter; `known`: they were there; `nothing`: none."""

GIVEN_UP: Final = "given_up."
"""Begins the outcome of a letter that somebody has given up, with the code for why behind it."""

WHY_GIVEN_UP: Final = ("not_ours", "test", "device_replaced", "too_old", "vendor_fault")
"""Why a letter may be given up; each has words in the console's catalogue."""


class DeadLetter(Base):
    """One refused message. `reason` is a code with a text in the console's catalogue."""

    __tablename__ = "dead_letters"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # mqtt, http (refused by ingest), broker (refused by the broker itself), bus (a worker gave up).
    source: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    # Facts for the reader: the field that is wrong, the size, the limit.
    detail: Mapped[str] = mapped_column(String(500))
    topic: Mapped[str] = mapped_column(String(500))
    compound: Mapped[str | None] = mapped_column(String(64))
    device_id: Mapped[str | None] = mapped_column(String(64))
    # Whose format it was read as.
    adapter: Mapped[str | None] = mapped_column(String(32))
    # When it came first; a replay reads it as of then.
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # When it came last; None where it came once, or in rows from before this was kept.
    last_seen: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    size: Mapped[int] = mapped_column(Integer)
    # Sealed, since a refused message may carry a face; None when only the broker saw it.
    raw: Mapped[bytes | None] = mapped_column(Encrypted)
    # How often the same came.
    count: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    # A keyed hash by which the same is known again; it says nothing of the content.
    known_by: Mapped[str | None] = mapped_column(String(64))
    # How it came, where that cannot be told from the rest: content_type, signed_in, retained.
    context: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    # Somebody wants it read again; ingest takes this away when it has.
    replay_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    replay_asked_by: Mapped[str | None] = mapped_column(String(64))
    replayed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Of the last replay: stored, known, nothing, or the reason why it is refused still; or given_up.WHY.
    outcome: Mapped[str | None] = mapped_column(String(64))
    # Ids of the events that it became.
    became: Mapped[list[str] | None] = mapped_column(JsonText)

    __table_args__ = (
        Index("ix_dead_letters_received", "received_at"),
        Index("uq_dead_letters_known_by", "known_by", unique=True),
        Index("ix_dead_letters_device", "device_id", "received_at"),
        Index("ix_dead_letters_reason", "reason", "received_at", "compound"),
        Index(
            "ix_dead_letters_asked",
            "replay_asked_at",
            sqlite_where=text("replay_asked_at IS NOT NULL"),
            postgresql_where=text("replay_asked_at IS NOT NULL"),
        ),
    )


_letters = cast("Table", DeadLetter.__table__)
_AGAIN: Final = (
    update(_letters)
    .where(_letters.c.known_by == bindparam("known"))
    .values(count=_letters.c.count + bindparam("times"), last_seen=bindparam("at"))
    .returning(_letters.c.id)
)


def letter(
    source: str,
    reason: str,
    at: dt.datetime,
    *,
    detail: str = "",
    topic: str = "",
    compound: str | None = None,
    device_id: str | None = None,
    adapter: str | None = None,
    raw: bytes | None = None,
    known_by: str | None = None,
    context: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A new dead letter's columns, cut to what they hold."""
    return {
        "id": new_id(),
        "source": source,
        "reason": reason,
        # A device's own words may hold what PostgreSQL has no text for.
        "detail": detail[:500].replace("\0", "\ufffd"),
        "topic": topic[:500],
        "compound": compound[:64] if compound else None,
        "device_id": device_id[:64] if device_id else None,
        "adapter": adapter,
        "received_at": at,
        "last_seen": None,
        "size": len(raw) if raw is not None else 0,
        "raw": raw,
        "count": 1,
        "known_by": known_by,
        "context": context or {},
        "replayed_at": None,
    }


def fingerprint(*parts: str, raw: bytes = b"") -> str:
    """By which the same refusal is known again: a keyed hash, 64 hex digits."""
    return current_ring().fingerprint("dead-letter", content_id(*parts, hashlib.blake2b(raw).hexdigest()))


def record(session: Session, letters: Sequence[dict[str, Any]]) -> None:
    """Writes dead letters; what has the fingerprint of one that is there counts that one up."""
    if not letters:
        return
    fresh: list[dict[str, Any]] = []
    by_print: dict[str, list[dict[str, Any]]] = {}
    for one in letters:
        if one.get("known_by") is None:
            fresh.append(one)
        else:
            by_print.setdefault(one["known_by"], []).append(one)
    for known, same in by_print.items():
        times = sum(one["count"] for one in same)
        again = {"known": known, "times": times, "at": same[-1]["received_at"]}
        if not session.execute(_AGAIN, again).all():
            last_seen = same[-1]["received_at"] if len(same) > 1 else None
            fresh.append(same[0] | {"count": times, "last_seen": last_seen})
    if fresh:
        session.execute(insert(DeadLetter), fresh)


def matching(
    device: str | None = None,
    reason: str | None = None,
    adapter: str | None = None,
    ids: Sequence[str] = (),
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> list[ColumnElement[bool]]:
    """Conditions for what is asked for; `since` is included, `until` is not. None at all: empty."""
    which: list[ColumnElement[bool]] = []
    if device is not None:
        which.append(DeadLetter.device_id == device)
    if reason is not None:
        which.append(DeadLetter.reason == reason)
    if adapter is not None:
        which.append(DeadLetter.adapter == adapter)
    if ids:
        which.append(DeadLetter.id.in_(ids))
    if since is not None:
        which.append(DeadLetter.received_at >= since)
    if until is not None:
        which.append(DeadLetter.received_at < until)
    return which


def ask_replay(session: Session, which: Sequence[ColumnElement[bool]], by: str, at: dt.datetime) -> int:
    """Asks that letters are read again; returns how many. Those that wait already are not asked twice."""
    asked = session.execute(
        update(DeadLetter)
        .where(*which, can_be_replayed(), DeadLetter.replay_asked_at.is_(None))
        .values(replay_asked_at=at, replay_asked_by=by)
        .execution_options(synchronize_session=False)
        .returning(DeadLetter.id)
    )
    return len(asked.all())


def give_up(session: Session, which: Sequence[ColumnElement[bool]], why: str, at: dt.datetime) -> int:
    """Says of letters that nothing will come of them; returns how many. What was settled before stays so."""
    given_up = session.execute(
        update(DeadLetter)
        .where(*which, is_open())
        .values(replay_asked_at=None, replayed_at=at, outcome=f"{GIVEN_UP}{why}"[:64])
        .execution_options(synchronize_session=False)
        .returning(DeadLetter.id)
    )
    return len(given_up.all())


def is_open() -> ColumnElement[bool]:
    """The condition that something is still to be done: it is neither stored, nor empty, nor given up."""
    outcome = func.coalesce(DeadLetter.outcome, "")
    return outcome.not_in((STORED, "known", "nothing")) & ~outcome.startswith(GIVEN_UP)


def settle(session: Session, letter_id: str, outcome: str, became: Sequence[str], at: dt.datetime) -> None:
    """Writes down what became of a letter that was read again.

    What is stored now is another matter than the next refusal of the same bytes: that is a new letter.
    """
    values: dict[str, Any] = {
        "replay_asked_at": None,
        "replayed_at": at,
        "outcome": outcome[:64],
        "became": list(became) or None,
    }
    if outcome == STORED:
        values["known_by"] = None
    session.execute(update(DeadLetter).where(DeadLetter.id == letter_id).values(values))


def can_be_replayed() -> ColumnElement[bool]:
    """The condition that ingest has the bytes and that nothing became of them yet."""
    still = func.coalesce(DeadLetter.outcome, "") != STORED
    return DeadLetter.source.in_(REPLAYABLE) & DeadLetter.raw.is_not(None) & still
