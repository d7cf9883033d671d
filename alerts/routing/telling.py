"""Telling receivers of incidents: at once, with a group, again, or not for now; each thing once.

What a receiver was told is a row (`Telling`), written in the commit of the notifications themselves: an
incident tells a receiver once for each severity it has, and once more whenever it comes to life again.
Changes are followed and groups told in turn, never beside each other, so that nothing is told that is
over by then.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import TeamKind
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.routing import current, grouping, quiet, silences
from alerts.routing.gathering import clock_of, facts_of
from alerts.routing.grouping import Stand
from alerts.routing.models import RouteGroup, Telling
from alerts.routing.notices import Notices
from alerts.routing.quiet import Open, Quiet
from alerts.routing.times import Clock
from alerts.routing.tree import Facts, Receiver, Told, Tree, decide, hears
from storage import new_id

ROUND: Final = "groups"
"""The round that tells groups; its turn is the lock under which anything here is told."""

LOOK_AGAIN: Final = dt.timedelta(seconds=60)
"""How often what is kept quiet by another incident is looked at again, besides when that one ends."""

_OVER: Final = frozenset({State.RESOLVED, State.REVIEWED})
_SOURCES: Final = 200


def is_over(incident: Incident) -> bool:
    """Whether nobody has to hear of it any more."""
    state = State(incident.state)
    return not state.is_open or state in _OVER


@dataclass
class Teller:
    """Tells within one transaction, at one moment."""

    session: Session
    now: dt.datetime
    tree: Tree = field(default_factory=current.in_force)
    _clocks: dict[str, Clock] = field(default_factory=dict)

    def consider(self, incident: Incident, life: int | None = None) -> int:
        """Does what is to be done about an incident as it is now; returns how many were asked to be told.

        `life`: the version at which it came to life again, None where it goes on.
        """
        if incident.held or is_over(incident):
            return 0
        given = facts_of(self.session, incident)
        rows = self._rows(incident.id)
        if life is not None:
            for old in rows.values():
                self.session.delete(old)
            self.session.flush()
            rows = {}
        else:
            life = max((row.life for row in rows.values()), default=0)
        taken: bool | None = None
        asked = 0
        for told in decide(self.tree, given, self.now, self._clock(incident.compound)).told:
            if not hears(told.receiver, given):
                continue
            row = rows.get(told.receiver.name)
            rises = row is None or row.severity is None or given.severity < row.severity
            if not rises:
                continue
            if is_desk(told.receiver) and (row is None or row.severity is None):
                taken = self._is_taken(incident) if taken is None else taken
                if taken:
                    # Somebody at the desk has it before them; the others need not hear of it any more.
                    continue
            asked += self._one(incident, given, told, row, life)
        return asked

    def _one(self, incident: Incident, given: Facts, told: Told, row: Telling | None, life: int) -> int:
        if row is None:
            row = Telling(
                incident=incident.id,
                receiver=told.receiver.name,
                compound=incident.compound,
                route=told.path[-1],
                life=life,
                times=0,
                waiting=False,
            )
            self.session.add(row)
        row.route, row.repeat_s = told.path[-1], told.repeat_s
        kept = self.quiet(incident, given, told)
        if kept is not None:
            self._keep_quiet(row, kept)
            return 0
        row.quiet_why = row.quiet_by = row.again_at = None
        if not told.wait_s:
            group = self._group(incident, told) if row.group is None else None
            row.group = row.group if group is None else group.id
            row.waiting = False
            self.session.flush()
            return Notices(self.session, self.now).tell(told.receiver, [(incident, given, row)])
        if row.waiting:
            return 0
        group = self._group(incident, told)
        stand = Stand(group.told_at, group.gravest, group.due_at)
        group.due_at = grouping.due(stand, given.severity, self.now, told.wait_s, told.interval_s)
        row.group, row.waiting = group.id, True
        self.session.flush()
        return 0

    def quiet(self, incident: Incident, given: Facts, told: Told | None) -> Quiet | None:
        """What keeps an incident quiet now, None where nothing does."""
        held = silences.in_force(self.session, incident.compound, self.now)
        found = quiet.silenced(held, given, self.now)
        if found is not None:
            return found
        if quiet.may_inhibit(self.tree.inhibits, given):
            sources = self._open(incident)
            found = quiet.inhibited(self.tree.inhibits, Open(incident.id, given), sources)
            if found is not None:
                return found
        if told is not None and told.until is not None:
            return Quiet("muted", told.path[-1], told.until)
        return None

    def flush(self, group: RouteGroup) -> int:
        """Tells what waits in a group."""
        group.due_at = None
        receiver = self.tree.receivers.get(group.receiver)
        waiting = self.session.execute(
            select(Telling, Incident)
            .join(Incident, Incident.id == Telling.incident)
            .where(Telling.group == group.id, Telling.waiting.is_(True))
            .order_by(Incident.severity, Incident.raised_at, Incident.id)
            .execution_options(populate_existing=True)
        ).all()
        ready: list[tuple[Incident, Facts, Telling]] = []
        for row, incident in waiting:
            row.waiting = False
            given = facts_of(self.session, incident)
            if incident.held or is_over(incident):
                self.session.delete(row)
                continue
            if receiver is None or not hears(receiver, given):
                # Another file is in force since, or it is not confirmed any more: its next change says.
                self.session.delete(row)
                self.session.flush()
                self.consider(incident)
                continue
            if is_desk(receiver) and row.severity is None and self._is_taken(incident):
                continue
            kept = self.quiet(incident, given, None)
            if kept is not None:
                self._keep_quiet(row, kept)
                continue
            ready.append((incident, given, row))
        self.session.flush()
        return (
            Notices(self.session, self.now).tell(receiver, ready, group)
            if receiver is not None and ready
            else 0
        )

    def again(self, row: Telling, incident: Incident) -> int:
        """Looks at what was quiet until now, or says once more what nobody has taken on."""
        if row.again_at is None or row.again_at > self.now:
            # Looked at already, with another receiver's row of the same incident.
            return 0
        row.again_at = None
        if incident.held or is_over(incident):
            return 0
        if row.quiet_why is not None:
            row.quiet_why = row.quiet_by = None
            self.session.flush()
            return self.consider(incident)
        receiver = self.tree.receivers.get(row.receiver)
        if receiver is None or row.severity is None or State(incident.state) is not State.RAISED:
            return 0
        given = facts_of(self.session, incident)
        kept = self.quiet(incident, given, None)
        if kept is not None:
            row.again_at = kept.until or self.now + LOOK_AGAIN
            return 0
        return Notices(self.session, self.now).tell(receiver, [(incident, given, row)], repeats=True)

    def _keep_quiet(self, row: Telling, kept: Quiet) -> None:
        row.waiting = False
        row.quiet_why, row.quiet_by = kept.why, kept.by
        row.again_at = kept.until or self.now + LOOK_AGAIN
        self.session.flush()

    def _group(self, incident: Incident, told: Told) -> RouteGroup:
        key = grouping.key(told)
        query = select(RouteGroup).where(RouteGroup.compound == incident.compound, RouteGroup.key == key)
        found = self.session.scalars(query).one_or_none()
        if found is None:
            found = RouteGroup(
                id=new_id(),
                compound=incident.compound,
                key=key,
                route=told.path[-1],
                receiver=told.receiver.name,
                labels=dict(told.group),
                opened_at=self.now,
                repeat_s=told.repeat_s,
            )
            self.session.add(found)
            self.session.flush()
        return found

    def _rows(self, incident: str) -> dict[str, Telling]:
        return {
            row.receiver: row
            for row in self.session.scalars(select(Telling).where(Telling.incident == incident))
        }

    def _open(self, target: Incident) -> list[Open]:
        """What is open besides, as grave or graver: at most two hundred, the gravest and newest first."""
        rows = self.session.scalars(
            select(Incident)
            .where(
                Incident.compound == target.compound,
                Incident.id != target.id,
                Incident.held.is_(False),
                Incident.severity <= target.severity,
                Incident.state.in_([state for state in State if state.is_open and state not in _OVER]),
            )
            .order_by(Incident.severity, Incident.raised_at.desc())
            .limit(_SOURCES)
        ).all()
        return [Open(row.id, facts_of(self.session, row)) for row in rows]

    def _is_taken(self, incident: Incident) -> bool:
        """Whether a person has it in hand. What came to life again is in nobody's."""
        if State(incident.state) in {State.RAISED, State.REOPENED}:
            return False
        step = select(Transition.id).where(
            Transition.incident == incident.id,
            Transition.role != "system",
            Transition.to_state != State.RAISED,
        )
        return self.session.scalar(step.limit(1)) is not None

    def _clock(self, compound: str) -> Clock:
        if compound not in self._clocks:
            self._clocks[compound] = clock_of(self.session, compound)
        return self._clocks[compound]


def is_desk(receiver: Receiver) -> bool:
    """Whether everybody in it sits in the control room, where one takes a thing on for all."""
    return not receiver.teams and set(receiver.team_kinds) <= {TeamKind.OPERATOR}
