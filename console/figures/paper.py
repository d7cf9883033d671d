"""A report as PDF: A4, a head on each page, "page x of y". The same report is the same file, bit by bit."""

import io
from collections.abc import Callable, Iterable
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from console.figures import ink
from console.figures.document import Document, Figure, Section, Signing
from console.figures.document import Table as Rows
from console.figures.painter import Painted
from console.pages.view import Frame

_MARGIN: Final = 16 * mm
# What stands in a frame of reportlab keeps this far from its edge.
_PADDING: Final = 6
_LEFT: Final = _MARGIN + _PADDING
_WIDE: Final = A4[0] - 2 * _LEFT
_INK, _SOFT, _RULE, _SHADE = (HexColor(one) for one in ("#16202a", "#475563", "#c3cad1", "#f1f4f6"))
_MOST_ROWS: Final = 25
"""A table on paper says the first so many; all of them are in its sheet."""


def _style(name: str, size: float, *, lead: float = 1.4, before: float = 0, colour: Any = _INK) -> Any:
    return ParagraphStyle(
        name,
        fontName=ink.LATIN,
        fontSize=size,
        leading=size * lead,
        spaceBefore=before,
        textColor=colour,
    )


_TITLE = _style("title", 18, lead=1.3)
_FACT = _style("fact", 9.5, colour=_SOFT)
_HEAD = _style("head", 13, before=10)
_SUB = _style("sub", 10.5, before=6)
_BODY = _style("body", 10)
_HINT = _style("hint", 8.5, colour=_SOFT)
_CELL = _style("cell", 9, lead=1.25)
_NUMBER = ParagraphStyle("number", parent=_CELL, alignment=TA_RIGHT)
_BIG = _style("big", 15, lead=1.25)

PageWords = Callable[[int, int], str]
"""What stands at the foot: of page and number of pages."""


def paper(document: Document, page_words: PageWords, more: Callable[[int], str]) -> bytes:
    """The report on paper. `more` says that so many rows of a table are not shown."""
    ink.ready()
    made = io.BytesIO()
    head = " · ".join([document.title, *document.facts[:1]])
    template = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=20 * mm,
        bottomMargin=18 * mm,
        title=document.title,
        author="Ringward",
        subject=document.facts[0] if document.facts else "",
        # No time and no chance in it: who makes it again can compare.
        invariant=1,
    )
    story = [*_front(document)]
    for section in document.sections:
        story += _section(section, more)
    story += _signing(document.signing)

    def canvas(*args: Any, **options: Any) -> Canvas:
        return _Numbered(head, document.foot, page_words, *args, **options)

    template.build(story, canvasmaker=canvas)
    return made.getvalue()


def on_paper(view: Frame) -> tuple[PageWords, Callable[[int], str]]:
    """What paper says in the reader's language: page x of y, and that rows are left out."""
    return (
        lambda page, of: view.t("stats.page_of", page=page, of=of),
        lambda rows: view.t("stats.rows_more", n=rows),
    )


class _Numbered(Canvas):  # type: ignore[misc]
    """Keeps its pages until it knows how many there are."""

    def __init__(self, head: str, foot: str, words: PageWords, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head, self._foot, self._words = head, foot, words
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._kept, 1):
            self.__dict__.update(page)
            self._margins(number, len(self._kept))
            super().showPage()
        super().save()

    def _margins(self, number: int, of: int) -> None:
        self.setFillColor(_SOFT)
        self.setStrokeColor(_RULE)
        self.setLineWidth(0.5)
        if number > 1:
            ink.write(self, _LEFT, A4[1] - 12 * mm, self._head, 8.5)
            self.line(_LEFT, A4[1] - 14 * mm, A4[0] - _LEFT, A4[1] - 14 * mm)
        ink.write(self, _LEFT, 10 * mm, self._foot, 7.5)
        ink.write(self, A4[0] - _LEFT, 10 * mm, self._words(number, of), 8.5, anchor="end")


def _text(text: str, style: Any, *, bold: bool = False) -> Paragraph:
    if any(font == ink.CHINESE for font, _ in ink.runs(text)):
        # Chinese has no blanks to break at.
        style = ParagraphStyle(f"{style.name}-zh", parent=style, wordWrap="CJK")
    return Paragraph(ink.marked(text, bold=bold), style)


def _front(document: Document) -> list[Flowable]:
    return [
        _text(document.title, _TITLE, bold=True),
        *(_text(fact, _FACT) for fact in document.facts),
        Spacer(1, 8),
    ]


