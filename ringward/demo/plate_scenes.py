"""Plate scenes: an invented car with an invented plate, as a gate camera would see it.

Plates follow the look of GA 36: white glyphs on blue, 440 × 140 mm; black on a white to
green gradient for new energy, 480 × 140 mm. Glyphs come from an open CJK typeface.
"""

import functools
import importlib.util
import random
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ringward.demo.face_scenes import jpeg
from ringward.demo.portraits import Rgb

WIDTH: Final = 1280
HEIGHT: Final = 720

_FONT_FILE: Final = "NotoSansSC-Regular.otf"
_MM: Final = 2
"""Pixels a millimetre in which a plate is drawn before it is put into the scene."""

_BODY_COLOURS: Final = (
    (58, 62, 70),
    (182, 186, 190),
    (126, 28, 32),
    (30, 52, 94),
    (224, 224, 220),
    (70, 84, 72),
)


class FontMissingError(LookupError):
    """No CJK typeface to draw plates with."""

    def __init__(self) -> None:
        super().__init__(f"{_FONT_FILE} not found: install pylopdf-fonts-zh-cn")


def font_path() -> Path:
    """The typeface inside its package, which is located and not imported."""
    spec = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _FONT_FILE
        if path.is_file():
            return path
    raise FontMissingError


def plate_scene(plate: str, rng: random.Random) -> bytes:
    """A JPEG of 1280×720 with the front of a car that wears the plate."""
    scene = _street(rng)
    colour = rng.choice(_BODY_COLOURS)
    centre, width = (WIDTH * rng.uniform(0.44, 0.56), HEIGHT * rng.uniform(0.60, 0.66)), rng.uniform(620, 740)
    _car(scene, centre, width, colour)
    _mount(scene, draw_plate(plate), centre, width * rng.uniform(0.31, 0.35), rng)
    lit = scene.astype(np.float32) * rng.uniform(0.82, 1.08)
    soft = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.5, 1.1))
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0.0, rng.uniform(2.0, 5.0), soft.shape)
    return jpeg(np.clip(soft + noise, 0, 255).astype(np.uint8), rng.randint(80, 92))


