"""R-D08: a face terminal does not recognise somebody who lives here and agreed to be recognised.

Faces change, and terminals are worse at some faces than at others. Nobody is to stand before their
own door and be refused a third time: the guard goes and lets them in, and the picture is renewed.
It is a service to a person, no suspicion: nothing is to be confirmed, and nobody is sent after them.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.refusals import by_face
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

# Further tries at one door are the same trouble.
_TOGETHER: Final = dt.timedelta(minutes=30)


class RefusedResident(Rule):
    """Raises one incident a person and lane and half hour."""

    id = "R-D08"
    kind = "access.refused_resident"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"access.denied"})
    severities: ClassVar = {"usual": 4}
    key = "person"
    excuses = (Excuse("access.granted", "subject"),)
    parameters = (
        Parameter(
            "times",
            "times",
            3,
            2,
            10,
            "After how many refusals somebody helps. Too few: whoever looks away once gets a visit. Too "
            "many: an old man stands in the rain.",
        ),
        Parameter(
            "window_s",
            "s",
            300,
            60,
            1800,
            "Within what time. Too short: somebody slow is not helped. Too long: refusals of two errands "
            "are added up.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        return Question(observation, observation.at + DISORDER) if _counts(observation) else None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        last = question.anchor
        start = last.at - settings.seconds("window_s")
        refused: list[Observation] = []
        for seen in view.of_subject(f"person:{last.person_id}", start, last.at):
            if seen.type == "access.granted":
                # In by now: what comes later is another errand.
                refused.clear()
            elif _counts(seen) and seen.place == last.place:
                refused.append(seen)
        if len(refused) < settings.values["times"]:
            return None
        return Signal(
            rule=RefusedResident.id,
            kind=RefusedResident.kind,
            severity=settings.severity("usual"),
            dedupe_key=f"{RefusedResident.id}:{last.place}:{last.person_id}",
            dedupe_window=_TOGETHER,
            anchor=last,
            evidence=tuple(refused),
            reason="refused_resident",
            reason_args={"lane": last.place, "count": len(refused)},
            subject_kind="person",
            subject=last.person_id,
            window=(start, last.at),
        )


def _counts(seen: Observation) -> bool:
    return (
        seen.type == "access.denied"
        and seen.person_id is not None
        and seen.person is not None
        and seen.person.belongs
        and by_face(seen)
    )
