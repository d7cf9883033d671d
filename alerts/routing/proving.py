"""Whether a tree does what a tree must: nobody falls through it, nothing grave waits, nothing sounds. Pure.

Every combination of ring, severity, kind and stage is routed at every hour at which anything changes,
and every label value that the tree names is tried beside one that it does not name. What a pattern may
match beyond the values that are known cannot be tried out.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alerts.duty.models import TeamKind
from alerts.routing.deadways import dead_ways, urgent_waits
from alerts.routing.matching import literals
from alerts.routing.reading import KNOWN, REPORTED, Reading
from alerts.routing.times import CHINA, Clock, Times, edges
from alerts.routing.tree import (
    SILENT_KIND,
    SILENT_TEAMS,
    Facts,
    Receiver,
    Told,
    Tree,
    channel_may,
    decide,
    facts,
    hears,
    people,
    routes_of,
)
from alerts.rulebook.findings import Finding, Findings
from alerts.rules import RULES
from registry.places.models import Ring

RINGS: Final = tuple(str(ring) for ring in Ring)
SEVERITIES: Final = (1, 2, 3, 4)
OTHER: Final = "a.new.kind"
"""Stands for a kind that no rule has today: a compound's tree must have a way for it, too."""

_SAFETY: Final = {rule.kind: rule.safety for rule in RULES}
_CARE: Final = {rule.kind: rule.care for rule in RULES}
_COMPARED: Final = {rule.kind: rule.confirms for rule in RULES}
_MONDAY: Final = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Manned:
    """Team kinds and teams in which somebody works, and the kinds of the compound's channels by id."""

    kinds: Collection[TeamKind]
    teams: Collection[str]
    channels: Mapping[str, str] = field(default_factory=dict)
    # By team.
    kind_of: Mapping[str, TeamKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hole:
    """A combination that reaches nobody; `why`: no_receiver, no_team, nobody_raised."""

    ring: str
    severity: int
    kind: str
    care: bool
    confirmed: bool
    at: dt.datetime
    why: str
    receivers: tuple[str, ...] = ()
    label: str = ""


def prove(reading: Reading, by: Clock = CHINA, here: Manned | None = None) -> tuple[Finding, ...]:
    """What is wrong with the ways through a tree, in the order of the file."""
    found = Findings()
    tree = reading.tree
    dead_ways(found, tree.root)
    urgent_waits(found, reading, tree.root)
    _noise(found, tree, here)
    fallen = list(holes(tree, by))
    _said(found, tree, fallen, by)
    if here is not None:
        _unmanned(found, tree, here, [] if fallen else list(holes(tree, by, here)))
    return found.all()


def holes(tree: Tree, by: Clock = CHINA, here: Manned | None = None) -> Iterator[Hole]:
    """Combinations that reach nobody."""
    moments = _moments(tree, by)
    for given, label in _combinations(tree):
        for at in moments:
            told = decide(tree, given, at, by).told
            why = _nobody(told, given, here)
            if why is not None:
                labels = given.labels
                yield Hole(
                    labels["ring"], given.severity, labels["kind"], given.care, given.confirmed, at, why,
                    tuple(one.receiver.name for one in told), label,
                )  # fmt: skip


def _nobody(told: Iterable[Told], given: Facts, here: Manned | None) -> str | None:
    told = tuple(told)
    if not told:
        return "no_receiver"
    hearing = [one.receiver for one in told if hears(one.receiver, given)]
    if not hearing:
        return "nobody_raised"
    return None if any(_has_people(one, given, here) for one in hearing) else "no_team"


def _has_people(receiver: Receiver, given: Facts, here: Manned | None) -> bool:
    kinds = people(receiver, given)
    if here is None:
        return bool(kinds or (receiver.teams and not given.silent))
    allowed = set(kinds)
    if any(kind in here.kinds for kind in allowed):
        return True
    return any(team in here.teams for team in receiver.teams)


def _combinations(tree: Tree) -> Iterator[tuple[Facts, str]]:
    """Facts to try, and which label is not the usual one."""
    named = _named(tree)
    kinds = [
        *sorted({rule.kind for rule in RULES} | REPORTED),
        OTHER,
        *(one for one in named["kind"] if one not in _CARE),
    ]
    others: list[dict[str, str]] = [{}]
    for label, values in sorted(named.items()):
        if label in {"ring", "kind", "severity", "care", "safety", "stage"}:
            continue
        others += [{label: value} for value in sorted(values)]
    for ring in RINGS:
        for severity in SEVERITIES:
            for kind in dict.fromkeys(kinds):
                for labels in others:
                    for confirmed in (False, True):
                        yield (
                            facts(
                                ring=ring,
                                kind=kind,
                                severity=severity,
                                care=_CARE.get(kind, False),
                                safety=_SAFETY.get(kind, False),
                                compare=_COMPARED.get(kind, False) and not confirmed,
                                confirmed=confirmed,
                                rule=labels.get("rule", ""),
                                labels=labels,
                            ),
                            "".join(f"{name}={value}" for name, value in labels.items()),
                        )


def _named(tree: Tree) -> dict[str, set[str]]:
    """The values that the tree names of each label."""
    named: dict[str, set[str]] = defaultdict(set)
    for route in routes_of(tree.root):
        for matcher in route.matchers:
            named[matcher.label] |= set(literals(matcher))
    for label in list(named):
        if label in KNOWN and label != "rule":
            named[label] |= KNOWN[label] - {""}
    return named


def _moments(tree: Tree, by: Clock) -> list[dt.datetime]:
    """A week's hours at which anything changes; one where nothing does."""
    used: dict[str, Times] = {one.name: one for route in routes_of(tree.root) for one in route.active}
    if not used:
        return [_MONDAY]
    return edges(used.values(), _MONDAY, by, days=7)


def _said(found: Findings, tree: Tree, fallen: Iterable[Hole], by: Clock) -> None:
    """Holes of the same kinds at the same stage are said in one line, with the first hour of each."""
    kinds: dict[tuple[Any, ...], dict[str, Hole]] = defaultdict(dict)
    for hole in fallen:
        alike = (hole.why, hole.receivers, hole.care, hole.label, hole.confirmed)
        kinds[alike, hole.ring, hole.severity].setdefault(hole.kind, hole)
    severities: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    first: dict[tuple[Any, ...], Hole] = {}
    for (alike, ring, severity), by_kind in kinds.items():
        severities[alike, tuple(by_kind), ring].append(severity)
        first.setdefault((alike, tuple(by_kind)), next(iter(by_kind.values())))
    rings: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for (alike, of, ring), some in severities.items():
        rings[alike, of, tuple(some)].append(ring)
    for number, (key, where) in enumerate(rings.items()):
        alike, of, some = key
        if number == _SHOWN:
            found.error(tree.root.line, "route_holes_more", more=len(rings) - _SHOWN)
            return
        hole = first[alike, of]
        found.error(
            tree.root.line,
            f"route_{hole.why}",
            ring=", ".join(where),
            severity=", ".join(str(one) for one in some),
            stage="confirmed" if hole.confirmed else "raised",
            kinds=", ".join(of[:4]) + (f" (+{len(of) - 4})" if len(of) > 4 else ""),
            care="true" if hole.care else "false",
            hour=f"{hole.at.astimezone(by.zone):%a %H:%M}",
            receivers=", ".join(hole.receivers) or "–",
            label=f" {hole.label}" if hole.label else "",
        )


def _noise(found: Findings, tree: Tree, here: Manned | None) -> None:
    """Duress that would be noticed on the spot."""
    said: set[str] = set()
    for ring in RINGS:
        given = facts(ring=ring, kind=SILENT_KIND, severity=1, rule="R-E12", safety=True, confirmed=True)
        for at in _moments(tree, CHINA):
            for told in decide(tree, given, at).told:
                receiver = told.receiver
                if receiver.name in said:
                    continue
                loud = [str(kind) for kind in receiver.team_kinds if kind not in SILENT_TEAMS]
                # A channel of its own by an id may be anything; one that is known must be the desk's.
                kinds = {} if here is None else here.channels
                loud += [one for one in receiver.channels if not channel_may(kinds.get(one, ""), given)]
                if here is not None:
                    loud += [
                        team
                        for team in receiver.teams
                        if here.kind_of.get(team) is not None and here.kind_of[team] not in SILENT_TEAMS
                    ]
                loud += [kind for kind in receiver.channel_kinds if kind == "mqtt"]
                if loud:
                    said.add(receiver.name)
                    found.error(
                        tree.root.line, "duress_noticed", receiver.name,
                        receiver=receiver.name, route=told.path[-1], loud=", ".join(loud),
                    )  # fmt: skip


def _unmanned(found: Findings, tree: Tree, here: Manned, alone: Iterable[Hole]) -> None:
    """Receivers whose people and channels are not there. What goes to such a one alone is an error; of the
    rest others are told as well. Told instead is whoever `reaching` falls on to.
    """
    only: dict[str, Hole] = {}
    for hole in alone:
        for name in hole.receivers:
            only.setdefault(name, hole)
    for name, receiver in tree.receivers.items():
        missing = [team for team in receiver.teams if team not in here.kind_of]
        missing += [one for one in receiver.channels if one not in here.channels]
        if missing:
            found.warn(
                tree.root.line, "receiver_missing", f"receivers.{name}", name=name, missing=", ".join(missing)
            )
        if not any(kind in here.kinds for kind in receiver.team_kinds) and not any(
            team in here.teams for team in receiver.teams
        ):
            first = only.get(name)
            where = f"receivers.{name}"
            if first is None:
                found.warn(tree.root.line, "receiver_unmanned", where, name=name)
            else:
                found.error(
                    tree.root.line, "receiver_alone_unmanned", where,
                    name=name, ring=first.ring, severity=first.severity, kind=first.kind,
                )  # fmt: skip
