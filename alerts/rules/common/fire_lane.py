"""R-C05: something stands where the fire engines have to pass.

Whoever is known to own it is called first: most lanes are free again before anybody has walked there.
After a quarter of an hour it is no longer a courtesy.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from alerts.rules.common import grounds, lasting
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Clear, Parameter, Question, Rule, Settings, Signal, View

_BLOCKED: Final = "video.fire_lane_blocked"
_UNRESOLVED: Final = "unresolved"
# A vehicle that is seen elsewhere later than this has long been told to be gone.
_STANDS_AT_MOST: Final = dt.timedelta(hours=12)


class FireLaneBlocked(Rule):
    """Raises one incident a camera, and makes it urgent where nobody has ended it in time.

    Clears when the camera sees the lane free, or the vehicle is seen somewhere else.
    """

    id = "R-C05"
    kind = "fire_lane.blocked"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({_BLOCKED, "plate.recognised"})
    severities: ClassVar = {"blocked": 3, "unresolved": 2}
    key = "device"
    parameters = (
        Parameter(
            "blocked_min",
            "min",
            5,
            1,
            60,
            "How long the lane must be blocked. Too short: who unloads shopping is an incident. "
            "Too long: the owner has gone to bed.",
        ),
        Parameter(
            "unresolved_min",
            "min",
            15,
            2,
            240,
            "After how long from the beginning it becomes urgent. Too short: the owner has no time to "
            "come down. Too long: a fire does not wait.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        if observation.type == "plate.recognised":
            # Each camera's lane is an incident of its own, and the vehicle stands in none of them any more.
            left = _left_by(observation, view)
            return tuple(
                Question(observation, observation.at + DISORDER, f"left:{device}") for device in left
            )
        if observation.is_over:
            return Question(observation, observation.at + DISORDER, f"left:{observation.device}")
        blocked = _until(observation, settings.minutes("blocked_min"))
        unresolved = _until(observation, settings.minutes("unresolved_min"))
        return (
            Question(observation, blocked + DISORDER),
            Question(observation, max(blocked, unresolved) + DISORDER, _UNRESOLVED),
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        what, _, device = question.stage.partition(":")
        if what == "left":
            return Clear(FireLaneBlocked.id, f"{FireLaneBlocked.id}:{device}", seen.at)
        until = question.due - DISORDER
        lasted = lasting.lasted(view, seen, until)
        if lasted is None or lasted.blind:
            return None
        plate = _plate(lasted.reports)
        if plate is not None and _seen_elsewhere(view, plate, lasted.reports[-1], until):
            return None
        unresolved = question.stage == _UNRESOLVED
        if unresolved and not _stands(view, seen):
            # Somebody has closed it, or it was never raised.
            return None
        owner = any(report.vehicle is not None or report.vehicle_id is not None for report in lasted.reports)
        known = plate is not None or owner
        minutes = (until - lasting.begun(seen)).total_seconds() / 60
        return Signal(
            rule=FireLaneBlocked.id,
            kind=FireLaneBlocked.kind,
            severity=settings.severity("unresolved" if unresolved else "blocked"),
            dedupe_key=f"{FireLaneBlocked.id}:{seen.device}",
            dedupe_window=dt.timedelta(minutes=30),
            anchor=seen,
            evidence=lasted.reports,
            reason="fire_lane_blocked_owner_first" if known else "fire_lane_blocked",
            reason_args={"minutes": grounds.plain(minutes), "owner_first": known}
            | ({} if plate is None else {"plate": plate}),
            subject_kind=None if plate is None else "plate",
            subject=plate,
            stage=question.stage,
            window=(lasting.begun(seen), until),
        )


def _until(seen: Observation, hold: dt.timedelta) -> dt.datetime:
    return max(lasting.begun(seen) + hold, seen.at)


def _plate_of(report: Observation) -> str | None:
    if report.plate is not None:
        return report.plate
    told = report.attributes.get("plate")
    return told if isinstance(told, str) and told else None


def _plate(reports: Iterable[Observation]) -> str | None:
    return next((plate for report in reports if (plate := _plate_of(report)) is not None), None)


def _seen_elsewhere(view: View, plate: str, last: Observation, until: dt.datetime) -> bool:
    return any(
        one.zone != last.zone and one.type == "plate.recognised" and one.at > last.at
        for one in view.of_subject(f"plate:{plate}", last.at, until)
    )


def _left_by(vehicle: Observation, view: View) -> Sequence[str]:
    """Cameras that have seen this vehicle stand in a lane elsewhere."""
    if vehicle.plate is None:
        return ()
    reports = view.of_type(_BLOCKED, vehicle.at - _STANDS_AT_MOST, vehicle.at)
    return sorted(
        {
            report.device
            for report in reports
            if report.zone != vehicle.zone and _plate_of(report) == vehicle.plate
        }
    )


def _stands(view: View, seen: Observation) -> bool:
    return any(
        signal.rule == FireLaneBlocked.id and signal.anchor.id == seen.id
        for signal in view.signals(seen.at, seen.at)
    )
