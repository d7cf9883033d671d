"""What holds of events that more became known of: the newest word on each, with every picture."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, case, func, select, type_coerce
from sqlalchemy.orm import Session

from storage.events import EventAmendment, EventRow

AMENDED: Final = "amended"
"""The mark of an event that is not shown as it was first told."""
_CHUNK: Final = 500


def raw_bodies() -> ColumnElement[str]:
    """All that was ever said of an event, as text: its own body and those of its amendments, a line each."""
    own = type_coerce(EventRow.body, Text)
    later = (
        select(func.aggregate_strings(type_coerce(EventAmendment.body, Text), "\n"))
        .where(EventAmendment.event_id == EventRow.id)
        .correlate(EventRow)
        .scalar_subquery()
    )
    # Most events are told once: for those the other table is not looked into.
    return case((EventRow.revision.is_(None), own), else_=own + "\n" + func.coalesce(later, ""))


def newest(session: Session, event_ids: Iterable[str]) -> dict[str, EventAmendment]:
    """The newest amendment of each of these events that has one."""
    found: dict[str, EventAmendment] = {}
    wanted = list(dict.fromkeys(event_ids))
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(EventAmendment)
            .where(EventAmendment.event_id.in_(wanted[start : start + _CHUNK]))
            .order_by(EventAmendment.revision)
        )
        # In rising order: what is left is the newest.
        found |= {one.event_id: one for one in session.scalars(query)}
    return found


def later(session: Session, row: EventRow) -> list[EventAmendment]:
    """All that became known of one event, in the order in which it was known."""
    if row.revision is None:
        return []
    query = select(EventAmendment).where(EventAmendment.event_id == row.id)
    return list(session.scalars(query.order_by(EventAmendment.revision)))


def standing(session: Session, rows: Sequence[EventRow]) -> list[EventRow]:
    """The events as they stand now, in the same order.

    Those that were amended are taken out of the session: what they show is not what their rows
    hold. They have the type, the marks and the words of the newest amendment, and the pictures of all.
    """
    told_again = [row.id for row in rows if row.revision is not None]
    if not told_again:
        return list(rows)
    amended: dict[str, list[EventAmendment]] = {}
    for start in range(0, len(told_again), _CHUNK):
        query = (
            select(EventAmendment)
            .where(EventAmendment.event_id.in_(told_again[start : start + _CHUNK]))
            .order_by(EventAmendment.revision)
        )
        for one in session.scalars(query):
            amended.setdefault(one.event_id, []).append(one)
    for row in rows:
        later = amended.get(row.id)
        if later:
            _amend(session, row, later)
    return list(rows)


def _amend(session: Session, row: EventRow, later: Sequence[EventAmendment]) -> None:
    last = later[-1]
    body = dict(last.body)
    body["pictures"] = _pictures([row.body, *(one.body for one in later)])
    if row in session:
        session.expunge(row)
    marks = [*last.marks, AMENDED]
    row.type, row.marks, row.revision, row.body = last.type, marks, last.revision, body


def _pictures(bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {
        picture["media_id"]: picture
        for body in bodies
        for picture in body.get("pictures") or ()
        if picture.get("media_id")
    }
    return list(by_id.values())
