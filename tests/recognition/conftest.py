import importlib.util
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from recognition.engines import DlibEngine
from recognition.images import Picture, decode
from recognition.modelfiles import model_file
from recognition.plates import OnnxPlateReader

ROOT = Path(__file__).resolve().parents[2]
PORTRAITS = Path(os.environ.get("RINGWARD_PORTRAITS", ROOT / ".venv/share/ringward/portraits"))
FONT = model_file("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf")
BLUE, GREEN, YELLOW = (20, 60, 170), (80, 190, 110), (235, 180, 20)


@pytest.fixture(scope="session")
def engine():
    return DlibEngine()


@pytest.fixture(scope="session")
def reader():
    return OnnxPlateReader()


@pytest.fixture(scope="session")
def portrait_bytes():
    """Bytes of a portrait by name; `astronaut.png` comes from an installed package."""

    def load(name: str) -> bytes:
        if name == "astronaut.png":
            folder = importlib.util.find_spec("skimage").submodule_search_locations[0]
            return (Path(folder) / "data" / name).read_bytes()
        return (PORTRAITS / name).read_bytes()

    return load


@pytest.fixture(scope="session")
def portrait(portrait_bytes):
    def load(name: str):
        picture = decode(portrait_bytes(name), name)
        assert isinstance(picture, Picture)
        return picture.rgb

    return load


@pytest.fixture(scope="session")
def jpeg():
    def encode(rgb) -> bytes:
        return cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()

    return encode


def draw_plate(text: str, ground) -> np.ndarray:
    """A plate as its maker prints it, 440×140 (two rows: 440×220), RGB."""
    rows = text.split("\n")
    height = 140 if len(rows) == 1 else 220
    plate = Image.new("RGB", (440, height), ground)
    draw = ImageDraw.Draw(plate)
    ink = (245, 245, 245) if ground == BLUE else (15, 15, 15)
    draw.rounded_rectangle((5, 5, 434, height - 6), 10, outline=ink, width=4)
    bands = [(12, 128)] if len(rows) == 1 else [(10, 90), (92, 212)]
    for row, (top, bottom) in zip(rows, bands, strict=True):
        font = ImageFont.truetype(str(FONT), round((bottom - top) * 0.86))
        room = 400 if bottom - top > 100 else 220
        for index, character in enumerate(row):
            x = 220 - room / 2 + room * (index + 0.5) / len(row)
            draw.text(
                (x, (top + bottom) / 2), character, ink, font, anchor="mm", stroke_width=2, stroke_fill=ink
            )
    return np.asarray(plate)


@pytest.fixture(scope="session")
def plate_scene():
    """A gate camera's frame, 1280×720, with one plate in perspective on a grey car."""

    def render(text: str, ground=BLUE, *, tilt: float = 12.0, seed: int = 1):
        rng = np.random.default_rng(seed)
        scene = np.clip(rng.normal(120, 12, (720, 1280, 3)), 0, 255).astype(np.uint8)
        cv2.rectangle(scene, (380, 180), (900, 620), (70, 72, 76), -1)
        plate = draw_plate(text, ground)
        height, width = plate.shape[:2]
        x, y, w = 540, 430, 200
        h = w * height / width
        corners = np.float32([(x, y), (x + w, y + tilt), (x + w - 4, y + tilt + h), (x - 4, y + h)])
        source = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
        transform = cv2.getPerspectiveTransform(source, corners)
        small = cv2.GaussianBlur(plate, (5, 5), 0)
        flat = cv2.warpPerspective(small, transform, (1280, 720), flags=cv2.INTER_AREA)
        mask = cv2.warpPerspective(np.full(plate.shape[:2], 255, np.uint8), transform, (1280, 720))
        scene = np.where(mask[:, :, None] > 127, flat, scene)
        return cv2.GaussianBlur(scene, (3, 3), 0)

    return render
