"""A rules file as a tree that knows its lines: every key and table with where it stands. Pure.

tomlkit reads; it does not say on which line a value stands, and it stops at the first mistake. So
the file is read header by header: each piece is TOML by itself, its mistakes are its own, and all
of them are found at once. A piece keeps its text, which is how a value is changed without
touching a comment elsewhere.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError, UnexpectedEofError
from tomlkit.items import AoT, Item, Key, Table

LARGEST: Final = 256 * 1024
"""Characters. A compound's rules are a few pages; what is larger is not a rules file."""

MISTAKES_MOST: Final = 20
"""In one piece; what has more is no TOML at all."""

_LONGEST_VALUE: Final = 8 * 1024
_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)
_ENDED: Final = "Unexpected character: '\\x00'"
_TWICE: Final = re.compile(r'^Key "(.*)" already exists\.$')


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value on a line: plain Python, times and dates as `datetime` has them."""

    line: int
    value: Any


@dataclass(slots=True)
class Branch:
    """A table: the line of its header, and what is in it. `written`: by a header of its own."""

    line: int
    items: "dict[str, Node]" = field(default_factory=dict)
    written: bool = False


Node = Leaf | Branch | list[Branch]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Text that is no TOML: `code` is toml (with `what` tomlkit said), toml_ended, toml_size, or
    twice: something is said twice, `what` it is and on which line it stood `first`, if that is known.
    """

    line: int
    code: str
    what: str = ""
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A header with what follows it, up to the next one. `line` is its first in the file, from 1.

    `document` is what could be read of it; it renders to `text` where there are no mistakes.
    """

    line: int
    text: str
    document: tomlkit.TOMLDocument
    mistakes: tuple[Mistake, ...]


def read(text: str) -> tuple[Branch, list[Mistake]]:
    """The tree of what can be read, and every mistake of the rest, by line."""
    root, mistakes = Branch(1, written=True), list[Mistake]()
    if len(text) > LARGEST:
        return root, [Mistake(1, "toml_size", str(LARGEST // 1024))]
    merge = _Merge(mistakes)
    for piece in pieces(text):
        mistakes += piece.mistakes
        merge.container(root, piece.document.body, piece.line)
    if not mistakes:
        # Piece by piece it is fine: together it must be, too, for whoever reads it with something else.
        whole = _parse(text.removeprefix("\ufeff"))
        mistakes += [whole] if isinstance(whole, Mistake) else []
    return root, sorted(mistakes, key=lambda one: one.line)


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a file; their texts, one after the other, are the file (without a byte order mark)."""
    text = text.removeprefix("\ufeff")
    starts = sorted({0, *(match.start() for match in _HEADER.finditer(text))})
    bounds = [*starts, len(text)]
    at = 0
    while at < len(starts):
        line = text.count("\n", 0, bounds[at]) + 1
        used = at + 1
        piece = _piece(text[bounds[at] : bounds[used]], line)
        # A line of an array or of a long text may look like a header: then the piece goes on.
        further = used
        while piece.mistakes and piece.mistakes[-1].code == "toml_ended" and further < len(starts):
            further += 1
            if bounds[further] - bounds[at] > _LONGEST_VALUE:
                break
            longer = _parse(text[bounds[at] : bounds[further]])
            if isinstance(longer, tomlkit.TOMLDocument):
                piece, used = Piece(line, text[bounds[at] : bounds[further]], longer, ()), further
            elif longer.code != "toml_ended":
                break
        yield piece
        at = used


def _piece(text: str, line: int) -> Piece:
    """Reads a piece; a line with a mistake is left out and the rest is read all the same."""
    mistakes: list[Mistake] = []
    rest = text
    while True:
        parsed = _parse(rest)
        if isinstance(parsed, tomlkit.TOMLDocument):
            return Piece(line, text, parsed, tuple(mistakes))
        mistakes.append(Mistake(line + parsed.line - 1, parsed.code, parsed.what, parsed.first))
        lines = rest.split("\n")
        wrong = lines[parsed.line - 1]
        # What is open to the end takes everything after it along; a header, what would stand below it.
        rest_too = parsed.code == "toml_ended" or _HEADER.match(wrong) is not None or not wrong.strip()
        if rest_too or len(mistakes) >= MISTAKES_MOST:
            lines[parsed.line - 1 :] = [""] * (len(lines) - parsed.line + 1)
        else:
            lines[parsed.line - 1] = ""
        rest = "\n".join(lines)


