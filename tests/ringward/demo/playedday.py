"""The played day as the real joining, all rules and the fold of incidents judge it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from alerts import calendar, knowing
from alerts.incidents.folding import Fold
from alerts.rehearsal.why import Scene
from alerts.rulebook import current
from alerts.rules import RULES, Engine, Observation
from alerts.rules.engine import HORIZON
from bus.messages import EventStored, Sighting
from devices.adapters.native import decode_event
from devices.models import Device
from registry.models import Vehicle, Zone
from ringward.demo import cast
from ringward.demo.day import DAY_S, ComeBack, Cue, FallSilent, Say, ShowFace, ShowPlate
from ringward.demo.portraits import RESIDENT_A, STRANGER

COMPOUND = "honghua"
FACES = {RESIDENT_A: cast.RESIDENT_A, "resident-b": cast.RESIDENT_B}


def second(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


@dataclass(frozen=True)
class Told:
    """Something that became of an incident, `at_s` seconds after the day began."""

    at_s: float
    change: str
    rule: str
    severity: int
    ring: str
    rules: tuple[str, ...]


class PlayedDay:
    """Cues as the messages that ingest and recognition make of them, and what the rules say."""

    def __init__(self, home, starts_after_s: float = 15.0) -> None:
        self._home = home
        # The compound was made a moment before its day begins.
        self.begins = home.clock.now() + second(starts_after_s)
        self._devices = {device.id: device for device in home.rows(Device)}
        self._rings = {zone.id: str(zone.ring) for zone in home.rows(Zone)}
        self._vehicles = {vehicle.plate: vehicle for vehicle in home.rows(Vehicle)}

    def judge(self, rounds: Sequence[Iterable[Cue]], *, by_calendar: bool = True) -> list[Told]:
        """What is told of rounds that are played one after the other, and of two minutes beyond."""
        past = self.past(rounds, by_calendar=by_calendar)
        return self._run(Engine(RULES, past.book, past.site), past.observations, past.until)

    def past(self, rounds: Sequence[Iterable[Cue]], *, by_calendar: bool = True) -> Scene:
        """All that rules see of it."""
        messages = [
            self._message(cue, f"{number:02}-{step:04}", self.begins + second(number * DAY_S))
            for number, cues in enumerate(rounds)
            for step, cue in enumerate(cues)
        ]
        end = self.begins + second(len(rounds) * DAY_S + 120)
        with self._home.database.read() as session:
            told = knowing.observe(session, COMPOUND, messages)
            if by_calendar:
                told += self._of_calendar(session, end)
            return Scene(
                RULES,
                tuple(sorted(told, key=lambda seen: (seen.received_at, seen.id))),
                knowing.site(session, COMPOUND, self.begins - HORIZON),
                current.of(session, COMPOUND, self.begins),
                end,
            )

    def _of_calendar(self, session: Session, end: dt.datetime) -> list[Observation]:
        plans = current.current(session, COMPOUND, self.begins)
        return calendar.between(session, COMPOUND, self.begins - HORIZON, end, plans)

    def _run(self, engine: Engine, told: Sequence[Observation], end: dt.datetime) -> list[Told]:
        fold, found = Fold(), []

        def note(said: list, now: dt.datetime) -> None:
            found.extend(
                Told(
                    (now - self.begins).total_seconds(),
                    change,
                    case.rule,
                    case.severity,
                    case.first.anchor.ring,
                    tuple(sorted({signal.rule for signal in case.signals})),
                )
                for change, case in fold.take(said, now)
            )

        def until(moment: dt.datetime) -> None:
            while engine.next_due is not None and engine.next_due <= moment:
                due = engine.next_due
                note(engine.advance(due), due)

        for seen in told:
            until(seen.received_at)
            note(engine.feed(seen), seen.received_at)
        until(end)
        assert not engine.faults
        return found

    def _message(self, cue: Cue, number: str, begins: dt.datetime) -> EventStored | Sighting:
        at, action = begins + second(cue.at_s), cue.step.action
        match action:
            case Say(event, late_s):
                return self._event(
                    cue, number, at, event.encode(number, at - second(late_s), late=late_s > 0)
                )
            case ShowFace(role, direction):
                known = None if role == STRANGER else FACES[role]
                outcome = "unknown" if known is None else "identified"
                return self._sighting(
                    cue, number, at, direction, "face", outcome, person_id=known, score=0.41
                )
            case ShowPlate(plate, direction):
                vehicle = self._vehicles.get(plate)
                outcome = "unknown" if vehicle is None else "identified"
                return self._sighting(
                    cue,
                    number,
                    at,
                    direction,
                    "plate",
                    # Near a registered plate is uncertain, which is a guard's business and no rule's.
                    "uncertain" if plate == cast.PLATE_COURIER else outcome,
                    plate=plate,
                    vehicle_id=None if vehicle is None else vehicle.id,
                    household_id=None if vehicle is None else vehicle.household,
                    score=0.97,
                )
            case FallSilent():
                return self._presence(cue, number, at, "device.offline", {"cause": "last_will"})
            case ComeBack():
                return self._presence(cue, number, at, "device.online", {})
        raise AssertionError(action)

    def _place(self, cue: Cue) -> dict:
        device = self._devices[cue.step.device]
        return {
            "compound": COMPOUND,
            "device_id": device.id,
            "zone": device.zone,
            "ring": self._rings[device.zone],
            "lane": device.lane,
        }

    def _event(self, cue: Cue, number: str, at: dt.datetime, payload: bytes) -> EventStored:
        read = decode_event(payload)
        assert read.marks == ()
        assert read.device_time is not None
        return EventStored(
            id=number,
            type=read.type,
            device_time=read.device_time,
            at=read.device_time,
            received_at=at,
            direction=read.direction or self._devices[cue.step.device].direction,
            late=read.late,
            credential=read.credential,
            plate=read.plate,
            attributes=read.attributes,
            **self._place(cue),
        )

    def _presence(self, cue: Cue, number: str, at: dt.datetime, kind: str, attributes: dict) -> EventStored:
        return EventStored(
            id=number,
            type=kind,
            device_time=at,
            at=at,
            received_at=at,
            direction=self._devices[cue.step.device].direction,
            attributes=attributes,
            **self._place(cue),
        )

    def _sighting(
        self, cue: Cue, number: str, at: dt.datetime, direction: str, kind: str, outcome: str, **more
    ) -> Sighting:
        return Sighting(
            id=number,
            event_id=f"event-{number}",
            subject_kind=kind,
            outcome=outcome,
            at=at,
            received_at=at + second(0.4),
            direction=direction,
            **more,
            **self._place(cue),
        )
