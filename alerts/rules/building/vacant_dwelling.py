"""R-B08: something stirs in a dwelling that stands empty, and nobody is known who may be there."""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Final

from alerts.rules.building.houses import is_one_house
from alerts.rules.coverage import blind
from alerts.rules.observation import DwellingFacts, Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import SiteDevice

# A contractor's pass counts for as long as it lasts, up to a long day's work.
_WORKING_DAY: Final = dt.timedelta(hours=12)
_RELEASE: Final = frozenset({"door", "turnstile", "face_camera"})


class VacantDwelling(Rule):
    """Raises one incident a dwelling and half a day.

    A contractor's pass is the work permit; the owner comes by a credential of the dwelling; staff
    show it. None of them need be seen at the dwelling's own door: that they came into the house
    shortly before is enough. Silent where a reader of the house was away in that time, except where
    the door itself says that it was forced.
    """

    id = "R-B08"
    kind = "dwelling.vacant_activity"
    rings = frozenset({"building"})
    listens = frozenset({"door.opened", "door.forced", "access.granted"})
    severities: ClassVar = {"activity": 3}
    key = "dwelling"
    excuses = (Excuse("access.granted", "zone", words="excuse_permit"),)
    parameters = (
        Parameter(
            "stay_s",
            "s",
            14400,
            300,
            43200,
            "How long after the house's door somebody with a right may be at the dwelling. Too short: "
            "an owner who airs the rooms is reported. Too long: an owner excuses whoever comes after.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        home = observation.dwelling
        if observation.ring != "building" or home is None or home.state != "vacant":
            return None
        if observation.type == "door.forced":
            return Question(observation, observation.at)
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        stirs = question.anchor
        home = stirs.dwelling
        if home is None:
            return None
        since = stirs.at - settings.seconds("stay_s")
        if stirs.type != "door.forced":
            if _has_right(stirs, home) or _somebody_may(stirs, home, view, since):
                return None
            readers = [one for one in _of_house(view, home) if one.kind in _RELEASE]
            if blind(view, readers, since, stirs.at, as_of=question.due):
                return None
        return Signal(
            rule=VacantDwelling.id,
            kind=VacantDwelling.kind,
            severity=settings.severity("activity"),
            dedupe_key=f"{VacantDwelling.id}:{home.id}",
            dedupe_window=dt.timedelta(hours=12),
            anchor=stirs,
            evidence=(stirs,),
            reason="vacant_dwelling",
            reason_args={"dwelling": home.id},
            subject_kind="dwelling",
            subject=home.id,
            window=(since, stirs.at),
        )


def _somebody_may(stirs: Observation, home: DwellingFacts, view: View, since: dt.datetime) -> bool:
    """Whether somebody came into the house who may be in the dwelling."""
    for zone in _zones(view, home):
        for seen in view.in_zone(zone, stirs.at - _WORKING_DAY, stirs.at):
            if seen.type not in {"access.granted", "visitor.checked_in"} or seen.direction == "out":
                continue
            if seen.at < since and seen.visit is None:
                continue
            if _has_right(seen, home, now=stirs.at):
                return True
    return False


def _has_right(seen: Observation, home: DwellingFacts, now: dt.datetime | None = None) -> bool:
    visit, person = seen.visit, seen.person
    if visit is not None and visit.kind == "contractor" and (now or seen.at) <= visit.ends_at:
        return True
    if person is None:
        return False
    is_owners = seen.dwelling is not None and seen.dwelling.id == home.id and person.belongs
    return person.staff or is_owners


def _zones(view: View, home: DwellingFacts) -> Iterable[str]:
    near = [
        zone.id
        for zone in view.site.zones.values()
        if zone.ring == "building" and is_one_house(view.site, home.zone, zone.id)
    ]
    return near or [home.zone]


def _of_house(view: View, home: DwellingFacts) -> Iterable[SiteDevice]:
    return [device for zone in _zones(view, home) for device in view.site.within(zone)]
