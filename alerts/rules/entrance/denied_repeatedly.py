"""R-E10: somebody was refused again and again with the same card, or at the same lane.

Most of them have the wrong card; it turns grave where a door is forced or somebody slips in behind
a resident right afterwards. Faces do not count: a terminal refuses each passer-by that looks at
it, and a resident whom it does not know any more is R-D08's.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.refusals import MAINTENANCE, by_face, why_refused
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_FOLLOWED: Final = frozenset({"door.forced", "video.tailgating"})


class DeniedRepeatedly(Rule):
    """Raises one incident a lane (or a card that goes from lane to lane); worse if it went on."""

    id = "R-E10"
    kind = "access.denied_repeatedly"
    rings = frozenset({"entrance"})
    listens = frozenset({"access.denied", *_FOLLOWED})
    # Tailgating that was counted rather than told by a camera.
    hears = frozenset({"R-E05"})
    severities: ClassVar = {"denied": 4, "followed": 3}
    key = "lane"
    excuses = (Excuse("access.denied", cause=MAINTENANCE),)
    parameters = (
        Parameter(
            "times",
            "times",
            3,
            2,
            20,
            "How many refusals are too many. Too few: each worn card is an incident. Too many: whoever "
            "tries found cards is not heard of.",
        ),
        Parameter(
            "window_s",
            "s",
            120,
            30,
            900,
            "Within what time. Too short: somebody patient goes unnoticed. Too long: a busy lane adds up "
            "the mistakes of many people.",
        ),
        Parameter(
            "after_s",
            "s",
            300,
            30,
            1800,
            "How long after the last refusal a forced door or tailgating belongs to it. Too short: whoever "
            "waits for the next resident is missed. Too long: strangers to each other are made one.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring != "entrance":
            return None
        if observation.type in _FOLLOWED:
            if observation.is_over:
                return None
            return Question(observation, observation.at + DISORDER, "followed")
        return Question(observation, observation.at + DISORDER) if _counts(observation) else None

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        anchor = signal.anchor
        if anchor.ring != "entrance" or anchor.type in _FOLLOWED:
            return None
        return Question(anchor, anchor.at + DISORDER, "followed")

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        anchor = question.anchor
        if question.stage != "followed":
            return _signal(anchor, anchor, view, settings, followed=False)
        refusals = [
            seen
            for seen in view.at_place(anchor.place, anchor.at - settings.seconds("after_s"), anchor.at)
            if _counts(seen)
        ]
        # The last refusals first: they are the ones that it followed.
        for last in reversed(refusals):
            found = _signal(last, anchor, view, settings, followed=True)
            if found is not None:
                return found
        return None


def _signal(
    last: Observation, anchor: Observation, view: View, settings: Settings, *, followed: bool
) -> Signal | None:
    start = last.at - settings.seconds("window_s")
    least = settings.values["times"]
    key = last.place
    refusals = [seen for seen in view.at_place(last.place, start, last.at) if _counts(seen)]
    if len(refusals) < least and last.credential_id is not None:
        shown = view.of_subject(f"credential:{last.credential_id}", start, last.at)
        refusals = [seen for seen in shown if _counts(seen)]
        key = f"credential:{last.credential_id}"
    if len(refusals) < least:
        return None
    return Signal(
        rule=DeniedRepeatedly.id,
        kind=DeniedRepeatedly.kind,
        severity=settings.severity("followed" if followed else "denied"),
        dedupe_key=f"{DeniedRepeatedly.id}:{key}",
        # Longer than the time in which what follows still belongs to it.
        dedupe_window=max(dt.timedelta(minutes=10), settings.seconds("after_s") * 2),
        anchor=anchor,
        evidence=(*refusals, anchor) if followed else tuple(refusals),
        reason="denied_then_followed" if followed else "denied_repeatedly",
        reason_args={
            "lane": last.place,
            "count": len(refusals),
            "window_s": round(settings.values["window_s"]),
            "followed_by": anchor.type if followed else None,
        },
        subject_kind="credential" if last.credential_id is not None else None,
        subject=last.credential_id,
        stage="followed" if followed else "",
        window=(start, anchor.at),
    )


def _counts(seen: Observation) -> bool:
    return (
        seen.type == "access.denied"
        and seen.ring == "entrance"
        and why_refused(seen) != MAINTENANCE
        and not by_face(seen)
    )
