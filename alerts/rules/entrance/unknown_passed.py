"""R-E01: an unknown person passed an entrance, and nothing there let him in.

A stranger's face alone is no alert: the alert is unknown × passage × no credential. A
resident who prefers the card is let in by the card and never flagged (L-04).
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.coverage import blind_at
from alerts.rules.observation import Observation
from alerts.rules.rule import Excuse, Parameter, Question, Rule, Settings, Signal, View

_LET_IN = frozenset({"access.granted", "visitor.checked_in", "visitor.registered"})
_OPENED_BY_HAND = frozenset({"manual_open", "remote_open", "intercom"})
# A face is often taken while the leaf is already moving.
_BEFORE = dt.timedelta(seconds=2)


class UnknownPassed(Rule):
    """Raises one incident a lane and minute."""

    id = "R-E01"
    kind = "person.unknown_passed"
    rings = frozenset({"entrance"})
    listens = frozenset({"face.unknown"})
    severities: ClassVar = {"day": 4, "night": 3}
    key = "lane"
    excuses = (
        Excuse("access.granted"),
        Excuse("visitor.checked_in"),
        Excuse("visitor.registered"),
    )
    parameters = (
        Parameter(
            "window_s",
            "s",
            10,
            2,
            60,
            "How long a credential may follow or precede the face. Too short: residents who "
            "search for their card are flagged. Too long: a stranger hides behind the next resident.",
        ),
        Parameter(
            "settle_s",
            "s",
            1,
            0,
            5,
            "How long to wait for events that are still on their way. Too short: a slow reader "
            "makes false alarms. Too long: the operator hears of it late.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if (
            observation.type == "face.unknown"
            and observation.ring == "entrance"
            and observation.direction == "in"
        ):
            return Question(
                observation, observation.at + settings.seconds("window_s") + settings.seconds("settle_s")
            )
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        face = question.anchor
        window = settings.seconds("window_s")
        around = list(view.at_place(face.place, face.at - window, face.at + window))
        if any(seen.type in _LET_IN or seen.cause in _OPENED_BY_HAND for seen in around):
            return None
        if any(
            one.why == "offline" for one in blind_at(view, face.place, face.at - window, face.at + window)
        ):
            # The reader or the door that is away may have let him in and tells it later.
            return None
        passages = [seen for seen in around if _is_passage(seen) and seen.at >= face.at - _BEFORE]
        if not passages:
            return None
        night = settings.is_night(face.at)
        return Signal(
            rule=UnknownPassed.id,
            kind=UnknownPassed.kind,
            severity=settings.by_hour(face.at),
            dedupe_key=f"{UnknownPassed.id}:{face.place}",
            dedupe_window=dt.timedelta(seconds=60),
            anchor=face,
            evidence=(face, *passages),
            reason="unknown_passed",
            reason_args={
                "lane": face.place,
                "window_s": settings.values["window_s"],
                "night": night,
                "distance": face.score,
            },
        )


def _is_passage(seen: Observation) -> bool:
    return seen.type == "door.opened" or (seen.type == "video.line_crossing" and seen.direction == "in")
