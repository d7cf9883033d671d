"""R-E01: an unknown person passed an entrance, and nothing there let him in.

A stranger's face alone is no alert: the alert is unknown × passage × no credential. A
resident who prefers the card is let in by the card and never flagged (L-04). While the way
stands open for everybody (a school run, a removal) nobody needs a credential.
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.causes import BY_HAND
from alerts.rules.entrance.lane import LET_IN, away, stands_open
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

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
        Excuse("door.opened", cause="manual_open"),
        Excuse("door.opened", cause="intercom"),
    )
    parameters = (
        Parameter(
            "window_s",
            "s",
            10,
            2,
            60,
            "How long a credential may follow or precede the face. Too short: residents who "
            "search for their card are flagged. Too long: a stranger hides behind the next "
            "resident, and the operator hears of it later.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring == "entrance" and observation.direction == "in":
            return Question(observation, observation.at + settings.seconds("window_s") + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        face = question.anchor
        window = settings.seconds("window_s")
        start, end = face.at - window, face.at + window
        around = list(view.at_place(face.place, start, end))
        if any(seen.type in LET_IN or seen.cause in BY_HAND for seen in around):
            return None
        passages = [seen for seen in around if _is_passage(seen) and seen.at >= face.at - _BEFORE]
        if not passages or stands_open(view, face.place, face.at):
            return None
        if away(view, face.place, start, end):
            # The reader or the door that is away may have let him in and tells it later.
            return None
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
                "night": settings.is_night(face.at),
                "distance": face.score,
            },
            window=(start, end),
        )


def _is_passage(seen: Observation) -> bool:
    return seen.type == "door.opened" or (seen.type == "video.line_crossing" and seen.direction == "in")