def draw_plate(plate: str) -> Rgb:
    """The plate from the front, two pixels a millimetre. `plate` is normalised: 7 or 8 glyphs."""
    green = len(plate) == 8
    width, height = (480 if green else 440) * _MM, 140 * _MM
    if green:
        fade = np.linspace(0.0, 1.0, height)[:, None, None]
        top, bottom = np.array([228, 244, 234]), np.array([96, 196, 128])
        surface = np.broadcast_to(top * (1 - fade) + bottom * fade, (height, width, 3)).astype(np.uint8)
    else:
        surface = np.full((height, width, 3), (18, 62, 168), np.uint8)
    ink = (16, 18, 16) if green else (245, 246, 248)
    image = Image.fromarray(surface)
    drawing = ImageDraw.Draw(image)
    drawing.rounded_rectangle((6, 6, width - 7, height - 7), radius=18, outline=ink, width=4)
    left = 15.5
    for place, glyph in enumerate(plate):
        cell = 45.0 if place == 0 or not green else 43.0
        image.paste(ink, (round(left * _MM), 25 * _MM), _glyph(glyph, round(cell * _MM), 90 * _MM))
        left += cell + (9.0 if green else 12.0)
        if place == 1:
            # The wider gap after the city's letter; on blue plates a dot stands in it.
            gap = 22.0 if not green else 40.0
            if not green:
                x, y = (left + gap / 2 - 6) * _MM, 70 * _MM
                drawing.ellipse((x - 10, y - 10, x + 10, y + 10), fill=ink)
            left += gap
    return np.asarray(image, dtype=np.uint8)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path()), size)


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """A mask of one glyph that fills its cell, as pressed plates have it."""
    canvas = Image.new("L", (320, 320))
    ImageDraw.Draw(canvas).text(
        (40, 0), character, font=_font(200), fill=255, stroke_width=6, stroke_fill=255
    )
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"the typeface has no glyph for {character!r}")
    cut = canvas.crop(box)
    # A 1 or an I stretched to the whole cell would be a block.
    natural = round(cut.width * height / cut.height)
    fitted = cut.resize((min(width, max(natural, width // 4)), height), Image.Resampling.LANCZOS)
    mask = Image.new("L", (width, height))
    mask.paste(fitted, ((width - fitted.width) // 2, 0))
    return mask


def _street(rng: random.Random) -> Rgb:
    """Wall, kerb, asphalt and a raised barrier boom."""
    scene = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    horizon = int(HEIGHT * rng.uniform(0.30, 0.36))
    sky = np.linspace(190, 150, horizon)[:, None, None]
    scene[:horizon] = (sky + np.array([0, 6, 14])).astype(np.uint8)
    road = np.linspace(112, 78, HEIGHT - horizon)[:, None, None]
    scene[horizon:] = (road + np.array([0, 1, 3])).astype(np.uint8)
    cv2.rectangle(scene, (0, horizon - 120), (WIDTH, horizon), (172, 160, 146), -1)
    for x in range(0, WIDTH, 90):
        cv2.line(scene, (x, horizon - 120), (x, horizon), (156, 144, 132), 2)
    cv2.rectangle(scene, (1090, horizon - 190), (1230, HEIGHT - 120), (206, 206, 198), -1)
    cv2.rectangle(scene, (1110, horizon - 160), (1210, horizon - 40), (70, 86, 96), -1)
    for step in range(6):
        start, end = (1090 - step * 26, 380 - step * 58), (1090 - (step + 1) * 26, 380 - (step + 1) * 58)
        cv2.line(scene, start, end, (206, 52, 44) if step % 2 else (232, 232, 228), 14, cv2.LINE_AA)
    return scene


def _car(scene: Rgb, centre: tuple[float, float], width: float, colour: tuple[int, int, int]) -> None:
    """The front of a car around (x, y) = the middle of its plate; `width` in pixels."""
    x, y = centre
    unit = width / 100

    def shape(points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
        polygon = np.array([(x + px * unit, y + py * unit) for px, py in points], np.int32)
        cv2.fillPoly(scene, [polygon], fill, cv2.LINE_AA)

    def mirrored(points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
        shape(points, fill)
        shape([(-px, py) for px, py in points], fill)

    dark = tuple(int(part * 0.55) for part in colour)
    light = tuple(min(255, int(part * 1.15) + 8) for part in colour)
    shape([(-52, 15), (52, 15), (50, 19), (-50, 19)], (40, 40, 42))  # shadow
    mirrored([(-50, 4), (-37, 4), (-37, 18), (-50, 18)], (26, 26, 28))  # tyres
    shape([(-36, -42), (36, -42), (46, -20), (-46, -20)], colour)  # roof
    shape([(-32, -39), (32, -39), (41, -21), (-41, -21)], (58, 72, 82))  # windscreen
    shape([(-46, -20), (46, -20), (51, -6), (51, 12), (-51, 12), (-51, -6)], colour)
    shape([(-44, -19), (44, -19), (48, -11), (-48, -11)], light)  # bonnet
    shape([(-26, -9), (26, -9), (23, -4), (-23, -4)], (34, 36, 38))  # grille
    mirrored([(-49, -9), (-31, -8), (-32, -2), (-48, -1)], (226, 230, 226))  # headlights
    mirrored([(-46, -7), (-38, -7), (-38, -3), (-46, -3)], (250, 250, 240))
    shape([(-51, 6), (51, 6), (50, 14), (-50, 14)], dark)  # bumper
    mirrored([(-45, 8), (-36, 8), (-36, 11), (-45, 11)], (214, 186, 120))  # fog lamps


def _mount(scene: Rgb, plate: Rgb, centre: tuple[float, float], width: float, rng: random.Random) -> None:
    """Puts the plate into the scene as a camera beside the lane sees it. `width` in pixels."""
    height = width * plate.shape[0] / plate.shape[1]
    x, y = centre
    lean, side = rng.uniform(-0.035, 0.035) * width, rng.uniform(-0.06, 0.06) * height
    half_width, half_height = width / 2, height / 2
    corners = np.array(
        [
            (x - half_width, y - half_height - lean + side),
            (x + half_width, y - half_height + lean - side),
            (x + half_width, y + half_height + lean + side),
            (x - half_width, y + half_height - lean - side),
        ],
        np.float32,
    )
    rows, columns = plate.shape[:2]
    flat = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    warp: NDArray[Any] = cv2.getPerspectiveTransform(flat, corners)
    # Shrunk before it is warped, so that thin strokes do not break.
    put = cv2.warpPerspective(cv2.GaussianBlur(plate, (0, 0), columns / width / 2), warp, (WIDTH, HEIGHT))
    mask = cv2.warpPerspective(np.full((rows, columns), 255, np.uint8), warp, (WIDTH, HEIGHT))
    scene[mask > 127] = put[mask > 127]
