"""R-B01: somebody is in a building, and no entrance has seen them come.

Of people who belong here it is a gap in the data: they went out, and how they came back nobody
knows. Who never went out was at home, which no device has to confirm. Of a visitor, or of a stranger
who is known again, it is a warning: there is a way in that nobody watches, or somebody climbed.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Final

from alerts.rules.building.houses import is_one_house
from alerts.rules.coverage import blind
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Blind, Excuse, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import Site, SiteDevice
from alerts.rules.steps import Step, direction_of, shows_presence, trace

# The memory is a little longer than the window (not used to its very edge): who was in before that
# and never left is in still.
_BEFORE: Final = dt.timedelta(hours=2, minutes=30)
# One card opens for the whole family: whoever came in with them showed nothing, and was at the
# building within the hour.
_WITH_FAMILY: Final = ("plate.recognised", "access.granted", "face.identified")
_TO_THE_BUILDING: Final = dt.timedelta(hours=1)


class NoEntrance(Rule):
    """Raises one incident a subject and day.

    Silent where any device at an entrance from which the building can be reached was blind in the
    window, where an entrance saw the subject come, where the family came in within the last hour,
    and where the building knew of it before: then it was judged there.
    """

    id = "R-B01"
    kind = "path.no_entrance"
    rings = frozenset({"building"})
    listens = frozenset(
        {"access.granted", "face.identified", "face.unknown", "video.line_crossing", "visitor.checked_in"}
    )
    severities: ClassVar = {"belongs": 4, "other": 3}
    key = "subject"
    confirms = True
    excuses = (Excuse("access.granted", "subject", words="excuse_entrance"),)
    parameters = (
        Parameter(
            "window_h",
            "h",
            24,
            1,
            24,
            "How far back an entrance may have seen them. Too short: visitors who stay the night are a "
            "warning. Too long: any device that was away for a minute keeps the rule silent for a day.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring != "building" or not observation.subjects:
            return None
        if direction_of(observation, view.site) == "out":
            return None
        return Question(observation, observation.at + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        there = question.anchor
        opens = there.at - settings.hours("window_h")
        seen = _seen_of(there, view, opens - _BEFORE)
        if _came_in(seen, there, view.site, opens):
            return None
        # What was seen of it before this passage, which may have begun with another device's word.
        before = [step for step in trace(seen, view.site) if there not in step.seen]
        gone = _last_out(before)
        since = opens if gone is None else max(gone.at, opens)
        inside = [step for step in before if gone is None or step.at > gone.at]
        if any(step.ring == "entrance" for step in inside if step.at >= opens):
            return None
        if any(step.ring == "building" for step in inside):
            return None
        if gone is None and _may_have_been_in(there, inside, opens):
            return None
        entrances = [device for device in view.site.in_ring("entrance") if _leads(view.site, device, there)]
        if blind(view, entrances, since, there.at, as_of=question.due):
            return None
        if _came_with_family(there, view, since):
            return None
        subject_kind, _, subject = there.subjects[0].partition(":")
        return Signal(
            rule=NoEntrance.id,
            kind=NoEntrance.kind,
            severity=settings.severity("belongs" if _belongs(there) else "other"),
            dedupe_key=f"{NoEntrance.id}:{there.subjects[0]}",
            dedupe_window=dt.timedelta(hours=24),
            anchor=there,
            evidence=(*(gone.seen if gone is not None else ()), *_seen_in(inside), there),
            reason="no_entrance" if gone is None else "no_entrance_since",
            reason_args={
                "hours": round((there.at - since) / dt.timedelta(hours=1), 1),
                "entrances": len({device.zone for device in entrances}),
            },
            needs_comparison=there.type.startswith("face."),
            subject_kind=subject_kind,
            subject=subject,
            window=(since, there.at),
            blind=_others_blind(question, view, since),
        )


def _seen_of(there: Observation, view: View, start: dt.datetime) -> list[Observation]:
    found = {one.id: one for name in there.subjects for one in view.of_subject(name, start, there.at)}
    return [one for one in found.values() if shows_presence(one)]


def _came_in(seen: Iterable[Observation], there: Observation, site: Site, opens: dt.datetime) -> bool:
    """Whether there is nothing to ask, which is so nearly always: an entrance has said the last word.

    Or none has said anything of somebody who belongs here, and may have been at home.
    """
    last = max((one for one in seen if one.ring == "entrance"), key=by_time, default=None)
    if last is None:
        return _belongs(there)
    return last.at >= opens and direction_of(last, site) != "out"


def _belongs(there: Observation) -> bool:
    return there.person is not None and there.person.belongs


def _last_out(steps: Iterable[Step]) -> Step | None:
    """The last time an entrance saw it leave, where it did not see it come back."""
    last = None
    for step in steps:
        if step.ring == "entrance":
            last = step if step.direction == "out" and step.passed else None
    return last


def _may_have_been_in(there: Observation, inside: list[Step], opens: dt.datetime) -> bool:
    """Whether it can have been in since before the window: nobody has seen it leave."""
    if _belongs(there) or any(step.at < opens and step.passed for step in inside):
        return True
    visit = there.visit
    return visit is not None and visit.starts_at < opens and visit.uses > 0


def _came_with_family(there: Observation, view: View, since: dt.datetime) -> bool:
    """Whether the household's car or one of its people has come in since, whom one may have been with."""
    person = there.person
    if person is None or not person.belongs:
        return False
    return any(
        seen.ring == "entrance" and direction_of(seen, view.site) != "out" and _is_family(seen, there)
        for kind in _WITH_FAMILY
        for seen in view.of_type(kind, max(since, there.at - _TO_THE_BUILDING), there.at)
    )


def _is_family(seen: Observation, there: Observation) -> bool:
    household = there.household_id or (there.person.household_id if there.person is not None else None)
    if seen.vehicle is not None and there.person_id in seen.vehicle.drivers:
        return True
    theirs = {
        seen.household_id,
        seen.person.household_id if seen.person is not None else None,
        seen.vehicle.household_id if seen.vehicle is not None else None,
    }
    return household is not None and household in theirs


def _leads(site: Site, device: SiteDevice, there: Observation) -> bool:
    """Whether the building can be reached from the device's entrance; yes where the plan does not say."""
    known = site.zones.get(device.zone)
    if known is None or not known.neighbours or there.zone not in site.zones:
        return True
    return site.leads(device.zone, there.zone)


def _seen_in(inside: Iterable[Step]) -> tuple[Observation, ...]:
    return tuple(one for step in inside for one in step.seen)


def _others_blind(question: Question, view: View, since: dt.datetime) -> tuple[Blind, ...]:
    """Who else could have seen it on its way and was blind: the common areas' and this house's."""
    there = question.anchor
    devices = [
        device
        for device in view.site.devices.values()
        if (zone := view.site.zones.get(device.zone)) is not None
        and (
            zone.ring == "common"
            or (zone.ring == "building" and is_one_house(view.site, device.zone, there.zone))
        )
    ]
    return blind(view, devices, since, there.at, as_of=question.due)
