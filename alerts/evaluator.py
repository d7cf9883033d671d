"""One compound's rules at work: what they are told, when time passes for them, and what is written.

The engine lives in memory. What it says is written before anybody hears that a message was
handled, in one commit with how far that was. A commit that fails is tried again with the next one,
so a failure delays an alarm and never swallows it.
"""

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from alerts import calendar, knowing
from alerts.deskmetrics import DeskMetrics
from alerts.glance import Due, Signs
from alerts.leases import Come, Lease, LeaseLostError
from alerts.oddities import marked, oddities
from alerts.routing.current import in_force
from alerts.routing.tree import Tree
from alerts.rules import RULES, Engine, Observation, Said
from alerts.rules.engine import HORIZON
from alerts.situation import Situation
from alerts.writing import Writing
from bus import deadletters
from bus.messages import EventStored, Message, Sighting, encode
from storage import Clock, Database

log = structlog.get_logger(__name__)

PATIENCE: Final = dt.timedelta(seconds=10)
"""How long the compound's clock waits for a bus that says nothing while something may wait behind it."""

# By how much the calendar may lie behind what else a holder has answered: a turn, and one that takes long.
_CALENDAR_LAG: Final = calendar.SETTLED + 3 * calendar.STEP
_CHUNK: Final = 1000
_TRIES: Final = 3


@dataclass(frozen=True)
class Ground:
    """What the evaluators of a process share. `on_commit` hears that something waits in the outbox."""

    database: Database
    clock: Clock
    metrics: DeskMetrics
    on_commit: Callable[[], None]
    routes: Callable[[], Tree] = in_force


