"""The round over all terminals: what each lacks is sent, one batch at a time, until it has confirmed.

Reading a compound's people takes a while and happens outside any transaction that writes. What
is about to be sent is read once more, with its people held, in the transaction that writes it
down: between the two somebody may have withdrawn.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from devices import enrolments
from devices.adapters import ADAPTERS
from devices.adapters.contract import CommandResult, Order, Person, UnsupportedError
from devices.commands.sender import Publisher, encoded
from devices.directory import DeviceDirectory, DeviceFacts
from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists import keeping, pictures, pushes
from devices.lists.diff import Changes, Known, Put, compare
from devices.lists.known import known_of
from devices.lists.metrics import ListMetrics
from devices.lists.models import Carries, PushState, TerminalList, TerminalPush
from devices.lists.reading import Register, fingerprint, list_of, register_of, visitors_of, zone_of
from devices.lists.wanted import Holder, Lack, Wanted
from devices.models import DeviceStatus
from registry.models import Person as RegisteredPerson
from storage import Clock, Database

log = structlog.get_logger(__name__)

MOST: Final = 200
"""People a batch, whatever the vendor takes: a terminal fetches about a picture a second, and the
addresses hold ten minutes."""


@dataclass(frozen=True, slots=True)
class _Terminal:
    """A device that may be sent something now."""

    device: DeviceFacts
    carries: Carries


class Reconciler:
    """One a deployment at work; two would send nothing twice, since a batch in flight is unique.

    `terminal_url` is where terminals find pictures; without it nobody is sent with a face.
    """

    def __init__(
        self,
        database: Database,
        directory: DeviceDirectory,
        publisher: Publisher,
        clock: Clock,
        metrics: ListMetrics,
        *,
        terminal_url: str | None = None,
    ) -> None:
        self._database = database
        self._directory = directory
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._terminal_url = terminal_url
        # Terminals that the last look left with more to do.
        self._unfinished: set[str] = set()

    def round(self) -> int:
        """Looks at every terminal; returns how many batches left."""
        self._give_up()
        registers: dict[str, Register] = {}
        sent = sum(self._turn(terminal, registers, compare_too=True) for terminal in self._terminals(None))
        self._count()
        return sent

    def step(self) -> int:
        """Between rounds: orders to forget, and terminals that have answered and lack more."""
        self._give_up()
        with self._database.read() as session:
            ordered = set(
                session.scalars(
                    select(DeleteOrder.device).where(DeleteOrder.state != OrderState.CONFIRMED).distinct()
                )
            )
        due = ordered | self._unfinished
        if not due:
            return 0
        registers: dict[str, Register] = {}
        return sum(
            self._turn(terminal, registers, compare_too=terminal.device.device_id in self._unfinished)
            for terminal in self._terminals(due)
        )

    def _give_up(self) -> None:
        now = self._clock.now()
        with self._database.read() as session:
            overdue = session.scalars(
                select(TerminalPush.id)
                .where(TerminalPush.state == PushState.SENT, TerminalPush.answer_by <= now)
                .limit(1)
            ).first()
        if overdue is None:
            return
        with self._database.write() as session:
            silent = pushes.give_up(session, now)
        for push_id in silent:
            self._metrics.uncertain.inc()
            log.warning("list.uncertain", push=push_id)

    def _terminals(self, among: Collection[str] | None) -> list[_Terminal]:
        """Those that are there, have nothing in flight and are not to be left alone for a while."""
        now = self._clock.now()
        with self._database.read() as session:
            lists = {row.device: row for row in session.scalars(select(TerminalList))}
            busy = set(
                session.scalars(select(TerminalPush.device).where(TerminalPush.state == PushState.SENT))
            )
            ordered = set(
                session.scalars(
                    select(DeleteOrder.device).where(DeleteOrder.state != OrderState.CONFIRMED).distinct()
                )
            )
            online = {
                row.device_id: row.since
                for row in session.scalars(select(DeviceStatus).where(DeviceStatus.online))
            }
            session.expunge_all()
        found = []
        for device_id in sorted(lists.keys() | ordered):
            device = self._directory.get(device_id)
            if device is None or not device.trusted or not keeping.keeps_lists(device):
                continue
            if device_id in busy or device_id not in online:
                continue
            if among is not None and device_id not in among:
                continue
            row = lists.get(device_id)
            if row is not None and _paused(row, online[device_id], now):
                continue
            found.append(_Terminal(device, Carries.UNDECIDED if row is None else Carries(row.carries)))
        return found

    def _turn(self, terminal: _Terminal, registers: dict[str, Register], *, compare_too: bool) -> int:
        """What one terminal is sent now; how many batches that was."""
        device = terminal.device
        try:
            if self._send_orders(device):
                return 1
            if not compare_too or terminal.carries == Carries.UNDECIDED:
                return 0
            return self._bring_up_to_date(terminal, registers)
        except IntegrityError:
            # Another process of this role was faster.
            log.info("list.taken_by_another", device=device.device_id)
            return 0

    def _send_orders(self, device: DeviceFacts) -> bool:
        now = self._clock.now()
        limit = ADAPTERS[device.adapter].delete_limit
        with self._database.read() as session:
            if not enrolments.pending(session, device.device_id, now, limit):
                return False
        with self._database.write() as session:
            keeping.row_of(session, device)
            orders = enrolments.pending(session, device.device_id, now, limit)
            if not orders:
                return False
            push = pushes.send_orders(session, device, orders, now)
            order = self._order(push, device, now, refs=[one.ref for one in orders])
        self._publish(device, order, len(orders))
        return True

    def _bring_up_to_date(self, terminal: _Terminal, registers: dict[str, Register]) -> int:
        device, now = terminal.device, self._clock.now()
        with self._database.read() as session:
            anew = keeping.approved_anew(session, device)
        if anew:
            with self._database.write() as session:
                keeping.resync(session, device, by="ringward", role="system", at=now)
        with self._database.read() as session:
            register = registers.get(device.compound)
            if register is None:
                register = registers[device.compound] = register_of(session, device.compound, now)
            wanted = self._wanted(session, terminal, register, now)
            known = known_of(session, device.device_id)
        changes = compare(wanted, known, now, fingerprint)
        self._note(device, wanted)
        limit = min(ADAPTERS[device.adapter].enrol_limit, MOST)
        batch = changes.put[:limit]
        left = len(changes.put) > limit or bool(changes.remove)
        (self._unfinished.add if left else self._unfinished.discard)(device.device_id)
        if changes.remove:
            self._order_out(terminal, changes.remove[:MOST], now)
            return int(self._send_orders(device))
        return int(bool(batch) and self._send_people(terminal, batch, now))

    def _order_out(self, terminal: _Terminal, known: Sequence[Known], now: dt.datetime) -> None:
        """Orders to forget whoever is still not wanted when it is looked at again."""
        holders = {one.holder for one in known}
        with self._database.write() as session:
            again = self._again(session, terminal, holders, now)
            for one in again.remove:
                row = session.scalars(
                    select(TerminalEnrolment).where(
                        TerminalEnrolment.device == terminal.device.device_id,
                        TerminalEnrolment.ref == one.ref,
                    )
                ).one()
                enrolments.order_deletion(session, row, cause="list", at=now)

    def _send_people(self, terminal: _Terminal, batch: Sequence[Put], now: dt.datetime) -> bool:
        device = terminal.device
        holders = {put.wanted.holder for put in batch}
        with self._database.write() as session:
            # A withdrawal waits for this transaction, or this one has waited for it.
            session.scalars(
                select(RegisteredPerson.id)
                .where(RegisteredPerson.id.in_(sorted(_ids(holders, "person"))))
                .order_by(RegisteredPerson.id)
                .with_for_update()
            ).all()
            puts = self._again(session, terminal, holders, now).put
            if not puts:
                return False
            push, rows = pushes.send_people(session, device, puts, now)
            people = [self._person(device, put.wanted, row, now) for put, row in zip(puts, rows, strict=True)]
            order = self._order(push, device, now, people=people)
        self._publish(device, order, len(puts))
        return True

    def _again(
        self, session: Session, terminal: _Terminal, holders: Collection[Holder], now: dt.datetime
    ) -> Changes:
        """The same comparison for a few, within the transaction that acts on it."""
        device = terminal.device
        people = _ids(holders, "person")
        register = register_of(session, device.compound, now, people)
        wanted = self._wanted(session, terminal, register, now, _ids(holders, "pass"))
        known = known_of(session, device.device_id, holders)
        return compare({h: w for h, w in wanted.items() if h in holders}, known, now, fingerprint)

    def _wanted(
        self,
        session: Session,
        terminal: _Terminal,
        register: Register,
        now: dt.datetime,
        passes: Collection[str] | None = None,
    ) -> dict[Holder, Wanted]:
        device = terminal.device
        return list_of(
            register,
            visitors_of(session, device.compound, device.zone, now, passes),
            zone_of(device),
            terminal.carries,
            now,
            fetches=self._terminal_url is not None,
        )

    def _person(
        self, device: DeviceFacts, wanted: Wanted, row: TerminalEnrolment, now: dt.datetime
    ) -> Person:
        url = None
        if wanted.picture is not None and self._terminal_url is not None:
            url = pictures.address(self._terminal_url, row, now)
        return Person(
            row.ref,
            wanted.label,
            url,
            wanted.card,
            _local(wanted.starts_at, device),
            _local(wanted.ends_at, device),
            wanted.uses,
        )

    def _order(
        self,
        push: TerminalPush,
        device: DeviceFacts,
        now: dt.datetime,
        *,
        people: Iterable[Person] = (),
        refs: Iterable[str] = (),
    ) -> Order:
        return Order(
            push.id,
            push.kind,
            device.name_on_wire,
            now.astimezone(device.time_zone),
            people=tuple(people),
            refs=tuple(refs),
            compound=device.compound,
            expires_at=push.answer_by,
        )

    def _publish(self, device: DeviceFacts, order: Order, people: int) -> None:
        """Sends what was written down; what certainly did not leave is as if it had not been."""
        try:
            messages = encoded(self._directory, device, order)
        except UnsupportedError as error:
            self._impossible(device, order, str(error))
            return
        for position, message in enumerate(messages):
            left = self._publisher.publish(message.topic, message.payload, message.qos)
            if not left and position == 0:
                log.warning("list.not_sent", device=device.device_id, push=order.id, code="broker_away")
                with self._database.write() as session:
                    pushes.not_sent(session, order.id, "broker_away", self._clock.now())
                return
        self._metrics.pushed.labels(order.kind).inc(people)
        log.info("list.pushed", device=device.device_id, push=order.id, kind=order.kind, people=people)

    def _impossible(self, device: DeviceFacts, order: Order, why: str) -> None:
        """What a vendor's format cannot say is refused person by person, so that it keeps no other out."""
        names = (*(person.ref for person in order.people), *order.refs)
        people = tuple((ref, False, "unsupported", why) for ref in names)
        result = CommandResult(order.id, ok=False, code="unsupported", text=why, people=people)
        with self._database.write() as session:
            pushes.settle(session, device.device_id, result, self._clock.now())

    def _note(self, device: DeviceFacts, wanted: Mapping[Holder, Wanted]) -> None:
        faces = sum(one.picture is not None for one in wanted.values())
        with self._database.read() as session:
            row = session.get_one(TerminalList, device.device_id)
            lack = None
            if row.carries == Carries.FACES and self._terminal_url is None:
                lack = Lack.NO_ADDRESS
            counted = row.counted_at is not None
            same = counted and (row.wanted, row.wanted_faces, row.lack) == (len(wanted), faces, lack)
        if same:
            return
        with self._database.write() as session:
            row = session.get_one(TerminalList, device.device_id)
            row.wanted, row.wanted_faces, row.lack = len(wanted), faces, lack
            row.counted_at = self._clock.now()

    def _count(self) -> None:
        with self._database.read() as session:
            failing = session.scalars(
                select(TerminalEnrolment.id).where(TerminalEnrolment.code.is_not(None))
            ).all()
            waiting = session.scalars(
                select(DeleteOrder.id).where(DeleteOrder.state != OrderState.CONFIRMED)
            ).all()
        self._metrics.failing.set(len(failing))
        self._metrics.waiting.set(len(waiting))


def _paused(row: TerminalList, online_since: dt.datetime, now: dt.datetime) -> bool:
    if row.next_at is None or now >= row.next_at:
        return False
    # A terminal that has come back since is another matter than one that does not answer.
    return row.paused_at is None or online_since <= row.paused_at


def _ids(holders: Iterable[Holder], kind: str) -> set[str]:
    return {holder.id for holder in holders if holder.kind == kind}


def _local(moment: dt.datetime | None, device: DeviceFacts) -> dt.datetime | None:
    return None if moment is None else moment.astimezone(device.time_zone)
