"""Scenes of 1280×720 with one to three people, composed from the demo's portraits."""

import random
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition import images
from ringward.demo import DemoPictures, portraits

WIDTH: Final = 1280
HEIGHT: Final = 720
_PERSON: Final = (426, 480)
"""Width and height of what is cut from a capture; the face in it is about 170 pixels wide."""

Rgb = NDArray[np.uint8]


def crowds(count: int, folder: Path, *, seed: int = 7) -> list[tuple[Rgb, int]]:
    """`count` scenes, each with how many faces are in it; the same seed gives the same scenes."""
    pictures = DemoPictures(folder, seed=seed)
    rng = random.Random(seed)  # noqa: S311 - who stands where is no secret
    return [_scene(pictures, 1 + number % 3, rng) for number in range(count)]


def _scene(pictures: DemoPictures, people: int, rng: random.Random) -> tuple[Rgb, int]:
    width, height = _PERSON
    roles = rng.sample(portraits.ROLES, people)
    scene: Rgb | None = None
    for place, role in zip(sorted(rng.sample(range(3), people)), roles, strict=True):
        capture = pixels(pictures.face(role))
        if scene is None:
            wall = cv2.GaussianBlur(cv2.resize(capture, (WIDTH, HEIGHT)), (0, 0), 25)
            noise = np.random.default_rng(rng.getrandbits(32)).normal(0.0, 3.0, wall.shape)
            scene = np.clip(wall + noise, 0, 255).astype(np.uint8)
        left = (capture.shape[1] - width) // 2
        top = rng.randint(0, HEIGHT - height)
        scene[top : top + height, place * width : (place + 1) * width] = capture[:, left : left + width]
    assert scene is not None
    return scene, people


def pixels(data: bytes) -> Rgb:
    """A picture of the demo's as the engines see it."""
    picture = images.decode(data)
    if not isinstance(picture, images.Picture):
        raise TypeError(picture.reason)
    return picture.rgb
