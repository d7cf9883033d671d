"""A face model of a folder, put on the shelf of a benchmark's deployment.

Which distances name somebody is measured by `ringward eval faces`, which takes thousands of pictures. A
benchmark of speed has none: it stretches the curve that is shipped for dlib until the portraits' own
captures fit under it. Nobody must be let in anywhere by that.
"""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from recognition import images
from recognition.calibration import file as calibrationfile
from recognition.calibration import shipped
from recognition.engines import FaceEngine, Given, Shelf, open_engine
from recognition.engines import manifest as manifests

_SPARE: Final = 2.0


class NoModelError(LookupError):
    """No embedder and detector that are known lie in the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"no embedder with a shipped manifest, or no YuNet, in {folder}")
        self.folder = folder


def lend(folder: Path, data_dir: Path) -> FaceEngine:
    """The first embedder that a shipped manifest knows, with a YuNet of the folder, on the shelf and open.

    Raises `NoModelError` and `recognition.engines.ModelError`.
    """
    detectors = [folder / one.file for one in manifests.known_detectors().values()]
    detector = next((path for path in detectors if path.is_file()), None)
    for manifest in manifests.shipped().values():
        model = folder / manifest.embedder.file
        if detector is not None and model.is_file():
            shelf = Shelf(data_dir / "models")
            shelf.add(manifest, Given(model), Given(detector))
            return open_engine(manifest.name, shelf)
    raise NoModelError(folder)


def stretch(engine: FaceEngine, captures: list[bytes], data_dir: Path) -> None:
    """Writes a calibration under which the captures, all of one person, are that person's."""
    vectors = [vector for capture in captures if (vector := _vector(engine, capture)) is not None]
    apart = max(
        float(np.linalg.norm(one - other)) for number, one in enumerate(vectors) for other in vectors[:number]
    )
    given = shipped()
    nearest = min(point.distance for curve in given.groups[0].curves for point in curve.points)
    factor = _SPARE * apart / nearest

    def stretched(curve: calibrationfile.Curve) -> calibrationfile.Curve:
        points = tuple(
            msgspec.structs.replace(point, distance=point.distance * factor) for point in curve.points
        )
        genuine = {share: distance * factor for share, distance in curve.genuine.items()}
        return msgspec.structs.replace(
            curve, points=points, tail_slope=curve.tail_slope * factor, genuine=genuine
        )

    groups = tuple(
        msgspec.structs.replace(group, curves=tuple(stretched(curve) for curve in group.curves))
        for group in given.groups
    )
    calibrationfile.save(
        data_dir / "calibration" / "bench.json",
        msgspec.structs.replace(
            given,
            engine=engine.name,
            engine_version=engine.version,
            data="none: the curve of dlib, stretched, for measuring speed alone",
            groups=groups,
            identify_cap=given.identify_cap * factor,
            margin=given.margin * factor,
            promises=(),
        ),
    )


def _vector(engine: FaceEngine, capture: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float32]] | None":
    picture = images.decode(capture)
    if not isinstance(picture, images.Picture):
        return None
    found = engine.detect(picture.rgb)
    return np.asarray(engine.embed(picture.rgb, found[0]), np.float32) if found else None
