"""What `ringward doctor` says of the promise that faces are named by."""

from typing import Final

from recognition.calibration import Calibrations, UncalibratedEngineError
from recognition.calibration.file import BadCalibrationError
from recognition.engines import ModelError, Shelf, engine_version
from ringward.checkup import Finding
from ringward.settings import Settings

PEOPLE: Final = 1000
"""The gallery that the promise is looked at for; it hardly changes with the size."""

BROKEN: Final = 2.0
"""Times as many false names as promised from which a promise does not hold."""


class _Named:
    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version


def finding(loaded: Settings) -> Finding | None:
    """Whether the engine of the settings was measured, and for whom its promise does not hold."""
    name = loaded.face_engine
    try:
        version = engine_version(name, Shelf(loaded.data_dir / "models"))
    except ModelError:
        return None  # said with the models
    try:
        calibrations = Calibrations(loaded.data_dir / "calibration", loaded.face_population)
        calibration = calibrations.of(_Named(name, version))
    except (UncalibratedEngineError, BadCalibrationError) as error:
        advice = "`ringward eval faces DIR --calibration FILE` measures it; it names nobody before."
        return Finding("thresholds", False, str(error), advice)
    seen = calibration.id
    for group, rate in calibration.for_groups(PEOPLE, loaded.gate_fpir).items():
        if rate > BROKEN * loaded.gate_fpir:
            seen += (
                f"; strangers of {group} are named about {rate / loaded.gate_fpir:.0f} times as often as "
                f"promised; face_population={group} keeps the promise, a better model names more"
            )
    return Finding("thresholds", True, seen)
