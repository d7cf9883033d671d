"""A measured engine: which distance names whom, at a promised rate of false names."""

import functools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import structlog

from recognition.calibration.errorcurve import ErrorCurve, GalleryCurve, against_fused
from recognition.calibration.file import EVERYBODY, CalibrationFile, Group, load
from recognition.calibration.thresholds import FaceThresholds, UncalibratedEngineError

log = structlog.get_logger(__name__)

_SHIPPED: Final = Path(__file__).with_name("dlib.json")

ENROLLED_PHOTOS: Final = 3.0
"""Assumed of a gallery whose owner says nothing: people with more photos are matched at
smaller distances, by strangers too, so that assuming more is the cautious side."""

UNKNOWN_SHARE: Final = "0.95"
"""Share of true passages that lie nearer than the distance beyond which somebody is nobody enrolled."""

_NEAREST: Final = 1e-6


@functools.cache
def shipped() -> CalibrationFile:
    """The calibration that comes with the code, for dlib."""
    return load(_SHIPPED)


class Measured(Protocol):
    """What a calibration is found by."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...


class Calibration:
    """The thresholds of one engine version, from one group of its calibration file."""

    def __init__(self, file: CalibrationFile, population: str = EVERYBODY) -> None:
        """A group that the file does not hold is replaced by everybody, with a warning in the log."""
        self.file = file
        self.population = population
        groups = {group.name: group for group in file.groups}
        if population not in groups:
            log.warning("calibration.group_missing", engine=file.engine, group=population)
            self.population = EVERYBODY
        self._group: Group = groups[self.population]
        self._curves = {curve.frames: ErrorCurve.of(curve) for curve in self._group.curves}
        self._single = self._curves[min(self._curves)]
        self._gallery_curve = functools.lru_cache(maxsize=256)(self._make_gallery_curve)
        self._identify = functools.lru_cache(maxsize=1024)(self._find_identify)

    @property
    def id(self) -> str:
        """What is stored with a decision, to find the measurement again."""
        version = self.file.engine_version or "unit"
        return f"{self.file.engine}/{version}/{self.population or 'everybody'}/{self.file.made_at[:10]}"

    def thresholds(
        self,
        people: int,
        fpir: float,
        *,
        frames: int = 1,
        shift: float = 0.0,
        photos: float = ENROLLED_PHOTOS,
    ) -> FaceThresholds:
        """For a gallery of ``people`` with ``photos`` each on average and a target FPIR in (0, 1).

        ``frames`` is the number of pictures fused. ``shift`` moves the distance that names
        somebody, as a person decided for a camera; negative is stricter.
        """
        if not 0.0 < fpir < 1.0:
            raise ValueError("fpir is a rate between 0 and 1")
        found = self._identify(people, fpir, frames, round(photos, 1))
        # Nobody moves it beyond the cap: a small gallery gives a camera no reason to.
        identify = min(found + shift, self.file.identify_cap)
        curve = self._measured(frames)
        genuine = next(c.genuine for c in self._group.curves if c.frames == curve)
        unknown = max(genuine[UNKNOWN_SHARE], _NEAREST)
        return FaceThresholds(round(min(max(_NEAREST, identify), unknown), 6), unknown, self.file.margin)

    def distance(
        self, people: int, fpir: float, *, frames: int = 1, photos: float = ENROLLED_PHOTOS
    ) -> float:
        """The distance at which ``fpir`` is promised, without the cap that small galleries have."""
        return self._identify(people, fpir, frames, round(photos, 1))

    def fpir(
        self, people: int, distance: float, *, frames: int = 1, photos: float = ENROLLED_PHOTOS
    ) -> float:
        """What is promised of strangers' passages at a distance: the inverse of ``distance``."""
        return self._gallery_curve(frames, round(photos, 1)).fpir(people, distance)

    def for_groups(self, people: int, fpir: float) -> dict[str, float]:
        """What each measured group's strangers have where ``fpir`` is promised to this one's."""
        nearest = self.thresholds(people, fpir).identify
        groups = (group.name for group in self.file.groups if group.name != self.population)
        return {name: Calibration(self.file, name).fpir(people, nearest) for name in groups}

    def _find_identify(self, people: int, fpir: float, frames: int, photos: float) -> float:
        largest = self._group.curves[0].points[0].distance
        return self._gallery_curve(frames, photos).distance(people, fpir, largest=largest)

    def _make_gallery_curve(self, frames: int, photos: float) -> GalleryCurve:
        frames = self._measured(frames)
        fewer = max(1, math.floor(photos))
        shares = ((1 - (photos - fewer), fewer), (photos - fewer, fewer + 1)) if photos > 1 else ((1.0, 1),)
        parts = [(share, self._against(frames, count)) for share, count in shares if share > 0.0]
        measured = next(curve for curve in self._group.curves if curve.frames == frames)
        spread = [(point.rate, point.spread) for point in measured.points]
        return GalleryCurve(parts, spread, measured.residents)

    def _against(self, frames: int, photos: int) -> ErrorCurve:
        fused = self._curves[self._measured(photos)]
        return (
            self._curves[frames]
            if fused is self._single
            else against_fused(self._curves[frames], fused, self._single)
        )

    def _measured(self, count: int) -> int:
        """The largest measured number of pictures that is not above ``count``."""
        return max((frames for frames in self._curves if frames <= count), default=min(self._curves))


class Calibrations:
    """The calibrations at hand: measured ones in ``folder``, and the one that is shipped for dlib."""

    def __init__(self, folder: Path | None = None, population: str = EVERYBODY) -> None:
        self._folder = folder
        self._population = population

    def of(self, engine: Measured) -> Calibration:
        """The newest calibration of this engine's version.

        Raises ``UncalibratedEngineError`` where there is none, ``BadCalibrationError`` for a file that
        cannot be read: an owner who put it there must learn that it does not count.
        """
        for file in sorted(self._files(), key=lambda one: one.made_at, reverse=True):
            if file.engine == engine.name and file.engine_version == engine.version:
                return Calibration(file, self._population)
        own = shipped()
        if own.engine == engine.name and own.engine_version in ("", engine.version):
            return Calibration(own, self._population)
        raise UncalibratedEngineError(engine.name, engine.version)

    def _files(self) -> Iterable[CalibrationFile]:
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.json")):
            yield load(path)