class Evaluator:
    """Feeds one compound's engine and writes what it says. Safe to call from several threads.

    With a lease it writes only while the lease is its own, and raises `LeaseLostError` otherwise;
    without one it is the only evaluator there is.
    """

    def __init__(self, compound: str, ground: Ground, lease: Lease | None = None) -> None:
        self.compound = compound
        self._ground = ground
        self._lease = lease
        self._lock = threading.Lock()
        self._engine = Engine(RULES)
        self._situation = Situation(compound, ground.database, ground.clock.now())
        self._writing = Writing(compound, ground, lease)
        self._unwritten: list[Said] = []
        # Observations of which more became known: what stands on them is told.
        self._amended: list[Observation] = []
        self._come = lease.come if lease is not None else Come()
        # How far is written, which is how far another one may go on from.
        self.come = self._come
        self._calendar_to: dt.datetime | None = None
        # Whether that is further back than it should be: it could not be looked up.
        self._calendar_stands = False
        # Whether time may pass: with a lease, what was has to be known first.
        self._has_recalled = lease is None
        # When the newest handled message was received, while others wait behind it.
        self._behind: dt.datetime | None = None
        self._heard_at = ground.clock.now()
        self._told_odd: set[tuple[str, str]] = set()
        self.refresh()

    # ── before the first message ──────────────────────────────────────────────

    def recall(self, stored: Iterable[Observation], waiting: Collection[str] = ()) -> int:
        """Rebuilds what the engine knew from what is stored; returns how many observations that took.

        `waiting` are the ids of messages that nobody has handled: they come by the bus, and what
        is to be said of them is said then. All others were handled under the rules of their time:
        what those said is written, what these would say instead is not said.
        """
        with self._lock:
            now = self._ground.clock.now()
            told = [seen for seen in stored if (seen.sighting_id or seen.event_id) not in waiting]
            taken = len(told)
            until = self._come.advanced_to
            if until is None and self._lease is not None:
                # Whoever was before did not say how far it had come: as far as what it handled.
                until = max((seen.received_at for seen in told), default=now)
            reached = until or now
            # The last of the calendar may be untold: it comes with the next turns, and once.
            turned = reached - _CALENDAR_LAG if self._lease is not None else reached
            told += self._due_of_calendar(now - HORIZON, turned)
            told.sort(key=lambda seen: (seen.received_at, seen.at, seen.id))
            self._engine.quiet_until = until
            for seen in told:
                self._unwritten += self._engine.advance(min(seen.received_at, reached))
                self._feed(seen)
            self._unwritten += self._engine.advance(reached)
            self._engine.quiet_until = None
            self._calendar_to = turned
            # What it said in silence was counted when it was said.
            self._engine.muted.clear()
            for key, at in self._situation.ended_since(now - HORIZON).items():
                self._engine.settle(key, at)
            self._come = replace(self._come, advanced_to=until)
            if self._lease is not None:
                self._behind = reached
            self._heard_at = now
            self._write()
            self._has_recalled = True
            return taken

    def recall_nights(self, stored: Iterable[Observation]) -> None:
        """Tells the engine of nights before those that it remembers: who was in which building."""
        for seen in stored:
            if seen.ring != "building" or seen.late:
                continue
            local = seen.at.astimezone(self._situation.book.time_zone)
            evening = (local - dt.timedelta(hours=12)).date()
            with self._lock:
                for subject in seen.subjects:
                    self._engine.view.note_night(subject, seen.zone, evening)

    def observed(self, messages: Sequence[Message]) -> list[Observation]:
        """What rules see of messages."""
        told = [message for message in messages if isinstance(message, EventStored | Sighting)]
        return [
            seen
            for start in range(0, len(told), _CHUNK)
            for seen in self._observed(told[start : start + _CHUNK])
        ]

    # ── while it runs ─────────────────────────────────────────────────────────

    def take(
        self,
        messages: Sequence[Message],
        *,
        position: int | None = None,
        stream: str | None = None,
        is_end: bool = True,
    ) -> None:
        """Takes messages in the order of the bus. When it returns, what the rules say of them is committed.

        `position` is that of the last one in the stream; `is_end` says that nothing waits behind it.
        """
        with self._lock:
            now = self._heard_at = self._ground.clock.now()
            told = self._recent(messages, now)
            for seen in self._observed(told):
                self._feed(marked(seen, self._note_oddities(seen)))
                if seen.amends:
                    self._amended.append(seen)
            if told:
                self._behind = max(message.received_at for message in told)
            if is_end:
                self._behind = None
            if position is not None:
                self._come = replace(self._come, position=position, stream=stream)
            if self._come.advanced_to is not None:
                # What is due already is answered before the message counts as handled.
                reached = max(self._come.advanced_to, self._reach(now))
                self._unwritten += self._engine.advance(reached)
                self._note_reached(reached)
            self._write()

    def tick(self, glance: Due | None = None) -> None:
        """Lets time pass: what is due by the clock and by the register is told, what is asked is answered.

        Not before it has recalled: how far the last holder had come must still be known then.
        A `glance` at all compounds spares it its own look where there is nothing for this one.
        """
        if not self._has_recalled:
            return
        upto = self._reach(self._ground.clock.now())
        # Looked up before the turn is taken: a message that comes meanwhile need not wait for it.
        due = self._next_of_calendar(upto, glance)
        with self._lock:
            for seen in due:
                self._feed(seen)
            reached = self._reach(self._ground.clock.now())
            if self._come.advanced_to is not None and reached < self._come.advanced_to:
                return
            self._unwritten += self._engine.advance(reached)
            self._note_reached(reached)
            self._write()

    @property
    def calendar_from(self) -> dt.datetime | None:
        """From when on its next turn asks the register; None where no turn is due."""
        if not self._has_recalled or self._calendar_to is None:
            return None
        upto = self._reach(self._ground.clock.now()) - calendar.SETTLED
        return self._calendar_to if upto - self._calendar_to >= calendar.STEP else None

    @property
    def ended_to(self) -> dt.datetime | None:
        """Up to when it knows which incidents were ended."""
        return self._situation.ended_to

    def refresh(self, signs: Signs | None = None) -> None:
        """Reads again what people may have changed: rules, mutes, the plan, incidents they have ended.

        By `signs` of all compounds it sees where there is nothing to be read.
        """
        now = self._ground.clock.now()
        situation = self._situation
        situation.read(now, signs)
        ended = situation.newly_ended(now, signs)
        with self._lock:
            if situation.book is not self._engine.book:
                self._engine.set_book(situation.book)
            self._engine.set_mutes(situation.mutes)
            if situation.site is not self._engine.view.site:
                self._engine.set_site(situation.site)
            for key, at in ended.items():
                self._engine.settle(key, at)

    @property
    def lease(self) -> Lease | None:
        """What it writes under."""
        return self._lease

    @property
    def time_zone(self) -> dt.tzinfo:
        """The compound's own."""
        return self._situation.book.time_zone

    @property
    def behind_s(self) -> float:
        """By how many seconds the compound's clock lies back."""
        now = self._ground.clock.now()
        return max(0.0, (now - self._reach(now)).total_seconds())

    # ── inside ────────────────────────────────────────────────────────────────

    def _reach(self, now: dt.datetime) -> dt.datetime:
        """How far time has come for the compound.

        Not beyond what was read, while something waits to be read: a card that lies in the backlog
        must not be missed for not having been read yet. A bus that falls silent holds time back for
        `PATIENCE` only: a late alarm is worse than one too many.
        """
        if self._behind is None or now - self._heard_at > PATIENCE:
            return now
        return min(now, self._behind)

    def _note_reached(self, reached: dt.datetime) -> None:
        """That what was due by then is answered, which holds when the calendar has been heard, too."""
        if not self._calendar_stands:
            self._come = replace(self._come, advanced_to=reached)

    def _feed(self, seen: Observation) -> None:
        try:
            self._unwritten += self._engine.feed(seen)
        except Exception:
            # Whatever it is, it is in this one, and the next must be heard.
            self._ground.metrics.faults.labels("engine").inc()
            log.exception("alerts.observation_failed", compound=self.compound, observation=seen.id)

    def _note_oddities(self, seen: Observation) -> Sequence[str]:
        found = oddities(seen, self._engine.view.site)
        for why in found:
            self._ground.metrics.odd.labels(why).inc()
            if (why, seen.device) not in self._told_odd:
                # Once: a device that is set up wrongly says so with every event.
                self._told_odd.add((why, seen.device))
                log.warning("alerts.odd_observation", why=why, device=seen.device, observation=seen.id)
        return found

    def _next_of_calendar(self, reached: dt.datetime, glance: Due | None) -> list[Observation]:
        """Nothing where that fails: what else is asked is answered all the same, and this told later."""
        try:
            due = self._turn_calendar(reached, glance)
        except Exception:
            self._calendar_stands = True
            self._ground.metrics.faults.labels("calendar").inc()
            log.exception("alerts.calendar_failed", compound=self.compound)
            return []
        self._calendar_stands = False
        return due

    def _turn_calendar(self, reached: dt.datetime, glance: Due | None) -> list[Observation]:
        """What the register and the clock say between the last time and a moment ago.

        A moment, since a row bears the time at which its transaction began, not that of its commit.
        """
        upto = reached - calendar.SETTLED
        since = self._calendar_to
        if since is None:
            since = self._calendar_to = upto
        if upto - since < calendar.STEP:
            return []
        plans = self._situation.in_force
        has_own = plans.patrols or plans.posts
        if glance is not None and not has_own and glance.is_quiet(self.compound, since):
            # As far as the glance reaches; what came since is of the next turn.
            self._calendar_to = max(since, min(upto, glance.end))
            return []
        due = self._due_of_calendar(since, upto)
        self._calendar_to = upto
        return due

    def _due_of_calendar(self, since: dt.datetime, until: dt.datetime) -> list[Observation]:
        with self._ground.database.read() as session:
            return calendar.between(session, self.compound, since, until, self._situation.in_force)

    def _recent(self, messages: Sequence[Message], now: dt.datetime) -> list[EventStored | Sighting]:
        told = [message for message in messages if isinstance(message, EventStored | Sighting)]
        recent = [message for message in told if message.received_at > now - HORIZON]
        if len(recent) < len(told):
            self._ground.metrics.passed_over.labels("too_old").inc(len(told) - len(recent))
            log.warning("alerts.passed_over", compound=self.compound, messages=len(told) - len(recent))
        return recent

    def _observed(self, messages: Sequence[EventStored | Sighting]) -> list[Observation]:
        """What rules see of messages; one that cannot be understood is set aside, the others go on."""
        if not messages:
            return []
        try:
            with self._ground.database.read() as session:
                return knowing.observe(session, self.compound, messages)
        except Exception as error:
            if is_away(error):
                raise
            if len(messages) == 1:
                self._set_aside(messages[0], error)
                return []
        return [seen for message in messages for seen in self._observed([message])]

    def _set_aside(self, message: EventStored | Sighting, error: Exception) -> None:
        log.error(
            "alerts.message_failed", compound=self.compound, message=message.id, error=type(error).__name__
        )
        self._ground.metrics.passed_over.labels("not_understood").inc()
        letter = deadletters.letter(
            "alerts",
            "worker_gave_up",
            self._ground.clock.now(),
            detail=type(error).__name__,
            compound=self.compound,
            device_id=message.device_id,
            raw=encode(message),
            known_by=deadletters.fingerprint("alerts", message.id),
        )
        with self._ground.database.write() as session:
            deadletters.record(session, [letter])

    def _write(self) -> None:
        self._count()
        come, said, amended = self._come, self._unwritten, self._amended
        if said or amended:
            try:
                self._writing.write(said, amended, come, self._situation)
            except Exception as error:
                if isinstance(error, LeaseLostError) or is_away(error):
                    raise
                log.exception("alerts.write_failed", compound=self.compound, said=len(said))
                self._write_each()
            self._unwritten, self._amended = [], []
        self.come = come

    def _write_each(self) -> None:
        """One by one: what cannot be written keeps nothing else from being written."""
        for said, amended in [([one], []) for one in self._unwritten] + [
            ([], [one]) for one in self._amended
        ]:
            for attempt in range(1, _TRIES + 1):
                try:
                    self._writing.write(said, amended, Come(), self._situation)
                except Exception as error:
                    if isinstance(error, LeaseLostError) or is_away(error):
                        raise
                    if attempt == _TRIES:
                        rule = said[0].rule if said else "amended"
                        self._ground.metrics.faults.labels(rule).inc()
                        log.exception("alerts.said_in_vain", compound=self.compound, rule=rule)
                else:
                    break

    def _count(self) -> None:
        for fault in self._engine.faults:
            self._ground.metrics.faults.labels(fault.rule).inc()
            log.error("alerts.rule_failed", rule=fault.rule, observation=fault.observation, error=fault.error)
        self._engine.faults.clear()
        for signal in self._engine.muted:
            self._ground.metrics.muted.labels(signal.rule).inc()
        self._engine.muted.clear()


def is_away(error: Exception) -> bool:
    """Whether something was not there, or busy: the same again will do, and nothing is wrong with it."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
