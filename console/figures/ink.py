"""Letters on paper: Chinese in the face that readers of PDF carry themselves, all else in Helvetica.

A built-in Chinese face needs no font file, so that a report of a month is a few kilobytes and is the same on
every machine that makes it.
"""

import re
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

LATIN: Final = "Helvetica"
LATIN_BOLD: Final = "Helvetica-Bold"
CHINESE: Final = "STSong-Light"

_RUNS: Final = re.compile(
    r"[\u0020-\u007e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]+|[^\u0020-\u007e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]+"
)
_LATIN: Final = re.compile(r"[\u0020-\u007e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]")


def ready() -> None:
    """Makes the Chinese face known; doing it again changes nothing."""
    if CHINESE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def runs(text: str, *, bold: bool = False) -> list[tuple[str, str]]:
    """A text as (font, piece), in its order."""
    latin = LATIN_BOLD if bold else LATIN
    return [(latin if _LATIN.match(piece) else CHINESE, piece) for piece in _RUNS.findall(_drawn(text))]


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at this size, in points."""
    return sum(float(pdfmetrics.stringWidth(piece, font, size)) for font, piece in runs(text, bold=bold))


def write(
    canvas: Any, x: float, y: float, text: str, size: float, *, anchor: str = "start", bold: bool = False
) -> None:
    """Writes a line of text; `x` is where it starts, has its middle, or ends."""
    wide = width(text, size, bold=bold) if anchor != "start" else 0.0
    x -= wide / 2 if anchor == "middle" else wide
    for font, piece in runs(text, bold=bold):
        canvas.setFont(font, size)
        canvas.drawString(x, y, piece)
        x += float(pdfmetrics.stringWidth(piece, font, size))


def marked(text: str, *, bold: bool = False) -> str:
    """A text as the mark-up of a paragraph: escaped, each piece in its face."""
    return "".join(f'<font name="{font}">{escape(piece)}</font>' for font, piece in runs(text, bold=bold))


def _drawn(text: str) -> str:
    # No letter of either face: what stands for a control character would be a box.
    return "".join(letter if letter.isprintable() else " " for letter in text)