def _section(section: Section, more: Callable[[int], str]) -> list[Flowable]:
    head: list[Flowable] = [_text(section.title, _HEAD, bold=True)]
    if section.empty:
        return [KeepTogether([*head, _text(section.nothing or "–", _BODY)])]
    first: list[Flowable] = [*head, *(_text(words, _BODY) for words in section.words)]
    if section.figures:
        first += [Spacer(1, 4), _figures(section.figures)]
    rest: list[Flowable] = [
        KeepTogether([_text(plot.title, _SUB, bold=True), Spacer(1, 3), Painted(plot, _WIDE)])
        for plot in section.plots
        if not plot.empty
    ]
    for table in section.tables:
        if table.rows and table.shown:
            rest += _table(table, more, titled=table.title != section.title or len(section.tables) > 1)
    # A title never stands alone at the foot of a page.
    made: list[Flowable] = [CondPageBreak(45 * mm), KeepTogether(first), *rest]
    if section.hint:
        made.append(_text(section.hint, _HINT))
    return made


def _figures(figures: Iterable[Figure]) -> Table:
    cells = [
        [_text(one.name, _HINT), _text(one.value, _BIG, bold=True), _text(one.beside or " ", _HINT)]
        for one in figures
    ]
    # Five in a line are read; more go into the next one.
    lines = [cells[n : n + 5] for n in range(0, len(cells), 5)]
    wide = max(len(line) for line in lines)
    grid = [[*line, *[""] * (wide - len(line))] for line in lines]
    return Table(
        grid,
        colWidths=[_WIDE / wide] * wide,
        style=[
            ("BOX", (0, 0), (-1, -1), 0.5, _RULE),
            ("INNERGRID", (0, 0), (-1, -1), 0.5, _RULE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
    )


def _table(table: Rows, more: Callable[[int], str], *, titled: bool) -> list[Flowable]:
    shown = table.rows[:_MOST_ROWS]
    head = [
        _text(one, _NUMBER if n in table.numbers else _CELL, bold=True) for n, one in enumerate(table.heads)
    ]
    body = [
        [_text(cell, _NUMBER if n in table.numbers else _CELL) for n, cell in enumerate(row)] for row in shown
    ]
    made = LongTable(
        [head, *body],
        colWidths=_widths(table),
        repeatRows=1,
        style=[
            ("BACKGROUND", (0, 0), (-1, 0), _SHADE),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ],
    )
    parts: list[Flowable] = [CondPageBreak(30 * mm)]
    if titled:
        parts += [_text(table.title, _SUB, bold=True), Spacer(1, 3)]
    parts.append(made)
    if len(table.rows) > len(shown):
        parts.append(_text(more(len(table.rows) - len(shown)), _HINT))
    parts.append(Spacer(1, 5))
    return parts


def _widths(table: Rows) -> list[float]:
    """What no word can go without, and of the rest as much as the longest cells ask; together the sheet."""
    texts = [[head, *(row[n] for row in table.rows[:_MOST_ROWS])] for n, head in enumerate(table.heads)]
    least = [max(_longest(text) for text in column) + 13 for column in texts]
    asked = [max(ink.width(text, 9, bold=True) for text in column) + 13 for column in texts]
    if sum(asked) <= _WIDE:
        return [_WIDE * one / sum(asked) for one in asked]
    if sum(least) >= _WIDE:
        return [_WIDE * one / sum(least) for one in least]
    share = (_WIDE - sum(least)) / (sum(asked) - sum(least))
    return [small + share * (large - small) for small, large in zip(least, asked, strict=True)]


def _longest(text: str) -> float:
    """The widest piece that is not broken: a word, of Chinese four letters."""
    pieces = [
        piece[:4] if font == ink.CHINESE else word for font, piece in ink.runs(text) for word in piece.split()
    ]
    return max((ink.width(piece, 9, bold=True) for piece in pieces), default=0.0)


def _signing(signing: Iterable[Signing]) -> list[Flowable]:
    sides = list(signing)
    if not sides:
        return []
    cells = [
        [_text(one.name, _BODY, bold=True), Spacer(1, 22), _text(one.signed or " ", _BODY)] for one in sides
    ]
    lines = Table(
        [cells],
        colWidths=[_WIDE / len(sides)] * len(sides),
        style=[("LINEBELOW", (n, 0), (n, 0), 0.8, _INK) for n in range(len(sides))],
    )
    return [KeepTogether([Spacer(1, 16), lines])]
