"""Pictures that are small on the wire and large in memory or time, and pictures of every make."""

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from recognition.containers import MAX_CHUNKS, jpeg_head, png_head
from recognition.images import MAX_PIXELS, MAX_SCANS, MAX_WORK, Broken, BrokenPicture, Picture, decode

SCENE = cv2.resize(np.random.default_rng(7).integers(0, 255, (30, 40, 3), np.uint8), (320, 240))
IMAGE = Image.fromarray(SCENE)
GREY = np.asarray(IMAGE.convert("L").convert("RGB"))
PALETTE = IMAGE.convert("P", palette=Image.Palette.ADAPTIVE)


def saved(image: Image.Image, kind: str, **how) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


JPEG = saved(IMAGE, "JPEG", quality=95, subsampling=0)
PNG = saved(IMAGE, "PNG")
PROGRESSIVE = saved(IMAGE, "JPEG", quality=95, progressive=True, subsampling=0)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says another size than it has."""
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is said again until there are so many."""
    last = PROGRESSIVE.rindex(b"\xff\xda")
    there = PROGRESSIVE.count(b"\xff\xda")
    return PROGRESSIVE[:-2] + PROGRESSIVE[last:-2] * (count - there) + b"\xff\xd9"


def after_header(png: bytes, *chunks: bytes) -> bytes:
    return png[:33] + b"".join(chunks) + png[33:]


def animated() -> bytes:
    others = [Image.fromarray(np.roll(SCENE, by, 1)) for by in (9, 18)]
    return saved(IMAGE, "PNG", save_all=True, append_images=others)


TEXT_BOMB = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"a" * 50_000_000, 9))
PROFILE_BOMB = chunk(b"iCCP", b"note\0\0" + zlib.compress(b"a" * 50_000_000, 9))
DATA_BOMB = chunk(b"IDAT", zlib.compress(b"\0" * 50_000_000, 9))


