"""The calibration file of an engine, from the people of an evaluation."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from recognition.calibration.file import EVERYBODY, FORMAT, CalibrationFile, Promise
from recognition.calibration.measuring import cap, margin, measure_group
from recognition.engines import FaceEngine
from recognition.evaluation.labels import Kind
from recognition.evaluation.people import Matrix, People

CAP_RATE: Final = 0.02
"""However small the gallery, nobody is named at a distance at which this share of comparisons of
strangers match in the group and kind of picture that the engine tells apart least."""

LEAST_PEOPLE: Final = 100
"""From fewer people nothing may be decided: their tail would be drawn from a handful of matches."""

_LEAST_TO_CAP: Final = 10


class TooFewPeopleError(ValueError):
    """No calibration can be made of so few people, or none that may be used."""

    def __init__(self, people: int) -> None:
        super().__init__(f"{people} people are too few to calibrate with")
        self.people = people


def check_enough(people: int) -> None:
    """Raises ``TooFewPeopleError`` where a calibration of so many people may not be used."""
    if people < LEAST_PEOPLE:
        raise TooFewPeopleError(people)


def make(
    engine: FaceEngine,
    whole: People,
    everybody: People,
    at: dt.datetime,
    data: str,
    promises: Sequence[Promise],
    rng: np.random.Generator,
) -> CalibrationFile:
    """``whole`` gives the curve of everybody; groups and the cap come from ``everybody``, photos included.

    Raises ``TooFewPeopleError``.
    """
    first = measure_group(EVERYBODY, whole.embeddings, rng)
    if first is None:
        raise TooFewPeopleError(len(whole))
    groups = [first]
    for name in sorted(set(everybody.groups) - {EVERYBODY}):
        group = measure_group(name, everybody.of_group(name).embeddings, rng, everybody=first)
        if group is not None:
            groups.append(group)
    distance, which = cap(_told_apart(everybody), CAP_RATE, rng)
    return CalibrationFile(
        FORMAT,
        engine.name,
        engine.version,
        at.isoformat(timespec="seconds"),
        data,
        tuple(groups),
        distance,
        f"{CAP_RATE:.0%} of comparisons of strangers lie within it in the pictures told apart least: {which}",
        margin(first.curves[0]),
        "one decade of the false-match rate: the second person is ten times as likely to be chance",
        tuple(promises),
    )


def _told_apart(people: People) -> Mapping[str, Sequence[Matrix]]:
    """Embeddings by group and kind of picture, where there are people enough."""
    sets: dict[str, list[Matrix]] = {"everybody": list(people.embeddings)}
    for group, kind, own in zip(people.groups, people.kinds, people.embeddings, strict=True):
        sets.setdefault(f"{group or 'no group'}, {_WORDS[kind]}", []).append(own)
    return {name: own for name, own in sets.items() if len(own) >= _LEAST_TO_CAP or name == "everybody"}


_WORDS: Final = {Kind.ALIGNED: "aligned crops", Kind.PHOTO: "photos", Kind.MASKED: "masked"}
