"""A measured engine: which distance names whom, at a promised rate of false names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recognition.calibration.thresholds import FaceThresholds, face_thresholds


class Measured(Protocol):
    """What a calibration is found by."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """The thresholds of one engine version, from pictures of one population."""

    engine: str
    population: str

    @property
    def id(self) -> str:
        """What is stored with a decision, to find the measurement again."""
        return f"{self.engine}/{self.population}"

    def thresholds(self, people: int, fpir: float, *, frames: int = 1, shift: float = 0.0) -> FaceThresholds:  # noqa: ARG002
        """For a gallery of ``people`` and a target FPIR in (0, 1), with ``frames`` pictures fused.

        ``shift`` moves the distance that names somebody, as a person decided for a camera;
        negative is stricter.
        """
        found = face_thresholds(self.engine, people, fpir=fpir, population=self.population)
        identify = min(max(1e-6, found.identify + shift), found.unknown)
        return FaceThresholds(identify, found.unknown, found.margin)


class Calibrations:
    """The calibrations at hand: measured ones in ``folder``, and the one that is shipped."""

    def __init__(self, folder: Path | None = None, population: str = "lfw") -> None:
        self._folder = folder
        self._population = population

    def of(self, engine: Measured) -> Calibration:
        """Raises ``UncalibratedEngineError`` for an engine without a measured curve."""
        face_thresholds(engine.name, 0, population=self._population)
        return Calibration(engine.name, self._population)
