"""A compound with people on duty, an incident as the database has it, and who was told of what."""

import datetime as dt
import itertools

from sqlalchemy import select
from timeline import COMPOUND, START

from alerts import reactions, rounds
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents import actions, raising
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Incident
from alerts.notify.models import Notification, NotificationState
from alerts.rounds import Round
from alerts.routing import reaction
from alerts.routing import rounds as routing_rounds
from alerts.rules import Observation, Signal
from storage import Database

OPERATOR = Actor("op-1", "operator")
ROUND = Round("groups", dt.timedelta(seconds=0.5), routing_rounds.groups)
FAR = dt.timedelta(days=400)
_numbers = itertools.count()


def moment(offset: float) -> dt.datetime:
    return START + dt.timedelta(seconds=offset)


def signal(key: str, at: float, *, ring: str = "entrance", severity: int = 3, **more: object) -> Signal:
    number = next(_numbers)
    seen = Observation(
        id=f"o-{number}",
        event_id=f"e-{number}",
        sighting_id=None,
        type="face.unknown",
        at=moment(at),
        received_at=moment(at),
        device=str(more.pop("device", f"{ring}-camera")),
        zone=str(more.pop("zone", ring)),
        ring=ring,
        lane=None,
    )
    given = {
        "rule": "R-E01",
        "kind": "person.unknown_passed",
        "severity": severity,
        "dedupe_key": key,
        "dedupe_window": dt.timedelta(minutes=10),
        "anchor": seen,
        "evidence": (seen,),
        "reason": "unknown_passed",
    }
    return Signal(**(given | more))  # type: ignore[arg-type]


class House:
    """Acts at seconds after the start, and says who was told by then."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.failed: list[str] = []

    def man(self, *kinds: TeamKind, leads: bool = False, on_duty: bool = True, **more: object) -> None:
        """A team of each kind with one in it, whose id is the kind's name."""
        with self.database.write() as session:
            for kind in kinds:
                name = str(more.get("name", kind))
                team = str(more.get("team", f"team-{name}"))
                if session.get(Team, team) is None:
                    zones = list(more.get("zones", []))  # type: ignore[call-overload]
                    session.add(Team(id=team, compound=COMPOUND, name=name, kind=kind, zones=zones))
                    session.flush()
                session.add(Responder(id=name, team=team, name="甲", leads=leads))
                session.flush()
                if on_duty:
                    span = {"starts_at": START - FAR, "ends_at": START + FAR}
                    on_call = bool(more.get("on_call", False))
                    session.add(Shift(id=f"shift-{name}", responder=name, on_call=on_call, **span))

    def off(self, responder: str, at: float) -> None:
        with self.database.write() as session:
            session.get_one(Shift, f"shift-{responder}").ends_at = moment(at)

    def raises(self, key: str, at: float = 0, **what: object) -> Incident:
        hold, drill = what.pop("hold", None), bool(what.pop("drill", False))
        heard = signal(key, at, **what)  # type: ignore[arg-type]
        with self.database.write() as session:
            made = raising.apply_all(
                session,
                COMPOUND,
                [heard],
                moment(at),
                hold=None if hold is None else lambda *_: str(hold),
                drill=drill,
            )
            incident = made[-1].incident
            session.flush()
            session.expunge(incident)
        self.turn(at)
        return incident

    def step(self, incident: Incident, to: State, at: float, by: Actor = OPERATOR, **how: object) -> None:
        reason = how.get("reason")
        if to is State.FALSE_ALARM:
            reason = reason or FalseAlarmReason.ANIMAL
        with self.database.write() as session:
            actions.take_step(session, incident.id, Step(to, reason), by, moment(at))  # type: ignore[arg-type]
        self.turn(at)

    def turn(self, at: float) -> None:
        """What follows follows, and rounds have their turn."""
        now = moment(at)
        while reactions.react(self.database, [("routing", reaction.follow)], lambda: now, self.failed.append):
            pass
        rounds.keep(self.database, [ROUND], lambda: now, self.failed.append)
        assert self.failed == []

    def told(self, incident: Incident | None = None) -> list[str]:
        """Who was told, in the order of being told; channels by their ids."""
        return [row.responder or row.channel or "" for row in self.notices(incident)]

    def notices(self, incident: Incident | None = None) -> list[Notification]:
        query = select(Notification).order_by(Notification.asked_at, Notification.key)
        if incident is not None:
            query = query.where(Notification.incident == incident.id)
        with self.database.read() as session:
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows

    def waiting(self, incident: Incident | None = None) -> list[str]:
        """Whose notices are still to be sent."""
        pending = NotificationState.PENDING
        return [row.responder or row.channel or "" for row in self.notices(incident) if row.state == pending]