@pytest.mark.parametrize(
    ("data", "expected", "off"),
    [
        pytest.param(saved(IMAGE.convert("CMYK"), "JPEG", quality=95), SCENE, 4, id="cmyk_jpeg"),
        pytest.param(saved(IMAGE.convert("L"), "JPEG", quality=95), GREY, 2, id="grey_jpeg"),
        pytest.param(PROGRESSIVE, SCENE, 2, id="progressive_jpeg"),
        pytest.param(saved(IMAGE.convert("RGBA"), "PNG"), SCENE, 0, id="rgba_png"),
        pytest.param(
            saved(Image.fromarray(np.dstack([SCENE, np.zeros((240, 320), np.uint8)])), "PNG"),
            SCENE,
            0,
            id="wholly_transparent_png",
        ),
        pytest.param(saved(IMAGE.convert("LA"), "PNG"), GREY, 0, id="grey_alpha_png"),
        pytest.param(saved(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB")), 0, id="palette_png"),
        pytest.param(
            saved(PALETTE, "PNG", transparency=3),
            np.asarray(PALETTE.convert("RGB")),
            0,
            id="palette_png_with_a_clear_colour",
        ),
        pytest.param(
            saved(IMAGE.convert("1"), "PNG"),
            np.asarray(IMAGE.convert("1").convert("RGB")),
            0,
            id="black_and_white_png",
        ),
        pytest.param(
            cv2.imencode(".png", SCENE[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes(),
            SCENE,
            0,
            id="16_bit_png",
        ),
        pytest.param(animated(), SCENE, 0, id="animated_png_is_its_first_picture"),
        pytest.param(after_header(PNG, TEXT_BOMB, PROFILE_BOMB), SCENE, 0, id="png_with_bombs_in_its_notes"),
    ],
)
def test_every_make_gives_its_pixels(data: bytes, expected: np.ndarray, off: int) -> None:
    picture = decode(data)
    assert isinstance(picture, Picture)
    assert picture.rgb.shape == expected.shape
    assert picture.rgb.dtype == np.uint8
    assert np.abs(picture.rgb.astype(int) - expected).mean() <= off


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_whichever_way_the_camera_hung(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    data = saved(IMAGE, kind, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    picture = decode(data)
    assert isinstance(picture, Picture)
    assert picture.rgb.shape == upright.shape
    assert np.abs(picture.rgb.astype(int) - upright).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cut_picture_is_truncated_whichever_way_it_hung(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    data = saved(IMAGE, "JPEG", exif=exif)
    assert decode(data[: len(data) * 2 // 3] + b"\xff\xd9") == BrokenPicture(Broken.TRUNCATED)


BOMBS = {
    "png_of_144_megapixels": (png_of(12_000, 12_000, DATA_BOMB), Broken.TOO_MANY_PIXELS),
    "png_of_all_that_a_header_can_say": (png_of(2**31 - 1, 2**31 - 1, DATA_BOMB), Broken.TOO_MANY_PIXELS),
    "jpeg_of_144_megapixels": (jpeg_of(12_000, 12_000), Broken.TOO_MANY_PIXELS),
    "jpeg_just_above": (jpeg_of(MAX_PIXELS // 4_000 + 1, 4_000), Broken.TOO_MANY_PIXELS),
    "jpeg_that_says_its_size_twice": (
        JPEG[:2] + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 12_000, 12_000) + bytes(10) + JPEG[2:],
        Broken.TOO_MANY_PIXELS,
    ),
    "jpeg_with_thousands_of_scans": (with_scans(3_000), Broken.TOO_MANY_SCANS),
    "jpeg_large_with_many_scans": (
        with_scans(60).replace(struct.pack(">HH", 240, 320), struct.pack(">HH", 4_000, 4_000), 1),
        Broken.TOO_MANY_SCANS,
    ),
    "png_of_endless_chunks": (after_header(PNG, chunk(b"teXt", b"") * MAX_CHUNKS), Broken.DAMAGED),
    "png_with_two_headers": (after_header(PNG, PNG[8:33]), Broken.DAMAGED),
    "png_without_a_header": (PNG[:8] + PNG[33:], Broken.DAMAGED),
    "png_of_no_size": (png_of(0, 0), Broken.DAMAGED),
    "png_of_no_height": (png_of(10, 0), Broken.DAMAGED),
    "jpeg_of_no_size": (jpeg_of(0, 0), Broken.DAMAGED),
    "png_without_data": (png_of(64, 64), Broken.DAMAGED),
    "one_pixel": (saved(IMAGE.resize((1, 1)), "PNG"), Broken.STRANGE_SHAPE),
    "one_pixel_jpeg": (saved(IMAGE.resize((1, 1)), "JPEG"), Broken.STRANGE_SHAPE),
    "a_thread": (saved(IMAGE.resize((1, 40_000)), "PNG"), Broken.STRANGE_SHAPE),
    "a_ribbon": (saved(IMAGE.resize((40_000, 1)), "JPEG"), Broken.STRANGE_SHAPE),
    "a_strip": (saved(IMAGE.resize((1_000, 20)), "PNG"), Broken.STRANGE_SHAPE),
    "empty": (b"", Broken.EMPTY),
    "text": ("这不是图片\n".encode() * 100, Broken.NOT_AN_IMAGE),
    "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Broken.NOT_AN_IMAGE),
    "gif": (saved(IMAGE, "GIF", save_all=True, append_images=[IMAGE.rotate(90)]), Broken.UNSUPPORTED),
    "webp": (saved(IMAGE, "WEBP"), Broken.UNSUPPORTED),
    "bmp": (saved(IMAGE, "BMP"), Broken.UNSUPPORTED),
    "tiff": (saved(IMAGE, "TIFF"), Broken.UNSUPPORTED),
    "cut_jpeg": (JPEG[: len(JPEG) // 3], Broken.TRUNCATED),
    "cut_png": (PNG[: len(PNG) // 3], Broken.TRUNCATED),
}


@pytest.mark.parametrize("name", BOMBS)
def test_every_bad_picture_has_its_reason(name: str) -> None:
    data, reason = BOMBS[name]
    assert decode(data) == BrokenPicture(reason)


def test_another_name_makes_no_picture_of_it() -> None:
    gif, reason = BOMBS["gif"]
    assert decode(gif, "face.jpg") == BrokenPicture(reason)


def test_a_picture_at_the_limits_of_work_is_decoded() -> None:
    assert jpeg_head(with_scans(MAX_SCANS)).scans == MAX_SCANS
    assert isinstance(decode(with_scans(MAX_SCANS)), Picture)
    assert 12_000_000 * PROGRESSIVE.count(b"\xff\xda") < MAX_WORK


def test_what_bombs_hide_in_never_reaches_the_decoder() -> None:
    head = png_head(after_header(animated(), TEXT_BOMB, PROFILE_BOMB, chunk(b"eXIf", bytes(100_000))))
    assert head is not None
    kinds = {kind for kind in (b"zTXt", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT") if kind in head.data}
    assert (head.complete, kinds) == (True, set())


@pytest.mark.parametrize("filler", [b"\xff\x00", b"\xff", b"\xff\xd0", b"\xff\x01"])
def test_markers_that_say_nothing_are_stepped_over(filler: bytes) -> None:
    head = jpeg_head(JPEG[:-2] + filler * 4_000_000 + b"\x00\xff\xd9")
    assert (head.width, head.height, head.scans, head.complete) == (320, 240, 1, True)


_MEASURE = """
import json, resource, sys
from pathlib import Path
from recognition.images import BrokenPicture, decode

folder = Path(sys.argv[1])
def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
decode((folder / "good").read_bytes())
bad = [path.read_bytes() for path in sorted(folder.glob("bad-*"))]
before, broken = peak_mb(), 0
for number in range(200):
    broken += isinstance(decode(bad[number % len(bad)]), BrokenPicture)
print(json.dumps({"grown_mb": peak_mb() - before, "broken": broken, "bad": len(bad)}))
"""


def test_two_hundred_bad_pictures_leave_the_memory_as_it_was(tmp_path: Path) -> None:
    """The peak of a process of its own: what is refused was never decoded, not only given back."""
    (tmp_path / "good").write_bytes(saved(IMAGE.resize((1280, 720)), "JPEG"))
    for name, (data, _) in BOMBS.items():
        (tmp_path / f"bad-{name}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    seen = json.loads(done.stdout)
    assert seen["broken"] == 200
    assert seen["grown_mb"] < 32
