"""Stories on a virtual clock: this happens, by then that incident stands, and nothing else.

    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        expect(+11, raised("R-E01", severity=4)),
    )

Seconds count from the beginning of the story. What is said, when it is said and how often
must be exactly what was expected, also in the minute and a half after the last step.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from sqlalchemy import Select, select

from alerts.desk import AlertDesk, DeskMetrics
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Evidence, Incident
from alerts.mutes import RuleMute
from bus.messages import CredentialUse, EventStored, IncidentChanged, Message, Sighting, decode
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.models import Compound, Ring, Zone
from storage import Database, new_id
from storage.events import OutboxRow

COMPOUND = "willow"
START = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)  # 10:00 in Shanghai
OPERATOR = Actor("operator-1", "operator")

# Each lane is a zone of its own here.
RINGS = {
    "gate": "entrance",
    "side-gate": "entrance",
    "drive": "entrance",
    "square": "common",
    "hall": "building",
}

_TICK_S = 0.5
# Longer than any rule waits: whatever is still to be said is said by then.
_AFTERWARDS_S = 90


class VirtualClock:
    def __init__(self, moment: dt.datetime = START) -> None:
        self.moment = moment

    def now(self) -> dt.datetime:
        return self.moment


# ── what happens ──────────────────────────────────────────────────────────────

# Given the moment it happened and the moment it came in, whether late: the message.
Report = Callable[[dt.datetime, dt.datetime, bool], Message]


def event(
    kind: str,
    lane: str,
    *,
    device: str | None = None,
    direction: str | None = None,
    cause: str | None = None,
    credential: CredentialUse | None = None,
) -> Report:
    def report(moment: dt.datetime, received: dt.datetime, late: bool) -> Message:
        return EventStored(
            id=new_id(),
            compound=COMPOUND,
            device_id=device or f"{lane}-{kind.partition('.')[0]}",
            type=kind,
            ring=RINGS[lane],
            zone=lane,
            device_time=moment,
            at=moment,
            received_at=received,
            lane=lane,
            direction=direction,
            late=late,
            credential=credential,
            attributes={} if cause is None else {"cause": cause},
        )

    return report


def sighting(subject_kind: str, outcome: str, lane: str, direction: str | None, **found: object) -> Report:
    def report(moment: dt.datetime, received: dt.datetime, late: bool) -> Message:
        return Sighting(
            id=new_id(),
            event_id=new_id(),
            compound=COMPOUND,
            device_id=f"{lane}-camera",
            subject_kind=subject_kind,
            outcome=outcome,
            ring=RINGS[lane],
            zone=lane,
            at=moment,
            received_at=received,
            lane=lane,
            direction=direction,
            late=late,
            **found,
        )

    return report


def face_unknown(lane: str = "gate", direction: str | None = "in") -> Report:
    return sighting("face", "unknown", lane, direction, score=0.71)


def face_uncertain(lane: str = "gate", **found: object) -> Report:
    return sighting("face", "uncertain", lane, "in", **found)


def face_of(person: str, lane: str = "gate") -> Report:
    return sighting("face", "identified", lane, "in", person_id=person, score=0.31)


def plate_unknown(plate: str, lane: str = "drive", direction: str = "in") -> Report:
    return sighting("plate", "unknown", lane, direction, plate=plate, score=0.97)


def plate_of(vehicle: str, plate: str, lane: str = "drive") -> Report:
    return sighting("plate", "identified", lane, "in", plate=plate, vehicle_id=vehicle, score=0.97)


def plate_uncertain(plate: str, lane: str = "drive") -> Report:
    return sighting("plate", "uncertain", lane, "in", plate=plate, score=0.6)


def door_opened(lane: str = "gate", cause: str | None = None) -> Report:
    return event("door.opened", lane, cause=cause)


def door_forced(lane: str = "hall") -> Report:
    return event("door.forced", lane)


def crossing(lane: str = "gate", direction: str = "in") -> Report:
    return event("video.line_crossing", lane, direction=direction)


def card(lane: str = "gate", ref: str | None = None) -> Report:
    return event("access.granted", lane, direction="in", credential=CredentialUse("card", ref))


def card_refused(lane: str = "gate", ref: str | None = None) -> Report:
    return event("access.denied", lane, direction="in", credential=CredentialUse("card", ref))


def visitor_checked_in(lane: str) -> Report:
    return event("visitor.checked_in", lane)


def visitor_registered(lane: str) -> Report:
    return event("visitor.registered", lane)


def barrier_opened(lane: str = "drive", cause: str | None = None) -> Report:
    return event("barrier.opened", lane, cause=cause)


def offline(device: str = "gate-camera", lane: str = "gate", cause: str = "silence") -> Report:
    return event("device.offline", lane, device=device, cause=cause)


def online(device: str = "gate-camera", lane: str = "gate") -> Report:
    return event("device.online", lane, device=device, cause="heartbeat")


# ── what is expected ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A change of an incident as the console hears of it."""

    at: float
    change: str
    rule: str
    severity: int


