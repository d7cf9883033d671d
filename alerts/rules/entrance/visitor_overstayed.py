"""R-E02: a visitor's time is over, and the visitor is still here.

Still here is who was seen to come in within the last day and not to leave: a pass that nobody
used overstays nothing, and an exit that was off the line may have let them out unseen. It is no
offence to stay for tea; it is a call to the host, and at night a walk past the door.
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.entrance.visits import (
    DAY,
    is_leaving,
    is_leaving_told,
    last_inside,
    of_visit,
    unseen_ways_out,
)
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Said, Settings, Signal, View

_LEFT = "left"


class VisitorOverstayed(Rule):
    """Raises one incident a pass; it clears when the visitor leaves or the pass is extended."""

    id = "R-E02"
    kind = "visitor.overstayed"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset(
        {
            *("visitor.expired", "visitor.extended", "visitor.checked_out"),
            *("access.granted", "plate.recognised"),
        }
    )
    # By the hour at which it is raised, not at which the pass ended.
    severities: ClassVar = {"day": 4, "night": 3}
    key = "pass"
    excuses = (
        Excuse("visitor.checked_out", "subject"),
        Excuse("visitor.extended", "subject"),
        Excuse("access.granted", "subject", words="excuse_left"),
    )
    parameters = (
        Parameter(
            "grace_min",
            "min",
            30,
            0,
            240,
            "How long after the end of a pass its holder may take to leave. Too short: every "
            "farewell is an incident. Too long: nobody looks before the night.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.type == "visitor.expired":
            if observation.visit is None:
                return None
            return Question(observation, observation.at + settings.minutes("grace_min") + DISORDER)
        if observation.type == "visitor.extended" or (is_leaving(observation) and _is_visitor(observation)):
            # Answered like an absence: what was raised meanwhile is raised before it is cleared.
            return Question(observation, observation.at + DISORDER, stage=_LEFT)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Said | None:
        if question.stage == _LEFT:
            return _clear(question.anchor, view)
        expired = question.anchor
        visit = expired.visit
        if visit is None:
            return None
        until = question.due - DISORDER
        if _is_extended(view, expired, until) or not is_leaving_told(view, until):
            return None
        inside = last_inside(of_visit(view, expired.subjects, expired.at - DAY, until))
        if inside is None or unseen_ways_out(view, inside.at, until):
            return None
        return Signal(
            rule=VisitorOverstayed.id,
            kind=VisitorOverstayed.kind,
            severity=settings.by_hour(question.due),
            dedupe_key=_key(visit.id),
            dedupe_window=DAY,
            anchor=expired,
            evidence=(expired, inside),
            reason="visitor_overstayed",
            reason_args={
                "pass": visit.id,
                "grace_min": round(settings.values["grace_min"]),
                "night": settings.is_night(question.due),
            },
            subject_kind="pass",
            subject=visit.id,
            window=(inside.at, until),
        )


def _key(visit: str) -> str:
    return f"{VisitorOverstayed.id}:{visit}"


def _is_visitor(seen: Observation) -> bool:
    """On a pass, or in a vehicle that is nobody's here."""
    return seen.visit is not None or (seen.plate is not None and seen.vehicle_id is None)


def _is_extended(view: View, expired: Observation, until: dt.datetime) -> bool:
    """Whether the pass holds for longer than when it was said to end; its new end asks for itself."""
    return any(
        seen.type == "visitor.extended" and seen.visit is not None and seen.visit.ends_at > expired.at
        for subject in expired.subjects
        for seen in view.of_subject(subject, expired.at - DAY, until)
    )


def _clear(seen: Observation, view: View) -> Clear | None:
    """What ends by somebody's leaving: of the pass itself, or of the pass that expects this plate."""
    visit = seen.visit
    if visit is None:
        for subject in seen.subjects:
            for one in view.of_subject(subject, seen.at - DAY, seen.at):
                if one.type == "visitor.expired" and one.visit is not None:
                    visit = one.visit
    return None if visit is None else Clear(VisitorOverstayed.id, _key(visit.id), seen.at)
