"""R-C11: a patrol was due at a checkpoint and has not been there.

A checkpoint is a reader, or a zone where any check-in counts, or a point of the patrol tables where those
of its own round do. A patrol may be a little early; one that comes too late is told of and then ends it by
itself. A round of the tables says itself how early and how late it may be come by.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules import coverage
from alerts.rules.common import grounds
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Excuse, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.site import SiteDevice

_DUE: Final = "patrol.due"
_CHECKED: Final = "patrol.checkin"
# How far back the one before may lie: the night before is another patrol's.
_BEFORE: Final = dt.timedelta(hours=12)
# What a patrol can check in at where the checkpoint is a zone.
_READERS: Final = frozenset({"door", "turnstile", "sensor", "face_camera"})


class PatrolMissed(Rule):
    """Raises one incident a checkpoint; one missed right after another makes it a warning."""

    id = "R-C11"
    kind = "patrol.missed"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({_DUE, _CHECKED})
    severities: ClassVar = {"missed": 4, "missed_again": 3}
    key = "checkpoint"
    excuses = (Excuse(_CHECKED, "zone"),)
    parameters = (
        Parameter(
            "grace_min",
            "min",
            10,
            1,
            60,
            "How late a patrol may be. Too short: a word with a resident is a missed patrol. Too long: "
            "the next one is due before the last was missed.",
        ),
        Parameter(
            "early_min",
            "min",
            15,
            0,
            60,
            "How early it may be. Too short: a brisk walk is a missed patrol. Too long: one walk counts "
            "for two.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        if observation.type == _DUE:
            return Question(observation, observation.at + _grace(observation, settings) + DISORDER)
        # He may have come to the reader, or to the zone, or to both.
        where = {
            _checkpoint(due, view)
            for due in view.of_type(_DUE, observation.at - _BEFORE, observation.at)
            if _is_at(observation, due, view)
        }
        return tuple(
            Question(observation, observation.at + DISORDER, f"came:{place}") for place in sorted(where)
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        due = question.anchor
        what, _, place = question.stage.partition(":")
        if what == "came":
            return Clear(PatrolMissed.id, f"{PatrolMissed.id}:{place}", due.at)
        grace, early = _grace(due, settings), _early(due, settings)
        until = due.at + grace
        if _came(view, due, due.at - early, until) or _is_blind(view, due, due.at - early, until):
            return None
        before = _before(view, due)
        again = False
        if before is not None:
            since = before.at - _early(before, settings)
            # Who came late, but came, has not missed two.
            to = max(before.at + _grace(before, settings), due.at - early)
            again = not _came(view, before, since, to) and not _is_blind(view, before, since, to)
        return Signal(
            rule=PatrolMissed.id,
            kind=PatrolMissed.kind,
            severity=settings.severity("missed_again" if again else "missed"),
            dedupe_key=f"{PatrolMissed.id}:{_checkpoint(due, view)}",
            dedupe_window=_BEFORE,
            anchor=due,
            evidence=(due,) if not again or before is None else (before, due),
            reason="patrol_missed_again" if again else "patrol_missed",
            reason_args={"minutes": grounds.plain(grace.total_seconds() / 60)},
            window=(due.at - early, until),
        )


def _grace(due: Observation, settings: Settings) -> dt.timedelta:
    return _minutes(due.number("grace_min"), settings.minutes("grace_min"))


def _early(due: Observation, settings: Settings) -> dt.timedelta:
    return _minutes(due.number("early_min"), settings.minutes("early_min"))


def _minutes(said: float | None, otherwise: dt.timedelta) -> dt.timedelta:
    return otherwise if said is None else dt.timedelta(minutes=said)


def _checkpoint(due: Observation, view: View) -> str:
    if due.device in view.site.devices:
        return due.device
    return str(due.attributes.get("point") or due.zone)


def _is_at(seen: Observation, due: Observation, view: View) -> bool:
    """Whether a check-in is one at that checkpoint; one from a phone counts for its zone's readers too."""
    wanted, point = due.attributes.get("point"), seen.attributes.get("point")
    if wanted is not None and point is not None:
        return bool(point == wanted and seen.attributes.get("walk") == due.attributes.get("walk"))
    if due.device in view.site.devices and seen.device in view.site.devices:
        return seen.device == due.device
    # A code on the wall is not come by at a reader that hangs somewhere in the same yard.
    return wanted is None and seen.zone == due.zone


def _came(view: View, due: Observation, start: dt.datetime, end: dt.datetime) -> bool:
    return any(_is_at(seen, due, view) for seen in view.of_type(_CHECKED, start, end))


def _readers(view: View, due: Observation) -> list[SiteDevice]:
    known = view.site.devices.get(due.device)
    if known is not None:
        return [known]
    if due.attributes.get("point") is not None:
        return []
    return [device for device in view.site.within(due.zone) if device.kind in _READERS]


def _is_blind(view: View, due: Observation, start: dt.datetime, end: dt.datetime) -> bool:
    return bool(coverage.blind(view, _readers(view, due), start, end))


def _before(view: View, due: Observation) -> Observation | None:
    """The last time a patrol was due at the same checkpoint."""
    place = _checkpoint(due, view)
    found = [
        one
        for one in view.of_type(_DUE, due.at - _BEFORE, due.at)
        if one.at < due.at and _checkpoint(one, view) == place
    ]
    return found[-1] if found else None
