"""The routing tree: which receivers an incident goes to, by which way, and how long it may wait. Pure.

As in Alertmanager the root takes everything; a route's children are tried in order, the first that
matches has it, `continue` lets the next ones look too, and where no child matches the route itself has it.
Three things are ours: a route out of its active times does not match at all, so that the next one has
it; what a route mutes is put off, not lost; and S1 and S2 neither wait nor are put off, whatever it says.
"""

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from alerts.duty.models import TeamKind
from alerts.intake.kinds import VIOLENCE
from alerts.routing.matching import Matcher, failing
from alerts.routing.times import CHINA, Clock, Times, over

URGENT: Final = 2
"""Severities up to this one wait for nothing."""

SILENT_KIND: Final = "duress"
SILENT_RULE: Final = "R-E12"
REPORTED_SAFETY: Final = frozenset(
    {"reported.fire", "reported.medical", "reported.fall", "reported.lift_trap", VIOLENCE}
)
"""What people report that nobody may keep quiet."""

SILENT_TEAMS: Final = frozenset({TeamKind.OPERATOR, TeamKind.PROPERTY, TeamKind.POLICE})
"""Who hears of duress: people at a desk. Whoever comes and looks, and whatever sounds, endangers somebody."""

NOT_FOR_CARE: Final = frozenset({TeamKind.GUARD, TeamKind.VOLUNTEER_POLICE, TeamKind.PATROL})
"""Care (关爱) is no police matter: those who look after the house do not look after the people."""


class When(enum.StrEnum):
    """From when on a receiver hears of an incident."""

    RAISED = "raised"  # also of what nobody has confirmed: the control room, the gate
    CONFIRMED = "confirmed"  # only once a person or a sensor of the plan list has said that it is real


@dataclass(frozen=True, slots=True)
class Receiver:
    """Teams by kind or by id, and channels of the compound by kind or by id."""

    name: str
    team_kinds: tuple[TeamKind, ...] = ()
    teams: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    channel_kinds: tuple[str, ...] = ()
    when: When = When.CONFIRMED


@dataclass(frozen=True, slots=True)
class Facts:
    """What an incident is routed by. `labels` has all of it as text; the rest is what decisions bound to
    people's safety go by, which no file may change.
    """

    labels: Mapping[str, str]
    severity: int
    # Only a person's comparison makes it more than a machine's word about somebody.
    compare: bool = False
    care: bool = False
    # Fire, SOS, duress: never kept quiet.
    safety: bool = False
    # Nothing that could be noticed on the spot.
    silent: bool = False
    confirmed: bool = False

    @property
    def urgent(self) -> bool:
        return self.severity <= URGENT or self.safety


