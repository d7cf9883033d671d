"""R-C02: by night the same somebody is seen here and there where nobody has anything to do.

It needs a subject that is known again: a registered person who does not live or work here, a pass, a
plate, or a token. Tokens of strangers exist only where a compound has switched them on (L-19); without
them this rule sees nothing of strangers. Of a person about whom the register says nothing it is silent.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Blind, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import SiteDevice

_SEEN: Final = frozenset(
    {
        *("face.identified", "face.unknown", "plate.recognised", "access.granted", "access.denied"),
        *("video.loitering", "video.intrusion", "video.line_crossing"),
    }
)


class LoiteringAcross(Rule):
    """Raises one incident a subject and half hour. Whoever goes into a building was on the way there."""

    id = "R-C02"
    kind = "person.loitering_across"
    rings = frozenset({"common"})
    listens = _SEEN
    severities: ClassVar = {"night": 3}
    key = "subject"
    confirms = True
    parameters = (
        Parameter(
            "sightings",
            "sightings",
            3,
            2,
            20,
            "How often the subject must be seen. Too few: who looks for the way is an incident. Too "
            "many: who tries every lock is one at dawn.",
        ),
        Parameter(
            "in_zones",
            "zones",
            2,
            1,
            10,
            "In how many zones. Too few: R-C01 says it already. Too many: small compounds never hear of it.",
        ),
        Parameter(
            "window_min",
            "min",
            30,
            5,
            120,
            "Within what time. Too short: who takes care is not noticed. Too long: a stroll and the way "
            "home are one.",
        ),
        Parameter(
            "apart_s",
            "s",
            60,
            0,
            600,
            "How far apart two sightings by one zone must lie to be two. Too short: one passage before a "
            "quick camera is many. Too long: who comes back is not counted.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if (
            observation.ring == "common"
            and observation.subjects
            and settings.is_night(observation.at)
            and grounds.is_sensitive(view, observation.zone, observation.at, settings)
            and not _belongs(observation)
        ):
            return Question(observation, observation.at + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        last = question.anchor
        start = last.at - settings.minutes("window_min")
        path = _path(last, view, start)
        if any(_belongs(seen) for seen in path):
            return None
        sightings = _sightings(path, view, settings)
        zones = {seen.zone for seen in sightings}
        if len(sightings) < settings.values["sightings"] or len(zones) < settings.values["in_zones"]:
            return None
        if any(seen.ring == "building" and seen.at >= sightings[0].at for seen in path):
            return None
        entitled, others = _doors(last, view, zones)
        if coverage.blind(view, entitled, sightings[0].at, last.at):
            return None
        kind, _, subject = last.subjects[0].partition(":")
        blind: tuple[Blind, ...] = coverage.blind(view, others, sightings[0].at, last.at)
        return Signal(
            rule=LoiteringAcross.id,
            kind=LoiteringAcross.kind,
            severity=settings.severity("night"),
            dedupe_key=f"{LoiteringAcross.id}:{last.subjects[0]}",
            dedupe_window=dt.timedelta(minutes=30),
            anchor=last,
            evidence=tuple(sightings),
            reason="loitering_across",
            reason_args={
                "sightings": len(sightings),
                "zones": len(zones),
                "window_min": grounds.plain(settings.values["window_min"]),
                "night": True,
            },
            needs_comparison=any(seen.type.startswith("face.") for seen in sightings),
            subject_kind=kind,
            subject=subject,
            window=(start, last.at),
            blind=blind,
        )


def _belongs(seen: Observation) -> bool:
    """Lives or works here, drives a registered vehicle, or comes with lights on."""
    if seen.person is not None:
        return seen.person.belongs or seen.person.staff
    if seen.person_id is not None or seen.household_id is not None or seen.vehicle_id is not None:
        return True
    return seen.plate_welcome and seen.visit is None


def _path(last: Observation, view: View, start: dt.datetime) -> list[Observation]:
    """All that was seen of the subject, by whatever it is known, in order of time."""
    found = {seen.id: seen for subject in last.subjects for seen in view.of_subject(subject, start, last.at)}
    return sorted(found.values(), key=by_time)


def _sightings(path: list[Observation], view: View, settings: Settings) -> list[Observation]:
    """Those in sensitive zones, each passage before a zone's cameras once."""
    apart = settings.seconds("apart_s")
    found: list[Observation] = []
    for seen in path:
        if seen.type not in _SEEN or not grounds.is_sensitive(view, seen.zone, seen.at, settings):
            continue
        if found and found[-1].zone == seen.zone and seen.at - found[-1].at < apart:
            continue
        found.append(seen)
    return found


def _doors(last: Observation, view: View, zones: set[str]) -> tuple[list[SiteDevice], list[SiteDevice]]:
    """Devices of the buildings that the subject may enter, and of the others beside where it was seen."""
    may = last.visit.zones if last.visit is not None else frozenset()
    if last.person is not None:
        may |= last.person.buildings
    devices = list(view.site.in_ring("building"))
    entitled = [one for one in devices if one.zone in may]
    near = [
        one
        for one in devices
        if one.zone not in may and any(view.site.adjoin(zone, one.zone) for zone in zones)
    ]
    return entitled, near
