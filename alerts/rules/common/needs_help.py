"""R-C08: somebody lies on the ground, or calls for help.

Whoever presses a button is believed at once. Who falls may get up again: what the camera saw must
last a few seconds. A camera that goes blind in those seconds saw a fall all the same, and somebody
looks. Nothing ends it but a person who has been there.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

_FALL: Final = "video.fall"
# A report this long after the last one is of another fall.
_SAME_FALL: Final = dt.timedelta(seconds=60)


class NeedsHelp(Rule):
    """Raises one incident a place and five minutes. Who is told decides the plan, and consent to care."""

    id = "R-C08"
    kind = "person.needs_help"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({_FALL, "alarm.sos"})
    severities: ClassVar = {"day": 1, "night": 1}
    key = "lane"
    safety = True
    parameters = (
        Parameter(
            "lying_s",
            "s",
            10,
            5,
            120,
            "How long somebody must lie. Too short: who ties a shoe is an emergency. Too long: help "
            "comes later.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.is_over or observation.attributes.get("class") == "animal":
            return None
        if observation.type == "alarm.sos":
            return Question(observation, observation.at)
        until = lasting.begun(observation) + settings.seconds("lying_s")
        # Lying there long enough by the camera's own word: nothing to wait for.
        return Question(observation, observation.at if until <= observation.at else until + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen = question.anchor
        lying = settings.values["lying_s"]
        lasted = lasting.Lasted((seen,), ())
        if question.due > seen.at:
            found = lasting.lasted(view, seen, question.due - DISORDER, within=_SAME_FALL)
            if found is None:
                return None
            lasted = found
        sos = seen.type == "alarm.sos"
        return Signal(
            rule=NeedsHelp.id,
            kind=NeedsHelp.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=f"{NeedsHelp.id}:{seen.place}",
            dedupe_window=dt.timedelta(minutes=5),
            anchor=seen,
            evidence=lasted.reports,
            reason="sos" if sos else "fall",
            reason_args={
                "night": settings.is_night(seen.at),
                # Their own people may be called: they have agreed to it.
                "cared_for": seen.person is not None and seen.person.cared_for,
            }
            | ({} if sos else {"lying_s": grounds.plain(max(lying, seen.number("dwell_s") or 0.0))}),
            # Only a button that was given to somebody names them; a face on the ground is not looked up.
            subject_kind="person" if sos and seen.person_id is not None else None,
            subject=seen.person_id if sos else None,
            blind=lasted.blind,
        )
