"""Batches to terminals: one in flight each, what came of every person in it, and silence.

Everything about a batch is written down before it leaves, as if it had arrived: the faces
that may lie on a terminal are those of these rows, whatever was answered.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from devices import enrolments
from devices.adapters.contract import CommandResult
from devices.directory import DeviceFacts
from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists.diff import Put
from devices.lists.models import PushKind, PushState, TerminalList, TerminalPush
from devices.lists.wanted import Holder
from storage import new_id
from storage.audit import AuditEntry, append

log = structlog.get_logger(__name__)

ANSWERS_WITHIN: Final = {
    # A terminal fetches a picture a second; the addresses hold as long.
    PushKind.ENROL: dt.timedelta(minutes=10),
    # Less than the minute after which an order is due again.
    PushKind.DELETE: dt.timedelta(seconds=50),
}
FIRST_PAUSE: Final = dt.timedelta(seconds=15)
"""After a batch that a terminal refused as a whole (busy), or did not answer; then twice as long …"""
LONGEST_PAUSE: Final = dt.timedelta(hours=1)
FIRST_RETRY: Final = dt.timedelta(minutes=10)
"""After a person whom a terminal refused (no usable face, download failed); then twice as long …"""
LONGEST_RETRY: Final = dt.timedelta(hours=24)

Said = tuple[bool, str, str]
"""What a terminal says of one person: whether it is done, its code, its words."""


def in_flight(session: Session, device_id: str) -> TerminalPush | None:
    """The batch that a terminal has not answered yet."""
    return session.scalars(
        select(TerminalPush).where(TerminalPush.device == device_id, TerminalPush.state == PushState.SENT)
    ).first()


def send_people(
    session: Session, device: DeviceFacts, puts: Sequence[Put], at: dt.datetime
) -> tuple[TerminalPush, list[TerminalEnrolment]]:
    """Writes a batch of people down as sent; the rows are in the order of `puts`.

    The caller holds the people against a withdrawal until it commits. Raises
    `IntegrityError` where another batch is in flight.
    """
    push = _begin(session, device, PushKind.ENROL, len(puts), at)
    known = {
        row.ref: row
        for row in session.scalars(
            select(TerminalEnrolment).where(
                TerminalEnrolment.device == device.device_id,
                TerminalEnrolment.ref.in_([put.ref for put in puts if put.ref is not None]),
            )
        )
    }
    rows = []
    for put in puts:
        row = known.get(put.ref) if put.ref is not None else None
        if row is None:
            row = _entry(device, put.wanted.holder, at)
            session.add(row)
        row.push, row.sent, row.picture, row.pushed_at = push.id, put.fingerprint, put.wanted.picture, at
        row.face = row.face or put.wanted.picture is not None
        row.card = row.card or put.wanted.card is not None
        rows.append(row)
    session.flush()
    pictures = sum(put.wanted.picture is not None for put in puts)
    _audit(session, device, f"enrol {push.id} people={len(puts)} pictures={pictures}", at)
    return push, rows


def send_orders(
    session: Session, device: DeviceFacts, orders: Sequence[DeleteOrder], at: dt.datetime
) -> TerminalPush:
    """Writes a batch of orders to forget down as sent. Raises what `send_people` raises."""
    push = _begin(session, device, PushKind.DELETE, len(orders), at)
    enrolments.mark_sent(session, orders, at, push.id)
    _audit(session, device, f"delete {push.id} people={len(orders)}", at)
    return push


def not_sent(session: Session, push_id: str, code: str, at: dt.datetime) -> None:
    """A batch that certainly did not leave: it is as if it had not been made."""
    push = session.get_one(TerminalPush, push_id)
    if push.state != PushState.SENT:
        return
    _close(push, PushState.FAILED, at, code)
    _take_back(session, push)
    for order in session.scalars(select(DeleteOrder).where(DeleteOrder.push == push_id)):
        order.state, order.sent_at, order.push = OrderState.PENDING, None, None
    # The terminal did nothing wrong: it is not kept waiting longer each time.
    row = session.get_one(TerminalList, push.device)
    row.paused_at, row.next_at = at, at + FIRST_PAUSE


def give_up(session: Session, at: dt.datetime) -> list[str]:
    """Batches whose answer did not come are uncertain now; gives their ids."""
    silent = session.scalars(
        select(TerminalPush)
        .where(TerminalPush.state == PushState.SENT, TerminalPush.answer_by <= at)
        .with_for_update(skip_locked=True)
    ).all()
    for push in silent:
        _close(push, PushState.UNCERTAIN, at, "no_answer")
        # Whatever lies there now, it is sent once more.
        session.execute(
            update(TerminalEnrolment)
            .where(TerminalEnrolment.push == push.id)
            .values(content_mark=None, lay_face=TerminalEnrolment.face, lay_card=TerminalEnrolment.card)
        )
        session.execute(
            update(DeleteOrder)
            .where(DeleteOrder.push == push.id, DeleteOrder.state == OrderState.SENT)
            .values(unanswered=True)
        )
        _pause(session, push, at)
    session.flush()
    return [push.id for push in silent]


def forget_in_flight(session: Session, device_id: str, at: dt.datetime) -> None:
    """Whatever a terminal answers to people it was sent is about a list that it may not have any more."""
    push = in_flight(session, device_id)
    if push is not None and push.kind == PushKind.ENROL:
        _close(push, PushState.UNCERTAIN, at, "resync")
    session.execute(
        update(TerminalEnrolment)
        .where(TerminalEnrolment.device == device_id)
        .values(
            push=None,
            content_mark=None,
            confirmed_at=None,
            next_try_at=None,
            lay_face=TerminalEnrolment.face,
            lay_card=TerminalEnrolment.card,
        )
    )
    session.flush()


def settle(session: Session, device_id: str, result: CommandResult, at: dt.datetime) -> bool:
    """Takes a terminal's answer to a batch, late ones too; False where it is no batch's."""
    query = select(TerminalPush).where(TerminalPush.device == device_id).with_for_update()
    if result.command_id is not None:
        query = query.where(TerminalPush.id == result.command_id)
    elif result.command in set(PushKind):
        query = query.where(TerminalPush.state == PushState.SENT, TerminalPush.kind == result.command)
    else:
        return False
    push = session.scalars(query).first()
    if push is None:
        return False
    if push.state not in {PushState.SENT, PushState.UNCERTAIN}:
        # Said twice: the first answer was taken, and a batch of people changes nothing after it.
        return True
    said = {ref: (ok, code[:64], text[:200]) for ref, ok, code, text in result.people}
    if not said and not result.ok:
        _refused(session, push, result, at)
        return True
    if push.kind == PushKind.ENROL:
        taken, refused = _settle_people(session, push, result, said, at)
    else:
        taken, refused = _settle_orders(session, push, result, said, at)
    push.taken, push.refused = taken, refused
    state = PushState.PARTLY if taken and refused else PushState.FAILED if refused else PushState.CONFIRMED
    _close(push, state, at, result.code, result.text)
    session.execute(
        update(TerminalList)
        .where(TerminalList.device == device_id)
        .values(failures=0, paused_at=None, next_at=None)
    )
    log.info("list.answered", device=device_id, push=push.id, taken=taken, refused=refused)
    return True


def _settle_people(
    session: Session, push: TerminalPush, result: CommandResult, said: dict[str, Said], at: dt.datetime
) -> tuple[int, int]:
    rows = session.scalars(select(TerminalEnrolment).where(TerminalEnrolment.push == push.id)).all()
    taken = refused = 0
    for row in rows:
        ok, code, text = _said_of(row.ref, result, said)
        if ok:
            _confirm(row, at)
            taken += 1
        else:
            _refuse(row, code, text, at)
            refused += 1
    _chase_strays(session, push, [ref for ref, (ok, _, _) in said.items() if ok], at)
    session.flush()
    return taken, refused


def _confirm(row: TerminalEnrolment, at: dt.datetime) -> None:
    row.content_mark, row.confirmed_at = row.sent, at
    row.lay_face, row.lay_card = row.face, row.card
    if row.picture is not None or row.refused_picture is None:
        row.failures, row.next_try_at, row.refused_picture = 0, None, None
        row.code = row.text = None


def _refuse(row: TerminalEnrolment, code: str, text: str, at: dt.datetime) -> None:
    row.content_mark = None
    row.code, row.text = code or "refused", text
    row.refused_picture = row.picture or row.refused_picture
    # What was refused is not there; what lay there before may be.
    row.face, row.card = row.lay_face, row.lay_card
    pause: dt.timedelta = FIRST_RETRY * 2 ** min(row.failures, 10)
    row.failures += 1
    row.next_try_at = at + min(pause, LONGEST_RETRY)


def _chase_strays(session: Session, push: TerminalPush, there: Sequence[str], at: dt.datetime) -> None:
    """Orders out whoever a terminal took in after we had been told that it forgot them."""
    known = set(
        session.scalars(
            select(TerminalEnrolment.ref).where(
                TerminalEnrolment.device == push.device, TerminalEnrolment.ref.in_(there)
            )
        )
    )
    for ref in there:
        if ref not in known:
            enrolments.order_stray(session, push.compound, push.device, ref, at)


def _settle_orders(
    session: Session, push: TerminalPush, result: CommandResult, said: dict[str, Said], at: dt.datetime
) -> tuple[int, int]:
    orders = session.scalars(
        select(DeleteOrder).where(
            DeleteOrder.device == push.device,
            DeleteOrder.push == push.id,
            DeleteOrder.state != OrderState.CONFIRMED,
        )
    ).all()
    taken = refused = 0
    for order in orders:
        ok, code, _ = _said_of(order.ref, result, said)
        if ok:
            answered = "deleted"
        elif not code and (order.was_there is False or order.unanswered):
            # Vendors count among the failures, without a code, whoever is not on the list. That is
            # what this one means where nobody ever saw the person there, or where an earlier
            # order may have been obeyed; otherwise it may be a terminal that cannot delete.
            answered = "unknown_ref"
        else:
            answered = code or "not_deleted"
        enrolments.answer(session, order.id, answered, at)
        if answered in enrolments.DONE:
            taken += 1
        else:
            refused += 1
    return taken, refused


def _said_of(ref: str, result: CommandResult, said: dict[str, Said]) -> Said:
    """What the answer means for one person: some terminals name only those who failed, some nobody."""
    if ref in said:
        return said[ref]
    if result.ok and not any(ok for ok, _, _ in said.values()):
        return True, "", ""
    return False, "not_named", ""


def _refused(session: Session, push: TerminalPush, result: CommandResult, at: dt.datetime) -> None:
    """The whole batch was turned away, most often since the terminal is busy: nothing of it is there."""
    log.info("list.refused", device=push.device, push=push.id, code=result.code)
    _close(push, PushState.FAILED, at, result.code, result.text)
    _take_back(session, push)
    for order in session.scalars(
        select(DeleteOrder).where(DeleteOrder.push == push.id, DeleteOrder.state == OrderState.SENT)
    ):
        # Not an answer to the order itself: it stays given, and is due again in its time.
        order.result = result.code[:64]
    _pause(session, push, at)


def _take_back(session: Session, push: TerminalPush) -> None:
    """Nothing of a batch of people has reached the terminal's list."""
    session.execute(
        update(TerminalEnrolment)
        .where(TerminalEnrolment.push == push.id)
        .values(sent=None, push=None, face=TerminalEnrolment.lay_face, card=TerminalEnrolment.lay_card)
    )


