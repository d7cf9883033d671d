"""R-C04: more people stand together than the place can take, and not only for a moment.

Each camera counts for itself: what two cameras see of one square is not added up. It is over when none
of them sees too many. A camera that says "crowd" without a number has a limit of its own.

Where people dance in the evening the book exempts those hours for that zone, or gives them a limit of
their own; the second also ends what was raised before the music began.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Clear, Parameter, Question, Rule, Settings, Signal, View


class Crowd(Rule):
    """Raises one incident a zone; clears when the count has stayed below the limit for as long."""

    id = "R-C04"
    kind = "crowd.gathered"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"video.crowd", "video.person_count"})
    severities: ClassVar = {"day": 3, "night": 3}
    key = "zone"
    parameters = (
        Parameter(
            "limit",
            "people",
            30,
            3,
            5000,
            "How many people are a crowd. Too small: every school run is one. Too large: the "
            "guards come when it is already tight.",
        ),
        Parameter(
            "hold_s",
            "s",
            60,
            10,
            900,
            "How long they must stay, and how long the place must be free again. Too short: people "
            "who pass are a crowd. Too long: minutes lost in a crush.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        many = _is_crowd(observation, settings)
        if many is None:
            return None
        if many:
            return Question(observation, observation.at + DISORDER)
        # Whether there was a crowd before is known only then: its last report may still be on its way.
        return Question(observation, observation.at + settings.seconds("hold_s") + DISORDER, "fewer")

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        hold = settings.seconds("hold_s")
        key = f"{Crowd.id}:{seen.zone}"
        if question.stage == "fewer":
            return Clear(Crowd.id, key, seen.at) if _has_dispersed(seen, view, settings, hold) else None
        run = _run(seen, _counts(view, seen, seen.at - 4 * hold, seen.at), settings, hold)
        if not run:
            return None
        before = run[-2]
        # What goes on is said again now and then, not with each count.
        if lasting.slot(before.at) == lasting.slot(seen.at) and _run(
            before, _counts(view, seen, before.at - 2 * hold, before.at), settings, hold
        ):
            return None
        count = seen.number("count")
        return Signal(
            rule=Crowd.id,
            kind=Crowd.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=key,
            dedupe_window=dt.timedelta(minutes=10),
            anchor=seen,
            evidence=tuple(run),
            reason="crowd",
            reason_args={
                "limit": grounds.plain(settings.values["limit"]),
                "hold_s": grounds.plain(settings.values["hold_s"]),
            }
            | ({} if count is None else {"count": grounds.plain(count)}),
            window=(run[0].at, seen.at),
        )


def _is_crowd(seen: Observation, settings: Settings) -> bool | None:
    """Whether a report says that there are too many; None where it says nothing of how many there are."""
    if seen.is_over:
        return False
    count = seen.number("count")
    if count is not None:
        return count >= settings.values["limit"]
    return True if seen.type == "video.crowd" else None


def _counts(view: View, seen: Observation, start: dt.datetime, end: dt.datetime) -> list[Observation]:
    return [one for one in view.at_device(seen.device, start, end) if one.type in Crowd.listens]


def _run(
    seen: Observation, counts: Sequence[Observation], settings: Settings, hold: dt.timedelta
) -> list[Observation]:
    """The reports up to `seen` that all say too many, over at least `hold`; empty where it is not so long.

    Of twice that time at least two must be there: one count long ago and one now are no crowd.
    """
    run: list[Observation] = []
    for one in reversed(counts):
        if by_time(one) > by_time(seen):
            continue
        many = _is_crowd(one, settings)
        if many is None:
            continue
        if not many or one.at < seen.at - 2 * hold:
            break
        run.append(one)
    run.reverse()
    return run if seen.at - run[0].at >= hold else []


def _has_dispersed(seen: Observation, view: View, settings: Settings, hold: dt.timedelta) -> bool:
    """Whether this camera saw too many just before, and no camera of the zone has since."""
    last: dict[str, bool] = {}
    for one in view.in_zone(seen.zone, seen.at - 2 * hold, seen.at + hold):
        many = _is_crowd(one, settings) if one.type in Crowd.listens else None
        if many is None:
            continue
        if by_time(one) < by_time(seen):
            last[one.device] = many
        elif many:
            return False
    return last.pop(seen.device, False) and not any(last.values())
