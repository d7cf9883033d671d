"""R-C10: nobody is where somebody has to be.

It is the post that is looked at, not who should be there: no face, no name and no person goes into
what is said of it. A shift is what `post.shift` declares; where no shift of the post is known it is kept
around the clock, but for hours that the book takes out.
"""

import dataclasses
import datetime as dt
from typing import ClassVar, Final

from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Parameter, Question, Rule, Settings, Signal, View

_ABSENT: Final = "video.absence_from_post"
_SHIFT: Final = "post.shift"
# Shifts that were declared this long ago are still of the plan that holds now.
_PLAN: Final = dt.timedelta(hours=24)
# A post that was empty before its shift began, and since when at the earliest.
_EMPTY_BEFORE: Final = dt.timedelta(hours=12)


class PostAbsent(Rule):
    """Raises one incident a post; clears when the camera sees somebody there again."""

    id = "R-C10"
    kind = "post.absent"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({_ABSENT, _SHIFT})
    severities: ClassVar = {"day": 4, "night": 4}
    key = "zone"
    parameters = (
        Parameter(
            "absent_min",
            "min",
            5,
            1,
            60,
            "How long the post must be empty. Too short: who fetches water is reported. Too long: "
            "the gate stands open to everybody.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        hold = settings.minutes("absent_min")
        if observation.type == _SHIFT:
            return Question(observation, observation.at + hold + DISORDER, "shift")
        if observation.is_over:
            return Question(observation, observation.at + DISORDER, "back")
        return Question(observation, max(lasting.begun(observation) + hold, observation.at) + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        key = f"{PostAbsent.id}:{seen.zone}"
        if question.stage == "back":
            return Clear(PostAbsent.id, key, seen.at)
        hold = settings.minutes("absent_min")
        until = question.due - DISORDER
        if question.stage == "shift":
            # Whoever comes to a manned post was there before the shift: then the absence itself is asked.
            if seen.until is None or until > seen.until or _is_manned(view, seen, seen.at, seen.at):
                return None
            reports = _empty_since_before(view, seen, until)
        else:
            since = until - hold
            shifts = list(view.of_type(_SHIFT, until - _PLAN, until))
            if any(one.zone == seen.zone for one in shifts) and not _is_manned(view, seen, since, until):
                return None
            lasted = lasting.lasted(view, seen, until)
            reports = lasted.reports if lasted is not None and not lasted.blind else ()
        if not reports:
            return None
        return Signal(
            rule=PostAbsent.id,
            kind=PostAbsent.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=key,
            dedupe_window=dt.timedelta(minutes=30),
            anchor=_nobody(seen),
            evidence=tuple(_nobody(report) for report in reports),
            reason="post_absent",
            reason_args={"minutes": grounds.plain(settings.values["absent_min"])},
            stage=question.stage,
            window=(until - hold, until),
        )


def _is_manned(view: View, post: Observation, start: dt.datetime, end: dt.datetime) -> bool:
    """Whether the post's shifts, one after the other, leave no gap from `start` to `end`; `post` aside."""
    reached: dt.datetime | None = None
    shifts = sorted(
        (one.at, one.until)
        for one in view.of_type(_SHIFT, end - _PLAN, end)
        if one.zone == post.zone and one.until is not None and one.id != post.id
    )
    for begins, ends in shifts:
        if reached is None:
            reached = ends if begins <= start <= ends else None
        elif begins <= reached:
            reached = max(reached, ends)
    return reached is not None and reached >= end


def _empty_since_before(view: View, shift: Observation, until: dt.datetime) -> tuple[Observation, ...]:
    """The report that the post was empty when its shift began, where it still is and the camera sees it."""
    last: dict[str, Observation] = {}
    for seen in view.of_type(_ABSENT, shift.at - _EMPTY_BEFORE, until):
        if seen.zone == shift.zone and (seen.at < shift.at or seen.is_over):
            last[seen.device] = seen
    return tuple(
        seen
        for device, seen in sorted(last.items())
        if not seen.is_over and not lasting.unseen(view, device, seen.at, until)
    )


def _nobody(seen: Observation) -> Observation:
    """The report without whom a camera may have taken the guard for."""
    return dataclasses.replace(
        seen,
        sighting_id=None,
        person_id=None,
        household_id=None,
        credential_id=None,
        score=None,
        watch=(),
        token=None,
        person=None,
        visit=None,
        credential=None,
    )
