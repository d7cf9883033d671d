"""Why a stored incident was raised: its evidence, and the past around it, played again."""

import datetime as dt
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from alerts import calendar, knowing
from alerts.incidents.models import Evidence, Incident
from alerts.rehearsal.running import begins
from alerts.rehearsal.why import Explanation, Scene, Target, explain
from alerts.rehearsal.why.trying import rules_for
from alerts.rulebook.file import load
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.values import RulesFile
from alerts.rules import RULES, Mode, Observation, Rule
from registry.days import time_zone
from ringward.replay import came_in, nights
from storage import Database

# How long after what made a rule look it may still have waited, beyond when the incident was raised.
_AFTER: Final = dt.timedelta(hours=3)
# An incident that grew for hours stands on many signals; the first and the gravest of each rule tell.
_MOST: Final = 6


class NoIncidentError(LookupError):
    """There is no such incident in the compound."""


@dataclass(frozen=True)
class Because:
    """One signal of an incident: what was kept of it, and its explanation where the past still gives one."""

    target: Target
    severity: int
    rule: type[Rule] | None
    trace: dict[str, Any]
    explanation: Explanation | None


@dataclass(frozen=True)
class Why:
    """An incident, with every signal that tells."""

    incident: str
    compound: str
    zone: dt.tzinfo
    signals: int
    because: tuple[Because, ...]


def why(database: Database, compound: str, incident_id: str) -> Why:
    """Explains an incident; reads the day before it and a few hours after. Raises `NoIncidentError`."""
    with database.read() as session:
        incident = session.get(Incident, incident_id)
        if incident is None or incident.compound != compound:
            raise NoIncidentError(incident_id)
        evidence = list(
            session.scalars(
                select(Evidence)
                .where(Evidence.incident == incident_id)
                .order_by(Evidence.at, Evidence.signal_id)
            )
        )
        session.expunge_all()
        zone = time_zone(session, compound)
    until = incident.raised_at + _AFTER
    telling = _telling(evidence)
    told = tuple(
        _because(database, compound, row, max(until, row.at + _AFTER), alone=_is_outdone(row, telling))
        for row in telling
    )
    return Why(incident_id, compound, zone, len(evidence), told)


def _telling(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Of each rule the first signal and, where that is another, the first of the gravest."""
    chosen: list[Evidence] = []
    for rule in dict.fromkeys(row.rule for row in evidence):
        mine = [row for row in evidence if row.rule == rule]
        for row in (mine[0], min(mine, key=lambda one: one.severity)):
            if row not in chosen:
                chosen.append(row)
    return sorted(chosen, key=lambda row: (row.at, row.signal_id))[:_MOST]


def _is_outdone(row: Evidence, telling: Sequence[Evidence]) -> bool:
    """Whether the same rule called the same thing graver at another stage."""
    return any(
        (other.rule, other.key) == (row.rule, row.key)
        and other.stage != row.stage
        and other.severity < row.severity
        for other in telling
    )


def _because(database: Database, compound: str, row: Evidence, until: dt.datetime, *, alone: bool) -> Because:
    trace = dict(row.trace or {})
    rule = next((one for one in RULES if one.id == row.rule), None)
    target = Target(row.rule, row.key or "", str(trace.get("anchor") or ""), row.at, row.stage, alone)
    explanation = None
    if rule is not None and target.key and target.anchor:
        explanation = explain(_scene(database, compound, rule, trace, row.at, until), target, rule)
    return Because(target, row.severity, rule, trace, explanation)


def _scene(
    database: Database,
    compound: str,
    rule: type[Rule],
    trace: dict[str, Any],
    at: dt.datetime,
    until: dt.datetime,
) -> Scene:
    since = begins(at)
    with database.read() as session:
        zone = time_zone(session, compound)
        version = str(trace.get("rules") or "default")
        text = session.scalar(
            select(RuleVersion.text).where(
                RuleVersion.compound == compound,
                RuleVersion.number == (int(version) if version.isdigit() else -1),
            )
        )
        file = RulesFile() if text is None else load(text, None, zone).file
        site = knowing.site(session, compound, since)
        seen = calendar.between(session, compound, since, until, file)
    past = heapq.merge(
        came_in(database, compound, since, until),
        sorted(seen, key=_arrival),
        key=_arrival,
    )
    book = file.book(zone, version, Mode(trace.get("mode") or "normal"))
    before = tuple(nights(database, compound, since, zone))
    return Scene(rules_for(rule.id, RULES), tuple(past), site, book, until, before)


def _arrival(observation: Observation) -> tuple[dt.datetime, str]:
    return observation.received_at, observation.id