def _entry(device: DeviceFacts, holder: Holder, at: dt.datetime) -> TerminalEnrolment:
    whose = {"person": holder.id} if holder.kind == "person" else {"visitor_pass": holder.id}
    return enrolments.new_entry(device.compound, device.device_id, at, **whose)


def _pause(session: Session, push: TerminalPush, at: dt.datetime) -> None:
    row = session.get_one(TerminalList, push.device, with_for_update=True)
    pause: dt.timedelta = FIRST_PAUSE * 2 ** min(row.failures, 10)
    row.failures += 1
    row.paused_at, row.next_at = at, at + min(pause, LONGEST_PAUSE)
    session.flush()


def _begin(
    session: Session, device: DeviceFacts, kind: PushKind, people: int, at: dt.datetime
) -> TerminalPush:
    push = TerminalPush(
        id=new_id(),
        compound=device.compound,
        device=device.device_id,
        kind=kind,
        state=PushState.SENT,
        people=people,
        sent_at=at,
        answer_by=at + ANSWERS_WITHIN[kind],
    )
    session.add(push)
    session.flush()
    return push


def _close(push: TerminalPush, state: PushState, at: dt.datetime, code: str, text: str = "") -> None:
    push.state, push.settled_at = state, at
    push.code, push.text = code[:64] or None, text[:500] or None


def _audit(session: Session, device: DeviceFacts, detail: str, at: dt.datetime) -> None:
    append(
        session,
        at,
        AuditEntry(
            "ringward",
            "system",
            "terminal_list.pushed",
            "access_list",
            f"device:{device.device_id}",
            detail,
            device.compound,
        ),
    )


def recent(session: Session, device_id: str, limit: int = 10) -> Sequence[TerminalPush]:
    """The last batches of a terminal, newest first."""
    return session.scalars(
        select(TerminalPush)
        .where(TerminalPush.device == device_id)
        .order_by(TerminalPush.sent_at.desc(), TerminalPush.id.desc())
        .limit(limit)
    ).all()
