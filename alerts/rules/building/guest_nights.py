"""R-B02: somebody is in a building by night, again and again, who neither lives nor is invited there.

A question for the grid worker's next visit: often somebody has moved in and not told. It says nothing
of what they do there, never becomes graver, and never counts faces that nobody knows (L-19).
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.building.houses import is_at_home
from alerts.rules.nights import night_of
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

# Late suppers are brought every night; that is no residence.
_COMES_AND_GOES: Final = frozenset({"courier", "food_delivery"})


class GuestNights(Rule):
    """Raises one incident a subject and week. Stands on what was seen, whoever was blind."""

    id = "R-B02"
    kind = "residence.nights"
    rings = frozenset({"building"})
    listens = frozenset({"access.granted", "face.identified", "visitor.checked_in"})
    severities: ClassVar = {"visit": 4}
    key = "subject"
    confirms = True
    parameters = (
        Parameter(
            "nights",
            "nights",
            3,
            2,
            7,
            "In how many nights somebody must be seen. Too few: a visit over a weekend is a matter of "
            "the grid worker's. Too many: people who moved in are found out after weeks.",
        ),
        Parameter(
            "within_days",
            "days",
            7,
            2,
            31,
            "Within how many days. Too few: who comes every other night is never counted. Too many: "
            "grandparents who visit once a week are.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring != "building" or _subject(observation) is None:
            return None
        if night_of(observation.at, settings.time_zone) is None or _is_entitled(observation, view):
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen = question.anchor
        subject = _subject(seen)
        evening = night_of(seen.at, settings.time_zone)
        if subject is None or evening is None:
            return None
        days = round(settings.values["within_days"])
        nights = view.nights(subject, seen.zone, evening - dt.timedelta(days=days - 1), evening)
        if nights < settings.values["nights"]:
            return None
        kind, _, name = subject.partition(":")
        return Signal(
            rule=GuestNights.id,
            kind=GuestNights.kind,
            # As it stands in the table: no emergency makes a visit of the grid worker's graver.
            severity=settings.severities["visit"],
            dedupe_key=f"{GuestNights.id}:{subject}",
            dedupe_window=dt.timedelta(days=7),
            anchor=seen,
            evidence=(seen,),
            reason="guest_nights",
            reason_args={"nights": nights, "days": days},
            needs_comparison=seen.type.startswith("face."),
            subject_kind=kind,
            subject=name,
        )


def _subject(seen: Observation) -> str | None:
    """The registered person, or the pass; of nobody else nights are counted."""
    return next((one for one in seen.subjects if one.startswith(("person:", "pass:"))), None)


def _is_entitled(seen: Observation, view: View) -> bool:
    person, visit = seen.person, seen.visit
    if person is not None and (person.staff or is_at_home(view.site, seen.zone, person.buildings)):
        return True
    if visit is None:
        # Of somebody of whom the register says nothing, nothing can be said.
        return person is None
    if visit.kind in _COMES_AND_GOES:
        return True
    homes = {zone for zone in visit.zones if _is_building(view, zone)}
    if seen.dwelling is not None:
        homes.add(seen.dwelling.zone)
    # A pass for the gate alone says nothing of where its bearer sleeps.
    return not homes or is_at_home(view.site, seen.zone, homes)


def _is_building(view: View, zone: str) -> bool:
    known = view.site.zones.get(zone)
    return known is not None and known.ring == "building"
