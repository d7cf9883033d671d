"""How far a terminal is from what it should know, for people who have to see to it."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists import pushes
from devices.lists.known import holder_of
from devices.lists.models import Carries, TerminalList, TerminalPush


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that a terminal would not take as it should be.

    `confirmed`: what it did take opens all the same, most often the card without the face.
    """

    holder: str
    ref: str
    code: str
    text: str
    tries: int
    next_try_at: dt.datetime | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class ListReport:
    """Counts are of entries. `pending` are those that should be there and are not confirmed.

    `leaving` are orders to forget that are not confirmed; `counted_at` is when `wanted` was.
    """

    device: str
    carries: Carries
    wanted: int
    wanted_faces: int
    counted_at: dt.datetime | None
    confirmed: int
    confirmed_faces: int
    pending: int
    refused: tuple[Refused, ...]
    leaving: int
    lack: str | None
    paused_until: dt.datetime | None
    in_flight: str | None
    last_answer_at: dt.datetime | None
    last_code: str | None


def of(session: Session, device_id: str) -> ListReport | None:
    """The report of one terminal; None where it keeps no list and has no order to forget."""
    row = session.get(TerminalList, device_id)
    leaving = (
        session.scalar(
            select(func.count()).where(
                DeleteOrder.device == device_id, DeleteOrder.state != OrderState.CONFIRMED
            )
        )
        or 0
    )
    entries = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.device == device_id)).all()
    if row is None and not leaving and not entries:
        return None
    confirmed = [entry for entry in entries if entry.content_mark is not None]
    flying = pushes.in_flight(session, device_id)
    last: TerminalPush | None = session.scalars(
        select(TerminalPush)
        .where(TerminalPush.device == device_id, TerminalPush.settled_at.is_not(None))
        .order_by(TerminalPush.settled_at.desc())
        .limit(1)
    ).first()
    wanted = row.wanted if row is not None else 0
    return ListReport(
        device=device_id,
        carries=Carries(row.carries) if row is not None else Carries.UNDECIDED,
        wanted=wanted,
        wanted_faces=row.wanted_faces if row is not None else 0,
        counted_at=row.counted_at if row is not None else None,
        confirmed=len(confirmed),
        confirmed_faces=sum(entry.face for entry in confirmed),
        pending=max(0, wanted - len(confirmed)),
        refused=tuple(_refused(entry) for entry in entries if entry.code is not None),
        leaving=leaving,
        lack=row.lack if row is not None else None,
        paused_until=row.next_at if row is not None else None,
        in_flight=flying.id if flying is not None else None,
        last_answer_at=last.settled_at if last is not None else None,
        last_code=last.code if last is not None else None,
    )


def of_all(session: Session, compound: str | None = None) -> list[ListReport]:
    """The reports of every terminal that keeps a list or has to forget somebody, by device."""
    lists = select(TerminalList.device)
    orders = select(DeleteOrder.device).where(DeleteOrder.state != OrderState.CONFIRMED)
    if compound is not None:
        lists = lists.where(TerminalList.compound == compound)
        orders = orders.where(DeleteOrder.compound == compound)
    devices = sorted({*session.scalars(lists), *session.scalars(orders)})
    return [report for device in devices if (report := of(session, device)) is not None]


def _refused(entry: TerminalEnrolment) -> Refused:
    return Refused(
        ":".join(holder_of(entry)),
        entry.ref,
        entry.code or "",
        entry.text or "",
        entry.failures,
        entry.next_try_at,
        entry.content_mark is not None,
    )
