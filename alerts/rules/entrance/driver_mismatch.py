"""R-E07: somebody drives a vehicle whose owner wants to be asked, and is none of those who may.

An unknown driver is no mismatch, nor is one of whom recognition is not sure: sunglasses and a low
sun are no theft. One face of somebody who may is enough, whoever else sits beside. What the owner
says when asked weighs more than any picture: their "no" is urgent.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

from alerts.rules.coverage import blind_at
from alerts.rules.entrance.vehicles import READ_TWICE, is_read_twice
from alerts.rules.observation import Observation, VehicleFacts
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

_READ = frozenset({"plate.recognised", "plate.uncertain", "plate.none"})
_OWNER_NO = "owner_no"
# How long after a passage an owner's answer belongs to it.
_ANSWERS_WITHIN = dt.timedelta(hours=2)


class DriverMismatch(Rule):
    """Raises one incident a plate and ten minutes; the owner's "no" makes it urgent."""

    id = "R-E07"
    kind = "vehicle.driver_mismatch"
    rings = frozenset({"entrance"})
    listens = frozenset({"plate.recognised", "report.created"})
    severities: ClassVar = {"day": 3, "night": 3, "owner_no": 2}
    key = "plate"
    confirms = True
    excuses = (Excuse("face.identified", words="excuse_driver"),)
    parameters = (
        Parameter(
            "window_s",
            "s",
            10,
            2,
            60,
            "How far from its plate a driver's face may be taken. Too short: the camera at the "
            "window sees nobody in time. Too long: the next vehicle's driver is taken for this one's.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.plate is None:
            return None
        if observation.type == "report.created":
            if observation.cause != _OWNER_NO:
                return None
            return Question(observation, observation.at, stage=_OWNER_NO)
        vehicle = observation.vehicle
        if observation.ring != "entrance" or vehicle is None or not vehicle.guarded or not vehicle.drivers:
            return None
        # A face at the window's end may be nearer to the plate that is read after it.
        return Question(observation, observation.at + 2 * settings.seconds("window_s") + DISORDER)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        if question.stage == _OWNER_NO:
            return _on_no(question.anchor, view, settings)
        plate = question.anchor
        vehicle = plate.vehicle
        if vehicle is None:
            return None
        window = settings.seconds("window_s")
        around = list(view.at_place(plate.place, plate.at - 2 * window, plate.at + 2 * window))
        faces = [
            seen
            for seen in around
            if seen.type == "face.identified"
            and abs(seen.at - plate.at) <= window
            and _goes_the_same_way(seen, plate)
            and _is_nearest(seen, plate, around)
        ]
        drivers = [seen for seen in faces if seen.person_id is not None]
        if not drivers or any(_may_drive(seen, vehicle) for seen in faces):
            return None
        return Signal(
            rule=DriverMismatch.id,
            kind=DriverMismatch.kind,
            severity=settings.by_hour(plate.at),
            dedupe_key=_key(plate),
            dedupe_window=dt.timedelta(minutes=10),
            anchor=plate,
            evidence=(plate, *drivers),
            reason="driver_mismatch",
            reason_args={
                "lane": plate.place,
                "plate": plate.plate,
                "distance": drivers[0].score,
                "night": settings.is_night(plate.at),
            },
            needs_comparison=True,
            subject_kind="plate",
            subject=plate.plate,
            window=(plate.at - window, plate.at + window),
            blind=blind_at(view, plate.place, plate.at - window, plate.at + window),
        )


def _on_no(report: Observation, view: View, settings: Settings) -> Signal:
    """The owner's word: nobody's face is its cause."""
    passages = [
        seen
        for seen in view.of_subject(f"plate:{report.plate}", report.at - _ANSWERS_WITHIN, report.at)
        if seen.type == "plate.recognised"
    ]
    return Signal(
        rule=DriverMismatch.id,
        kind=DriverMismatch.kind,
        severity=settings.severity(_OWNER_NO),
        dedupe_key=_key(report),
        dedupe_window=_ANSWERS_WITHIN,
        anchor=report,
        evidence=(*passages[-1:], report),
        reason="driver_owner_no",
        reason_args={"plate": report.plate, "night": settings.is_night(report.at)},
        subject_kind="plate",
        subject=report.plate,
        stage=_OWNER_NO,
    )


def _key(seen: Observation) -> str:
    return f"{DriverMismatch.id}:{seen.plate}"


def _may_drive(face: Observation, vehicle: VehicleFacts) -> bool:
    """One of the drivers, or somebody of the vehicle's household of whom no more is known."""
    if face.person_id is not None:
        return face.person_id in vehicle.drivers
    return face.household_id is not None and face.household_id == vehicle.household_id


def _goes_the_same_way(face: Observation, plate: Observation) -> bool:
    return face.direction is None or plate.direction is None or face.direction == plate.direction


def _is_nearest(face: Observation, plate: Observation, around: Iterable[Observation]) -> bool:
    """Whether the face was taken nearer to this vehicle's plate than to any other vehicle's."""
    distance = abs(plate.at - face.at)
    return not any(abs(other.at - face.at) <= distance for other in around if _is_other(other, plate))


def _is_other(seen: Observation, plate: Observation) -> bool:
    """Another vehicle's reading; one without a plate may be the same vehicle, triggered twice."""
    if seen.type not in _READ or is_read_twice(seen, plate):
        return False
    return seen.plate is not None or abs(seen.at - plate.at) > READ_TWICE