def raised(rule: str, *, severity: int) -> tuple[str, str, int]:
    return ("raised", rule, severity)


def amended(rule: str, *, severity: int) -> tuple[str, str, int]:
    return ("amended", rule, severity)


def cleared(rule: str, *, severity: int) -> tuple[str, str, int]:
    return ("cleared", rule, severity)


# ── steps of a story ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Happens:
    at: float
    report: Report
    late: bool
    # When it comes in; more than once where a message is delivered again.
    arrives: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    at: float
    step: Step


@dataclass(frozen=True, slots=True)
class Down:
    at: float
    until: float


def at(
    seconds: float,
    report: Report,
    *,
    late: bool = False,
    arrives: float | None = None,
    again: float | None = None,
) -> Happens:
    """`report` happens at `seconds`, comes in when it `arrives` (at once) and maybe `again`."""
    first = seconds if arrives is None else arrives
    return Happens(seconds, report, late, (first,) if again is None else (first, again))


def operator(seconds: float, step: Step) -> Steps:
    """The operator takes a step with the newest incident."""
    return Steps(seconds, step)


def down(seconds: float, *, until: float) -> Down:
    """The alert process is dead from `seconds` until `until`; devices go on reporting."""
    return Down(seconds, until)


def expect(seconds: float, change: tuple[str, str, int]) -> Said:
    return Said(float(seconds), *change)


