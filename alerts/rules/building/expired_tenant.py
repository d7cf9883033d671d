"""R-B04: somebody whose tenancy is over still opens a door with what they were given for it.

The rule shuts no door: whether somebody may still come in is the property company's decision, and
for a week most are only late in telling that they stay. So a visit of the grid worker comes first.
"""

import datetime as dt
from typing import ClassVar

from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View


class ExpiredTenant(Rule):
    """Raises one incident a person and day, at whichever door is opened first."""

    id = "R-B04"
    kind = "tenancy.ended"
    rings = frozenset({"building", "entrance"})
    listens = frozenset({"access.granted"})
    severities: ClassVar = {"grace": 4, "after": 3}
    key = "person"
    parameters = (
        Parameter(
            "grace_days",
            "days",
            7,
            0,
            60,
            "How long after the tenancy a card that still opens is only a visit's matter. Too short: "
            "families who stay are a warning. Too long: keys of people long gone stay about.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        person = observation.person
        if person is None or person.tenancy_ended_on is None or person.belongs:
            return None
        if observation.ring == "common" or observation.direction == "out":
            return None
        # Somebody's guest by now, with a pass of their own.
        if observation.visit is not None:
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        shown = question.anchor
        person = shown.person
        if person is None or person.tenancy_ended_on is None:
            return None
        days = (settings.local(shown.at).date() - person.tenancy_ended_on).days
        if days < 0:
            return None
        return Signal(
            rule=ExpiredTenant.id,
            kind=ExpiredTenant.kind,
            severity=settings.severity("grace" if days <= settings.values["grace_days"] else "after"),
            dedupe_key=f"{ExpiredTenant.id}:{person.id}",
            dedupe_window=dt.timedelta(hours=20),
            anchor=shown,
            evidence=(shown,),
            reason="tenancy_ended",
            reason_args={"days": days},
            subject_kind="person",
            subject=person.id,
        )
