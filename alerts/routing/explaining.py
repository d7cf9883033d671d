"""A way through the tree as somebody asks for it: every route and why, whom it reaches, how long it waits.

For the command line, the API and the page alike. People are ids; who they are is somebody else's to show.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from alerts.intake.kinds import RULE
from alerts.routing import silences
from alerts.routing.matching import FACT, LABELS
from alerts.routing.quiet import silenced
from alerts.routing.reaching import reach
from alerts.routing.times import CHINA, Clock
from alerts.routing.tree import (
    Facts,
    Inhibit,
    Receiver,
    Route,
    Tree,
    When,
    decide,
    facts,
    hears,
    looked_at,
    people,
)
from alerts.rules import RULES

_BY_KIND = {rule.kind: rule for rule in reversed(RULES)}


@dataclass(frozen=True, slots=True)
class Asked:
    """An incident that somebody asks about. What the rule of its kind says of it is filled in."""

    ring: str
    kind: str
    severity: int
    stage: When = When.CONFIRMED
    labels: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> Facts:
        """What it is routed by."""
        rule = _BY_KIND.get(self.kind)
        confirmed = self.stage is When.CONFIRMED
        given = dict(self.labels)
        named = given.pop("rule", "") or (rule.id if rule is not None else _intake(self.kind))
        care = given.pop("care", "") or ("true" if rule is not None and rule.care else "false")
        return facts(
            ring=self.ring,
            kind=self.kind,
            severity=self.severity,
            rule=named,
            care=care == "true",
            safety=rule is not None and rule.safety,
            compare=rule is not None and rule.confirms and not confirmed,
            confirmed=confirmed,
            labels=given,
        )


def unknown_labels(names: Iterable[str]) -> list[str]:
    """Of labels that somebody gives those that there are none of."""
    return [name for name in names if name not in LABELS and not name.startswith(FACT)]


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A route that was looked at. `why`: matched, no_match (of `matcher`), not_active."""

    name: str
    depth: int
    matched: bool
    has_it: bool
    why: str
    matcher: str | None


@dataclass(frozen=True, slots=True)
class Hears:
    """A receiver that has it. `hears`: whether already at this stage; the ids are of those told now.

    `fell` is who is told instead where nobody of it is on duty; None where nobody has to be, or where
    nothing is known of who is on duty.
    """

    receiver: str
    route: str
    path: list[str]
    when: str
    hears: bool
    teams: list[str]
    on_duty: list[str] | None
    channels: list[str] | None
    fell: str | None
    wait_s: int
    interval_s: int
    repeat_s: int
    until: dt.datetime | None
    group: dict[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """All of it."""

    at: dt.datetime
    version: str
    labels: dict[str, str]
    looked_at: list[LookedAt]
    receivers: list[Hears]
    # The id of a silence that keeps it quiet at that moment.
    silenced_by: str | None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(
    tree: Tree,
    asked: Asked,
    at: dt.datetime,
    by: Clock = CHINA,
    *,
    session: Session | None = None,
    compound: str = "",
) -> Way:
    """The way of something at a moment; with a session also who hears of it then."""
    given = asked.facts()
    zone = given.labels.get("zone", "")
    receivers = []
    for told in decide(tree, given, at, by).told:
        reached = None if session is None else reach(session, compound, told.receiver, given, zone, at)
        receivers.append(
            Hears(
                receiver=told.receiver.name,
                route=told.path[-1],
                path=list(told.path),
                when=str(told.receiver.when),
                hears=hears(told.receiver, given),
                teams=[*(str(kind) for kind in people(told.receiver, given)), *told.receiver.teams],
                on_duty=None if reached is None else list(reached.responders),
                channels=None if reached is None else list(reached.channels),
                fell=None if reached is None else reached.fell,
                wait_s=told.wait_s,
                interval_s=told.interval_s,
                repeat_s=told.repeat_s,
                until=told.until,
                group=dict(told.group),
            )
        )
    quiet = None
    if session is not None:
        quiet = silenced(silences.in_force(session, compound, at), given, at)
    return Way(
        at=at,
        version=tree.version,
        labels={name: value for name, value in given.labels.items() if value},
        looked_at=[
            LookedAt(
                one.route.name,
                one.depth,
                one.matched,
                one.has_it,
                one.why,
                None if one.matcher is None else str(one.matcher),
            )
            for one in looked_at(tree, given, at, by)
        ],
        receivers=receivers,
        silenced_by=None if quiet is None else quiet.by,
    )


def plain_tree(tree: Tree) -> dict[str, Any]:
    """A tree for JSON."""
    return {
        "version": tree.version,
        "route": plain_route(tree.root),
        "receivers": [plain_receiver(one) for one in tree.receivers.values()],
        "inhibit": [plain_inhibit(one) for one in tree.inhibits],
    }


def plain_route(route: Route) -> dict[str, Any]:
    """A route and all below it."""
    return {
        "name": route.name,
        "receiver": route.receiver,
        "matchers": [str(one) for one in route.matchers],
        "group_by": list(route.group_by),
        "group_wait_s": route.wait_s,
        "group_interval_s": route.interval_s,
        "repeat_interval_s": route.repeat_s,
        "active": [one.name for one in route.active],
        "mute": [one.name for one in route.mute],
        "continue": route.goes_on,
        "routes": [plain_route(one) for one in route.routes],
    }


def plain_receiver(receiver: Receiver) -> dict[str, Any]:
    return {
        "name": receiver.name,
        "team_kinds": [str(kind) for kind in receiver.team_kinds],
        "teams": list(receiver.teams),
        "channels": list(receiver.channels),
        "channel_kinds": list(receiver.channel_kinds),
        "when": str(receiver.when),
    }


def plain_inhibit(rule: Inhibit) -> dict[str, Any]:
    return {
        "name": rule.name,
        "source_matchers": [str(one) for one in rule.sources],
        "target_matchers": [str(one) for one in rule.targets],
        "equal": list(rule.equal),
    }


def _intake(kind: str) -> str:
    return RULE if kind.startswith("reported.") else ""
