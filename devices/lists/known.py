"""What is believed of a terminal's entries, out of the rows that say so."""

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists.diff import Known
from devices.lists.models import PushState, TerminalPush
from devices.lists.wanted import Holder


def known_of(session: Session, device_id: str, among: Collection[Holder] | None = None) -> list[Known]:
    """Every entry of a terminal, or those of a few holders."""
    leaving = set(
        session.scalars(
            select(DeleteOrder.ref).where(
                DeleteOrder.device == device_id, DeleteOrder.state != OrderState.CONFIRMED
            )
        )
    )
    sent = select(TerminalPush.id).where(
        TerminalPush.device == device_id, TerminalPush.state == PushState.SENT
    )
    flying = set(session.scalars(sent))
    # Columns, not objects: there are thousands, and they are looked at every round.
    query = select(
        TerminalEnrolment.person,
        TerminalEnrolment.visitor_pass,
        TerminalEnrolment.ref,
        TerminalEnrolment.face,
        TerminalEnrolment.card,
        TerminalEnrolment.content_mark,
        TerminalEnrolment.sent,
        TerminalEnrolment.failures,
        TerminalEnrolment.next_try_at,
        TerminalEnrolment.refused_picture,
        TerminalEnrolment.push,
    ).where(TerminalEnrolment.device == device_id)
    if among is not None:
        query = query.where(
            or_(
                TerminalEnrolment.person.in_([one.id for one in among if one.kind == "person"]),
                TerminalEnrolment.visitor_pass.in_([one.id for one in among if one.kind == "pass"]),
            )
        )
    return [
        Known(
            _holder(row.person, row.visitor_pass),
            row.ref,
            row.face,
            row.card,
            row.content_mark,
            row.sent,
            row.failures,
            row.next_try_at,
            row.refused_picture,
            leaving=row.ref in leaving,
            on_its_way=row.push in flying,
        )
        for row in session.execute(query)
    ]


def holder_of(row: TerminalEnrolment) -> Holder:
    """Whose entry a row is."""
    return _holder(row.person, row.visitor_pass)


def _holder(person: str | None, visitor_pass: str | None) -> Holder:
    return Holder("pass", visitor_pass or "") if person is None else Holder("person", person)