@dataclass
class World:
    """A compound with its rules, its database and a clock that only the story moves."""

    database: Database
    clock: VirtualClock = field(default_factory=VirtualClock)
    commits: int = 0
    # The rules that a story is about; all run, the others are not listened to. None: all.
    about: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self._journal: list[Message] = []
        self._read_up_to = 0
        self.registry = CollectorRegistry()
        self.desk: AlertDesk | None = self.new_desk()

    def new_desk(self) -> AlertDesk:
        def committed() -> None:
            self.commits += 1

        self.registry = CollectorRegistry()
        return AlertDesk(self.database, self.clock, DeskMetrics(self.registry), committed)

    def add(self, *rows: object) -> None:
        with self.database.write() as session:
            for row in rows:
                session.add(row)
                session.flush()

    def mute(self, rule: str, *, place: str | None = None, start: float = -3600, end: float = 3600) -> None:
        """Silences a rule as an installer does; takes effect when the desk reads its mutes."""
        self.add(
            RuleMute(
                id=new_id(),
                compound=COMPOUND,
                rule=rule,
                place=place,
                starts_at=START + dt.timedelta(seconds=start),
                ends_at=START + dt.timedelta(seconds=end),
                author="installer-1",
                reason="new lock",
            )
        )
        assert self.desk is not None
        self.desk.refresh()

    def devices(self, ring: str, *, online: int, offline: int, lane: str = "square") -> None:
        """Registers a ring's devices in the condition they are in."""
        for number in range(online + offline):
            name = f"{ring}-{number}"
            kind = DeviceKind.SCENE_CAMERA
            self.add(
                Device(
                    id=name,
                    compound=COMPOUND,
                    zone=lane,
                    kind=kind,
                    name=name,
                    secret_hash="",
                    stage=Stage.APPROVED,
                ),
                DeviceStatus(device_id=name, online=number < online, since=START, last_seen=START),
            )

    def replay(self, compound: str, since: dt.datetime) -> Sequence[Message]:
        """What the log holds, as the desk reads it after a restart."""
        kept = [message for message in self._journal if message.compound == compound and message.at >= since]
        return sorted(kept, key=lambda message: (message.at, message.id))

    def play(self, *steps: Happens | Steps | Down | Said, begins: dt.datetime = START) -> None:
        """Plays a story and compares what was said with what was expected."""
        wanted = sorted(step for step in steps if isinstance(step, Said))
        said = sorted(self._run([step for step in steps if not isinstance(step, Said)], wanted, begins))
        assert said == wanted, f"\nsaid:     {said}\nexpected: {wanted}"

    def incidents(self) -> list[Incident]:
        found = self._all(select(Incident).order_by(Incident.raised_at, Incident.id))
        return [one for one in found if self.about is None or one.rule in self.about]

    def incident(self) -> Incident:
        (only,) = self.incidents()
        return only

    def evidence(self) -> list[Evidence]:
        return self._all(select(Evidence).order_by(Evidence.at))

    def _all(self, query: Select) -> list:
        with self.database.read() as session:
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows

    def _run(
        self, steps: Sequence[Happens | Steps | Down], wanted: Sequence[Said], begins: dt.datetime
    ) -> list[Said]:
        def when(seconds: float) -> dt.datetime:
            return begins + dt.timedelta(seconds=seconds)

        deliveries: list[tuple[float, Message]] = []
        for step in steps:
            if isinstance(step, Happens):
                message = step.report(when(step.at), when(step.arrives[0]), step.late)
                deliveries += [(moment, message) for moment in step.arrives]
        deliveries.sort(key=lambda delivery: delivery[0])
        taken = [step for step in steps if isinstance(step, Steps)]
        outages = [step for step in steps if isinstance(step, Down)]
        marks = {moment for moment, _ in deliveries} | {one.at for one in (*taken, *wanted)}
        marks |= {one.at for one in outages} | {one.until for one in outages}
        ticks = {mark + number * _TICK_S for mark in marks for number in range(int(_AFTERWARDS_S / _TICK_S))}
        waiting: list[Message] = []
        said: list[Said] = []
        for moment in sorted(marks | ticks):
            self.clock.moment = when(moment)
            arriving = [message for arrives, message in deliveries if arrives == moment]
            # The log has what the bus still carries.
            self._journal += arriving
            waiting += arriving
            if any(outage.at == moment for outage in outages):
                self.desk = None
            if any(outage.until == moment for outage in outages):
                self.desk = self.new_desk()
                self.desk.restore(self.replay)
            if self.desk is not None:
                for message in waiting:
                    self.desk.handle(message)
                waiting.clear()
                self.desk.tick()
            said += [Said(moment, *change) for change in self._news()]
            for step in taken:
                if step.at == moment:
                    self._take(step.step)
                    self._news()
        return said

    def _take(self, step: Step) -> None:
        newest = self.incidents()[-1]
        with self.database.write() as session:
            take_step(session, newest.id, step, OPERATOR, self.clock.now())

    def _news(self) -> list[tuple[str, str, int]]:
        news: list[tuple[str, str, int]] = []
        with self.database.read() as session:
            for row in session.scalars(
                select(OutboxRow).where(OutboxRow.seq > self._read_up_to).order_by(OutboxRow.seq)
            ):
                self._read_up_to = row.seq
                message = decode(row.payload)
                if not isinstance(message, IncidentChanged):
                    continue
                rule = session.get_one(Incident, message.id).rule
                if self.about is not None and rule not in self.about:
                    continue
                if message.version == 1:
                    change = "raised"
                else:
                    change = "cleared" if message.state == State.AUTO_CLEARED else "amended"
                news.append((change, rule, message.severity))
        return news


def found(database: Database, time_zone: str = "Asia/Shanghai") -> None:
    """Founds the compound: one zone a lane."""
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="柳荫小区", time_zone=time_zone))
        session.flush()
        for zone, ring in RINGS.items():
            session.add(
                Zone(id=zone, compound=COMPOUND, name=zone, ring=Ring(ring), kind=ring, outline=[[0, 0]])
            )
