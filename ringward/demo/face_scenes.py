"""Face scenes: a portrait as a gate camera would have caught the person, each time a little otherwise."""

import random
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ringward.demo.portraits import Portrait, Rgb

WIDTH: Final = 640
HEIGHT: Final = 480
FACE_PX: Final = 170
"""Width of the face in a scene, before the jitter of ±8 %."""

_FEATHER_PX: Final = 41


def augment(portrait: Portrait, rng: random.Random) -> bytes:
    """One capture as a JPEG of 640×480.

    What changes from capture to capture: place and size in the frame, a lean of up to 4°,
    brightness, a slight blur, sensor noise, and how hard the JPEG is squeezed.
    """
    gain, lift = rng.uniform(0.86, 1.12), rng.uniform(-10, 10)
    lit = _framed(portrait, rng) * gain + lift
    scene = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.3, 0.9))
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0.0, rng.uniform(1.0, 3.5), scene.shape)
    pixels = np.clip(scene + noise, 0, 255).astype(np.uint8)
    return jpeg(pixels, rng.randint(82, 93))


def jpeg(rgb: Rgb, quality: int) -> bytes:
    """RGB pixels as JPEG bytes; `quality` 0…100."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ValueError("the picture cannot be encoded")
    return data.tobytes()


def _framed(portrait: Portrait, rng: random.Random) -> NDArray[np.float32]:
    """The person in front of an out-of-focus background, (480, 640, 3) float 0…255."""
    rgb = portrait.rgb
    height, width = rgb.shape[:2]
    scale = FACE_PX * rng.uniform(0.92, 1.08) / (portrait.size * width)
    if scale < 0.5:
        # Shrunk first: sampling a large photo coarsely would leave edges no lens makes.
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgb, scale = np.ascontiguousarray(small, dtype=np.uint8), 1.0
        height, width = rgb.shape[:2]
    face = (portrait.x * width, portrait.y * height)
    turn = cv2.getRotationMatrix2D(face, rng.uniform(-4.0, 4.0), scale)
    turn[0, 2] += WIDTH * rng.uniform(0.44, 0.56) - face[0]
    turn[1, 2] += HEIGHT * rng.uniform(0.42, 0.50) - face[1]
    size = (WIDTH, HEIGHT)
    person = cv2.warpAffine(rgb, turn, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    inside = np.full((height, width), 255, np.uint8)
    cover = cv2.warpAffine(inside, turn, size, borderValue=0)
    # The edge of the portrait must not stand as a line in the scene, nor cut the face.
    cover = cv2.GaussianBlur(cv2.erode(cover, np.ones((15, 15), np.uint8)), (_FEATHER_PX, _FEATHER_PX), 0)
    wall = cv2.GaussianBlur(cv2.resize(rgb, size), (0, 0), 28).astype(np.float32) * 0.75 + 30
    share = (cover.astype(np.float32) / 255.0)[:, :, None]
    return np.asarray(person * share + wall * (1.0 - share), dtype=np.float32)
