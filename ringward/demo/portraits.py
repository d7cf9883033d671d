"""The portraits behind the demo's faces, read at run time from packages that carry them.

None is kept in this repository. `skimage/data/astronaut.png` (NASA, public domain) comes
with scikit-image; the other files are the test pictures of face_recognition's source
distribution, in a folder that the settings name. Their names appear nowhere in the demo:
they stand in for invented residents and for a stranger.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


class PortraitMissingError(LookupError):
    """A portrait file is not there. `file` is its name, `looked_in` where it was expected."""

    def __init__(self, file: str, looked_in: str, hint: str) -> None:
        super().__init__(f"portrait {file} not found in {looked_in}: {hint}")
        self.file = file
        self.looked_in = looked_in


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture with one person's face at (x, y), `size` wide; all as a share of width or height."""

    rgb: Rgb
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class _Source:
    file: str
    x: float
    y: float
    size: float


# Where the face is in each file, so that cutting a scene needs no detector.
_ASTRONAUT: Final = _Source("data/astronaut.png", 0.447, 0.248, 0.200)
_FACES_B: Final = (
    _Source("obama.jpg", 0.540, 0.245, 0.300),
    _Source("obama2.jpg", 0.504, 0.390, 0.551),
    _Source("obama3.jpg", 0.555, 0.188, 0.226),
)
_STRANGER: Final = _Source("biden.jpg", 0.601, 0.172, 0.316)

RESIDENT_A: Final = "resident-a"
RESIDENT_B: Final = "resident-b"
STRANGER: Final = "stranger"
ROLES: Final = (RESIDENT_A, RESIDENT_B, STRANGER)


def load(role: str, portraits_dir: Path) -> tuple[Portrait, ...]:
    """The portraits of a role. Raises `PortraitMissingError`."""
    if role == RESIDENT_A:
        return (_read(_ASTRONAUT, _skimage_folder(), "install scikit-image"),)
    sources = {RESIDENT_B: _FACES_B, STRANGER: (_STRANGER,)}[role]
    hint = "unpack tests/test_images of the face_recognition source distribution there"
    return tuple(_read(source, portraits_dir, hint) for source in sources)


def _read(source: _Source, folder: Path, hint: str) -> Portrait:
    path = folder / source.file
    if not path.is_file():
        raise PortraitMissingError(source.file, str(folder), hint)
    rgb = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if rgb is None:
        raise PortraitMissingError(source.file, str(folder), "the file is not a readable picture")
    return Portrait(np.ascontiguousarray(rgb, dtype=np.uint8), source.x, source.y, source.size)


def _skimage_folder() -> Path:
    # Only located: importing scikit-image would load code the demo has no use for.
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise PortraitMissingError(_ASTRONAUT.file, "the skimage package", "install scikit-image")
    return Path(spec.submodule_search_locations[0])
