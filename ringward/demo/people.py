"""The evening's people, played: an operator, volunteers who hear nothing, the emergency team that goes.

They play one incident, the one that is critical in the evening, and only as long as nobody real has taken
it up: whoever signs in as an operator and acknowledges it has it for themselves. What they do they do as
anybody would, by the same services, and by the real timers: the volunteers do not answer, so that the
escalation reaches the second team.
"""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import actions as dispatching
from alerts.dispatch.models import Dispatch, DispatchState
from alerts.handover import rules as handing
from alerts.handover import writing as handovers
from alerts.handover.models import Handover
from alerts.incidents import linking
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State, Step
from alerts.incidents.models import Incident, Transition
from alerts.review import writing as reviews
from alerts.review.measures import MeasureDraft, NeedDraft
from alerts.review.rules import AlertVerdict, Cause, Draft
from ringward.demo import duty, plan
from ringward.demo.plan import COMPOUND, PREFIX
from storage import Clock, Database

log = structlog.get_logger("demo")

OPERATOR: Final = Actor(f"{PREFIX}-operator-2", "operator")
SUPERVISOR: Final = Actor(f"{PREFIX}-operator-3", "operator")
NEXT_OPERATOR: Final = Actor(f"{PREFIX}-operator-1", "operator")
FIRST: Final = (f"{PREFIX}-police-2", f"{PREFIX}-police-1")
"""The volunteers who are nearest, and whose phones lie in another room."""

SECOND: Final = tuple(member.id for member in duty.TEAMS[f"{PREFIX}-team-rain"][2])

_LOOK_S: Final = 0.5
_OURS: Final = frozenset(
    {"system", OPERATOR.id, SUPERVISOR.id, *(m.id for _, _, members in duty.TEAMS.values() for m in members)}
)


