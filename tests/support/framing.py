"""A picture of a page as it is kept: small, and without anybody's face.

The demo's portraits are press photographs that stand in for invented people (see
`ringward.demo.portraits`). In a document they would say that somebody lives there who does not.
"""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageFilter
from playwright.sync_api import Page

CAMERAS: Final = "img[src^='/api/v1/media/'], img[src^='/phone/dispatches/']"
BLUR: Final = 14
COLOURS: Final = 96


def taken(page: Page, *, faces: bool) -> Image.Image:
    """What the window shows; where `faces` may be seen, cameras' pictures are blurred."""
    image = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    if faces:
        for box in page.locator(CAMERAS).evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"
        ):
            left, top, right, bottom = (int(max(0, edge)) for edge in box)
            part = (left, top, min(right, image.width), min(bottom, image.height))
            if part[0] < part[2] and part[1] < part[3]:
                image.paste(image.crop(part).filter(ImageFilter.GaussianBlur(BLUR)), part)
    return image


def keep(image: Image.Image, path: Path) -> None:
    """Few colours are enough for pages, and keep letters sharp where a photograph's way would not."""
    few = image.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    few.save(path, "WEBP", lossless=True, quality=100, method=4)