def facts(
    *,
    ring: str = "",
    kind: str = "",
    severity: int = 3,
    rule: str = "",
    care: bool = False,
    safety: bool = False,
    silent: bool = False,
    compare: bool = False,
    confirmed: bool = False,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Facts:
    """Facts with their labels."""
    safety = safety or kind in REPORTED_SAFETY
    text = {
        "ring": ring,
        "kind": kind,
        "rule": rule,
        "severity": str(severity),
        "care": _word(care),
        "safety": _word(safety),
        "drill": "false",
        "mode": "normal",
        "stage": When.CONFIRMED if confirmed else When.RAISED,
    }
    silent = silent or kind == SILENT_KIND or rule == SILENT_RULE
    return Facts(text | dict(labels), severity, compare, care, safety, silent, confirmed)


@dataclass(frozen=True, slots=True)
class Route:
    """A node, with what it inherits filled in. Times are seconds; `repeat_s` 0 says nothing twice."""

    name: str
    receiver: str | None
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ()
    wait_s: int = 0
    interval_s: int = 60
    repeat_s: int = 0
    active: tuple[Times, ...] = ()
    mute: tuple[Times, ...] = ()
    goes_on: bool = False
    routes: tuple["Route", ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Inhibit:
    """While a source is open, targets with the same `equal` labels are not told of."""

    name: str
    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Tree:
    """Routes, receivers and times by name, what keeps what quiet; `version` names the text of the file."""

    root: Route
    receivers: Mapping[str, Receiver]
    times: Mapping[str, Times] = field(default_factory=dict)
    inhibits: tuple[Inhibit, ...] = ()
    version: str = "default"


@dataclass(frozen=True, slots=True)
class Told:
    """One receiver, the way to it (names of routes from the root on), its group, and how long it waits."""

    receiver: Receiver
    path: tuple[str, ...]
    group: tuple[tuple[str, str], ...]
    wait_s: int
    interval_s: int
    repeat_s: int
    # Put off until then by the route's muted times.
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom an incident goes to; each receiver once, in the order of the tree."""

    told: tuple[Told, ...]

    @property
    def now(self) -> tuple[Told, ...]:
        return tuple(one for one in self.told if not one.wait_s and one.until is None)


@dataclass(frozen=True, slots=True)
class Looked:
    """A route that was looked at: how deep, whether it matched, and what kept it from that.

    `why`: matched, no_match (`matcher` is the first that does not hold), not_active.
    """

    depth: int
    route: Route
    matched: bool
    why: str
    matcher: Matcher | None = None
    # It has the incident itself: no child of it took it.
    has_it: bool = False


def decide(tree: Tree, given: Facts, at: dt.datetime, by: Clock = CHINA) -> Decision:
    """Whom an incident goes to at a moment."""
    told: dict[str, Told] = {}
    for route, path in _ways(tree.root, given.labels, at, by, ()):
        if route.receiver is None or route.receiver in told:
            continue
        told[route.receiver] = Told(
            tree.receivers[route.receiver],
            path,
            tuple((label, given.labels.get(label, "")) for label in route.group_by),
            0 if given.urgent else route.wait_s,
            route.interval_s,
            route.repeat_s,
            over(route.mute, at, by) if route.mute and not given.urgent else None,
        )
    return Decision(tuple(told.values()))


def _ways(
    route: Route, labels: Mapping[str, str], at: dt.datetime, by: Clock, above: tuple[str, ...]
) -> Iterator[tuple[Route, tuple[str, ...]]]:
    """The routes that have an incident which has come to `route`, and the way to each."""
    path = (*above, route.name)
    taken = False
    for child in route.routes:
        for matcher in child.matchers:
            if not matcher.test(labels):
                break
        else:
            if child.active and not any(one.hold(at, by) for one in child.active):
                continue
            taken = True
            yield from _ways(child, labels, at, by, path)
            if not child.goes_on:
                return
    if not taken:
        yield route, path


def looked_at(tree: Tree, given: Facts, at: dt.datetime, by: Clock = CHINA) -> list[Looked]:
    """Every route that was looked at on the way, and why it has the incident or has not."""
    return list(_look(tree.root, given, at, by, 0))


def _look(route: Route, given: Facts, at: dt.datetime, by: Clock, depth: int) -> Iterator[Looked]:
    below: list[Looked] = []
    taken = False
    for child in route.routes:
        missing = failing(child.matchers, given.labels)
        if missing is not None:
            below.append(Looked(depth + 1, child, False, "no_match", missing))
        elif child.active and not any(one.hold(at, by) for one in child.active):
            below.append(Looked(depth + 1, child, False, "not_active"))
        else:
            taken = True
            below += _look(child, given, at, by, depth + 1)
            if not child.goes_on:
                break
    yield Looked(depth, route, True, "matched", has_it=not taken)
    yield from below


def hears(receiver: Receiver, given: Facts) -> bool:
    """Whether it is time for a receiver. What a machine says of a person is the control room's to compare
    first (L-12); nobody else sees it before.
    """
    if given.confirmed:
        return True
    if receiver.when is not When.RAISED:
        return False
    if not given.compare or given.safety or given.silent:
        # Fire and the like wait for no picture to be compared.
        return True
    return set(receiver.team_kinds) <= {TeamKind.OPERATOR}


def people(receiver: Receiver, given: Facts) -> tuple[TeamKind, ...]:
    """The team kinds of a receiver that may hear of this."""
    return tuple(kind for kind in receiver.team_kinds if may_hear(kind, given))


def may_hear(kind: TeamKind, given: Facts) -> bool:
    """Whether a kind of team may hear of this at all, whatever a file says."""
    if given.silent and kind not in SILENT_TEAMS:
        return False
    if kind.volunteers and given.labels.get("kind") == VIOLENCE:
        return False
    return not (given.care and kind in NOT_FOR_CARE)


def channel_may(kind: str, given: Facts) -> bool:
    """Whether a channel of the compound may: of duress the control room's own alone, of care no siren."""
    if given.silent:
        return kind == "console"
    return not (given.care and kind == "mqtt")


def routes_of(route: Route) -> Iterator[Route]:
    """A route and all below it."""
    yield route
    for child in route.routes:
        yield from routes_of(child)


def _word(flag: bool) -> str:
    return "true" if flag else "false"
