"""A report as parts of words, plots and tables, whatever it is shown on. It names nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from console.plots import Plot


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that stands for itself, with what it is compared with beneath it."""

    name: str
    value: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are texts as the reader is shown them; `numbers` are the columns that line up at the right."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: frozenset[int] = frozenset()
    # How many rows a page shows before the rest is folded away; 0: what a plot says already.
    shown: int = 8


@dataclass(frozen=True)
class Section:
    """`name` is its address on the page; `words` are sentences, `hint` says how to read it."""

    name: str
    title: str
    words: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    hint: str = ""
    # What to say where there is nothing to draw or to list.
    nothing: str = ""

    @property
    def empty(self) -> bool:
        drawn = any(not plot.empty for plot in self.plots)
        return not (self.words or self.figures or drawn or any(table.rows for table in self.tables))


@dataclass(frozen=True)
class Signing:
    """Where somebody signs: who, and what stands on the line already."""

    name: str
    signed: str = ""


@dataclass(frozen=True)
class Document:
    """`facts` stand beneath the title: compound, span, what it was narrowed to, when it was made."""

    title: str
    facts: Sequence[str]
    sections: Sequence[Section]
    signing: Sequence[Signing] = field(default=())
    # The last line of the paper: a digest, or that nobody is named.
    foot: str = ""

    def tables(self) -> Iterator[Table]:
        for section in self.sections:
            yield from section.tables
