"""R-C01: somebody stays where nobody has anything to stay for.

What a camera calls loitering is believed, unless it says for how long and that is not long enough.
It is nobody's face: a guard who stands there has checked in, or was seen at the same place.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Settings, Signal, View

# Types that may say for how long; only the first means loitering without it.
_TELLS: Final = ("video.loitering", "video.intrusion", "video.person_count")
_NOT_PEOPLE: Final = frozenset({"animal", "vehicle", "trolley"})


class Loitering(Rule):
    """Raises one incident a zone and ten minutes; a patrol that checks in there afterwards ends it.

    That the camera sees nobody any more ends nothing: where to is what the operator asks.
    """

    id = "R-C01"
    kind = "person.loitering"
    rings = frozenset({"common"})
    listens = frozenset({*_TELLS, "patrol.checkin"})
    severities: ClassVar = {"day": 4, "night": 3}
    key = "zone"
    excuses = (Excuse("patrol.checkin", "zone"),)
    parameters = (
        Parameter(
            "dwell_s",
            "s",
            180,
            30,
            1800,
            "How long somebody must stay by day. Too short: who looks for a key is an incident. "
            "Too long: a lock is broken sooner.",
        ),
        Parameter(
            "dwell_night_s",
            "s",
            90,
            15,
            1800,
            "The same by night. Too short: who comes home late is an incident. Too long: nobody "
            "else is about to see it.",
        ),
        Parameter(
            "patrol_s",
            "s",
            300,
            0,
            1800,
            "How long after checking in a patrol may still be there. Too short: the patrol is taken "
            "for a loiterer. Too long: a loiterer goes unseen behind it.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if not grounds.is_sensitive(view, observation.zone, observation.at, settings):
            return None
        if observation.type == "patrol.checkin":
            return Question(observation, observation.at + DISORDER, "patrol")
        return Question(observation, observation.at + DISORDER) if _stays(observation, settings) else None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        key = f"{Loitering.id}:{seen.zone}"
        if question.stage == "patrol":
            return Clear(Loitering.id, key, seen.at)
        since = seen.at - _dwell(seen, settings)
        around = list(view.in_zone(seen.zone, since - settings.seconds("patrol_s"), seen.at))
        if any(_is_patrol(one, since) for one in around):
            return None
        reports = [one for one in around if _stays(one, settings) and by_time(one) <= by_time(seen)]
        if any(lasting.slot(one.at) == lasting.slot(seen.at) for one in reports[:-1]):
            return None
        dwell = seen.number("dwell_s")
        return Signal(
            rule=Loitering.id,
            kind=Loitering.kind,
            severity=settings.by_hour(seen.at),
            dedupe_key=key,
            dedupe_window=dt.timedelta(minutes=10),
            anchor=seen,
            evidence=tuple(one for one in reports if one.at >= since),
            reason="loitering",
            reason_args={"night": settings.is_night(seen.at)}
            | ({} if dwell is None else {"dwell_s": grounds.plain(dwell)}),
            window=(since, seen.at),
            blind=coverage.blind(view, view.site.within(seen.zone), since, seen.at),
        )


def _least(moment: dt.datetime, settings: Settings) -> dt.timedelta:
    return settings.seconds("dwell_night_s" if settings.is_night(moment) else "dwell_s")


def _dwell(seen: Observation, settings: Settings) -> dt.timedelta:
    """How long by the camera's word; as long as it must be where it only says that it was long."""
    return max(seen.at - lasting.begun(seen), _least(seen.at, settings))


def _stays(seen: Observation, settings: Settings) -> bool:
    if seen.type not in _TELLS or seen.is_over or seen.attributes.get("class") in _NOT_PEOPLE:
        return False
    if seen.person is not None and seen.person.staff:
        return False
    dwell = seen.number("dwell_s")
    if dwell is None:
        return seen.type == "video.loitering"
    return dt.timedelta(seconds=dwell) >= _least(seen.at, settings)


def _is_patrol(seen: Observation, since: dt.datetime) -> bool:
    staff = seen.person is not None and seen.person.staff and seen.at >= since
    return staff or seen.type == "patrol.checkin"
