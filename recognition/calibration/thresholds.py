"""The distances that divide the axis, and the engine that has none."""

from dataclasses import dataclass
from typing import Final

DEFAULT_FPIR: Final = 1e-3
"""One stranger's passage in a thousand may be named: what gates promise where nothing else is set."""


@dataclass(frozen=True, slots=True)
class FaceThresholds:
    """Distances that divide the axis: ``best <= identify`` may name somebody, ``best >
    unknown`` is nobody enrolled, what lies between is uncertain. ``margin`` is between
    the first and the second person.
    """

    identify: float
    unknown: float
    margin: float

    def __post_init__(self) -> None:
        if not 0.0 < self.identify <= self.unknown or self.margin < 0.0:
            raise ValueError("thresholds must satisfy 0 < identify <= unknown and margin >= 0")


class UncalibratedEngineError(LookupError):
    """No error curve was measured for this engine's version, so it may decide nothing."""

    def __init__(self, engine: str, version: str) -> None:
        super().__init__(
            f"no calibration for engine {engine} version {version}; `ringward eval faces` makes one"
        )
        self.engine = engine
        self.version = version