def _s(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


# How long each thinks before the next step, as people do.
PAUSE: Final[Mapping[State, dt.timedelta]] = {
    State.RAISED: _s(6),
    State.ACKNOWLEDGED: _s(5),
    State.CONFIRMED: _s(5),
    State.DISPATCHED: _s(8),
    State.ACCEPTED: _s(8),
    State.EN_ROUTE: _s(25),
    State.ARRIVED: _s(20),
    State.RESOLVED: _s(15),
    State.REVIEWED: _s(5),
}


class DemoPeople:
    """Looks twice a second whether somebody has something to do. Without `start` nobody does anything."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._began = clock.now()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo people", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                self.look()
            except Exception:
                # Somebody real was faster, or the database is away: the next look sees how it stands.
                log.exception("demo.people_failed")

    def look(self) -> str | None:
        """Takes the next step if it is time for one; returns what was done."""
        now = self._clock.now()
        with self._database.read() as session:
            evening = self._evening(session)
            if evening is None or not self._is_time(session, evening, now):
                return None
            name = evening.id
        with self._database.write() as session:
            done = self._act(session, session.get_one(Incident, name), now)
        if done is not None:
            log.info("demo.people", step=done)
            self._wake()
        return done

    def _evening(self, session: Session) -> Incident | None:
        """The critical one, while those who took steps in it are all played."""
        found = session.scalars(
            select(Incident)
            .where(
                Incident.compound == COMPOUND,
                Incident.severity == 1,
                Incident.raised_at >= self._began,
                Incident.drill.is_(False),
                Incident.care.is_(False),
                Incident.state.in_([*PAUSE]),
            )
            .order_by(Incident.raised_at)
            .limit(1)
        ).one_or_none()
        if found is None:
            return None
        actors = set(session.scalars(select(Transition.actor).where(Transition.incident == found.id)))
        return found if actors <= _OURS else None

    def _is_time(self, session: Session, incident: Incident, now: dt.datetime) -> bool:
        state = State(incident.state)
        if state is State.DISPATCHED:
            return _offered(session, incident, now) is not None
        last = session.scalar(
            select(Transition.at)
            .where(Transition.incident == incident.id, Transition.reason.not_like("timeout%"))
            .order_by(Transition.version.desc())
            .limit(1)
        )
        began = session.scalar(
            select(Transition.at)
            .where(Transition.incident == incident.id, Transition.to_state == state)
            .order_by(Transition.version)
            .limit(1)
        )
        since = max((one for one in (last, began) if one is not None), default=incident.raised_at)
        return now - since >= PAUSE[state]

    def _act(self, session: Session, incident: Incident, now: dt.datetime) -> str | None:
        match State(incident.state):
            case State.RAISED:
                take_step(session, incident.id, Step(State.ACKNOWLEDGED), OPERATOR, now)
            case State.ACKNOWLEDGED if incident.probable:
                linking.right(session, COMPOUND, incident.id, OPERATOR, now)
                return "link"
            case State.ACKNOWLEDGED:
                take_step(session, incident.id, Step(State.CONFIRMED), OPERATOR, now)
            case State.CONFIRMED:
                dispatching.send(session, incident.id, FIRST, OPERATOR, now)
            case State.DISPATCHED:
                offer = _offered(session, incident, now)
                if offer is None:
                    return None
                dispatching.accept(session, offer.id, offer.responder, now)
            case State.ACCEPTED:
                lead = _leader(session, incident)
                dispatching.depart(session, lead.id, lead.responder, now)
            case State.EN_ROUTE:
                lead = _leader(session, incident)
                dispatching.arrive(session, lead.id, lead.responder, now)
            case State.ARRIVED:
                lead = _leader(session, incident)
                dispatching.resolve(session, lead.id, lead.responder, now, "门已复位,人员已离开,无人受伤")
            case State.RESOLVED:
                _review(session, incident, now)
            case State.REVIEWED:
                return _hand_over(session, now)
        return str(incident.state)


def _offered(session: Session, incident: Incident, now: dt.datetime) -> Dispatch | None:
    """An offer to the second team that has been on a phone for long enough to be read."""
    rows = session.scalars(
        select(Dispatch).where(
            Dispatch.incident == incident.id,
            Dispatch.state == DispatchState.OFFERED,
            Dispatch.responder.in_(SECOND),
            Dispatch.offered_at <= now - PAUSE[State.DISPATCHED],
        )
    )
    return min(rows, key=lambda row: row.responder, default=None)


def _leader(session: Session, incident: Incident) -> Dispatch:
    return session.scalars(select(Dispatch).where(Dispatch.lead_of == incident.id)).one()


def _review(session: Session, incident: Incident, now: dt.datetime) -> None:
    draft = Draft(
        score=4,
        cause=Cause.LIGHTING,
        alert=AlertVerdict.RIGHT,
        lesson="车棚一侧没有灯,摄像机看不清人;第一组义警手机静音。",
        measure=True,
    )
    lamp = MeasureDraft(
        what="车棚加装一盏灯",
        due_at=now + dt.timedelta(days=14),
        team=f"{PREFIX}-team-property",
        need=NeedDraft("车棚夜间照明不足", plan.BIKE_SHED),
    )
    reviews.review(
        session,
        COMPOUND,
        incident.id,
        draft,
        SUPERVISOR,
        now,
        responder=SUPERVISOR.id,
        measure=lamp,
    )


def _hand_over(session: Session, now: dt.datetime) -> str | None:
    """The evening shift hands over to the night: made once, signed by both."""
    if session.scalar(select(Handover.id).where(Handover.compound == COMPOUND).limit(1)) is not None:
        return None
    made = handovers.make(session, COMPOUND, OPERATOR, now)
    if made is None:
        return None
    handovers.sign(session, COMPOUND, made.id, handing.Side.OUTGOING, OPERATOR, now, responder=OPERATOR.id)
    handovers.sign(
        session, COMPOUND, made.id, handing.Side.INCOMING, NEXT_OPERATOR, now, responder=NEXT_OPERATOR.id
    )
    return "handed_over"