def _parse(text: str) -> tomlkit.TOMLDocument | Mistake:
    """Lines of the mistake are counted from the text's first, which is 1."""
    try:
        return tomlkit.parse(text)
    except UnexpectedEofError:
        return Mistake(_opened(text), "toml_ended")
    except ParseError as error:
        what = str(error).rpartition(" at line ")[0]
        if what == _ENDED and "\0" not in text:
            return Mistake(_opened(text), "toml_ended")
        twice = _TWICE.match(what)
        if twice is not None:
            return Mistake(error.line, "twice", twice[1])
        # At the end of a line tomlkit is already on the next one.
        lines = text.split("\n")
        return Mistake(max(1, min(error.line, len(lines))), "toml", what)
    except (TOMLKitError, ValueError, RecursionError) as error:
        # A key twice in one pair of braces, and what else it does not know the line of.
        twice = _TWICE.match(str(error))
        if twice is not None:
            return Mistake(_first_that_fails(text), "twice", twice[1])
        return Mistake(_first_that_fails(text), "toml", str(error) or type(error).__name__)


def _opened(text: str) -> int:
    """The line of the last key of a text that ends too early: there the bracket or quote is open."""
    lines = text.split("\n")
    return next((n for n in range(len(lines), 0, -1) if "=" in lines[n - 1]), 1)


def _first_that_fails(text: str) -> int:
    """The line up to which the text has to be read to fail for another reason than that it ends."""
    lines = text.split("\n")
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        try:
            tomlkit.parse("\n".join(lines[:middle]))
        except ParseError:
            low = middle + 1
        except (TOMLKitError, ValueError, RecursionError):
            high = middle
        else:
            low = middle + 1
    return low


class _Merge:
    """Adds pieces to the tree, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self._mistakes = mistakes

    def container(self, into: Branch, body: Iterable[tuple[Key | None, Item]], line: int) -> int:
        """Returns the line after it."""
        for key, item in body:
            if key is None:
                line += _breaks(item.as_string())
            elif isinstance(item, AoT):
                line = self._array(into, key.key, item, line)
            elif isinstance(item, Table):
                line = self._table(into, key, item, line)
            else:
                line = self._value(into, key, item, line)
        return line

    def _table(self, into: Branch, key: Key, table: Table, line: int) -> int:
        trivia = table.trivia
        headed = not table.is_super_table() and not key.is_dotted()
        if headed:
            line += _breaks(trivia.indent)
        inner = self._branch(into, key.key, line)
        if headed:
            if inner.written:
                self._twice(key.key, line, inner.line)
                inner = Branch(line)
            inner.written, inner.line = True, line
            line += _breaks(trivia.comment_ws, trivia.comment, trivia.trail)
        return self.container(inner, table.value.body, line)

    def _branch(self, into: Branch, name: str, line: int) -> Branch:
        """The table of a name, made where there is none: of an array of tables the last one."""
        found = into.items.setdefault(name, Branch(line))
        if isinstance(found, list):
            return found[-1]
        if isinstance(found, Leaf):
            self._twice(name, line, found.line)
            return Branch(line)
        return found

    def _array(self, into: Branch, name: str, array: AoT, line: int) -> int:
        known = into.items.setdefault(name, [])
        if not isinstance(known, list):
            self._twice(name, line, known.line)
            known = []
        for table in array.body:
            trivia = table.trivia
            line += _breaks(trivia.indent)
            inner = Branch(line, written=True)
            known.append(inner)
            line += _breaks(trivia.comment_ws, trivia.comment, trivia.trail)
            line = self.container(inner, table.value.body, line)
        return line

    def _value(self, into: Branch, key: Key, item: Item, line: int) -> int:
        trivia = item.trivia
        line += _breaks(trivia.indent)
        known = into.items.get(key.key)
        if known is not None:
            self._twice(key.key, line, known[0].line if isinstance(known, list) else known.line)
        else:
            into.items[key.key] = _plain(item.unwrap(), line)
        return line + _breaks(
            key.as_string(), key.sep, item.as_string(), trivia.comment_ws, trivia.comment, trivia.trail
        )

    def _twice(self, name: str, line: int, first: int) -> None:
        self._mistakes.append(Mistake(line, "twice", name, first))


def _plain(value: Any, line: int) -> Node:
    """Inline tables and arrays of them are tables, all on the line of their key."""
    if isinstance(value, dict):
        return Branch(line, {name: _plain(inner, line) for name, inner in value.items()}, written=True)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        branches = [_plain(one, line) for one in value]
        return [one for one in branches if isinstance(one, Branch)]
    return Leaf(line, value)


def _breaks(*parts: str) -> int:
    return sum(part.count("\n") for part in parts)
