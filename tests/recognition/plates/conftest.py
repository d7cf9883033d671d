"""Drawn plates of every ground: no labelled pictures of most classes are at hand."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from recognition.modelfiles import model_file

FONT = model_file("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf")
GROUNDS = {
    "blue": (20, 60, 170),
    "yellow": (235, 180, 20),
    "white": (238, 238, 236),
    "black": (22, 22, 24),
    "green": (70, 190, 100),
    "yellow_green": (70, 190, 100),
}


def _ground(colour: str, height: int) -> Image.Image:
    plate = Image.new("RGB", (440, height), GROUNDS[colour])
    pixels = np.asarray(plate).copy()
    if colour == "green":
        # Small new-energy plates: white at the top runs into green.
        share = np.linspace(0, 1, height)[:, None, None]
        pixels = (235 * (1 - share) + pixels * share).astype(np.uint8)
    elif colour == "yellow_green":
        pixels[:, :125] = GROUNDS["yellow"]
    return Image.fromarray(pixels)


def draw(text: str, colour: str) -> np.ndarray:
    """A plate as its maker prints it, 440×140 (two rows: 440×220), RGB."""
    rows = text.split("\n")
    plate = _ground(colour, 140 if len(rows) == 1 else 220)
    pen = ImageDraw.Draw(plate)
    ink = (245, 245, 245) if colour in {"blue", "black"} else (15, 15, 15)
    pen.rounded_rectangle((5, 5, 434, plate.height - 6), 10, outline=ink, width=4)
    bands = [(12, 128)] if len(rows) == 1 else [(10, 90), (92, 212)]
    for row, (top, bottom) in zip(rows, bands, strict=True):
        tall = bottom - top > 100
        font = ImageFont.truetype(str(FONT), round((bottom - top) * (0.86 if len(row) < 8 else 0.74)))
        room = 400 if tall else 220
        for index, character in enumerate(row):
            x = 220 - room / 2 + room * (index + 0.5) / len(row)
            place = (x, (top + bottom) / 2)
            pen.text(place, character, ink, font, anchor="mm", stroke_width=2, stroke_fill=ink)
    return np.asarray(plate)


@pytest.fixture(scope="session")
def drawn_scene():
    """A gate camera's frame, 1280×720, with one plate of any ground in perspective."""

    def render(text: str, colour: str, *, tilt: float = 12.0, width: int = 200, seed: int = 1):
        rng = np.random.default_rng(seed)
        scene = np.clip(rng.normal(120, 12, (720, 1280, 3)), 0, 255).astype(np.uint8)
        cv2.rectangle(scene, (380, 180), (900, 620), (70, 72, 76), -1)
        plate = draw(text, colour)
        high, wide = plate.shape[:2]
        x, y, height = 540, 430, width * high / wide
        corners = np.float32(
            [(x, y), (x + width, y + tilt), (x + width - 4, y + tilt + height), (x - 4, y + height)]
        )
        source = np.float32([(0, 0), (wide, 0), (wide, high), (0, high)])
        transform = cv2.getPerspectiveTransform(source, corners)
        flat = cv2.warpPerspective(cv2.GaussianBlur(plate, (5, 5), 0), transform, (1280, 720))
        mask = cv2.warpPerspective(np.full(plate.shape[:2], 255, np.uint8), transform, (1280, 720))
        return cv2.GaussianBlur(np.where(mask[:, :, None] > 127, flat, scene), (3, 3), 0)

    return render
