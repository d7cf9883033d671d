"""What is believed of a terminal's entries, out of the rows that say so."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists.diff import Known
from devices.lists.models import PushState, TerminalPush
from devices.lists.wanted import Holder


def known_of(session: Session, device_id: str) -> list[Known]:
    """Every entry of a terminal."""
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
    rows = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.device == device_id))
    return [
        Known(
            holder_of(row),
            row.ref,
            row.face,
            row.card,
            row.fingerprint,
            row.sent,
            row.failures,
            row.next_try_at,
            row.refused_picture,
            leaving=row.ref in leaving,
            on_its_way=row.push in flying,
        )
        for row in rows
    ]


def holder_of(row: TerminalEnrolment) -> Holder:
    """Whose entry a row is."""
    if row.person is not None:
        return Holder("person", row.person)
    return Holder("pass", row.visitor_pass or "")
