"""A rules file with some of its values changed, everything else, comments too, as it was. Pure.

What a form or a proposal changes is one rule's numbers, levels and whether it runs. Whoever wrote
the file finds it again: a value is replaced where it stands, or put below the comment that names it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import tomlkit
from tomlkit.items import InlineTable, Table

from alerts.rulebook.file import load
from alerts.rulebook.reading import Branch, Leaf, Piece, pieces, read
from alerts.rules.book import Entry
from alerts.rules.rule import Rule

Value = bool | int | float
_Path = tuple[str, ...]
_NO_VALUES: Final[Mapping[str, float]] = MappingProxyType({})
_NO_LEVELS: Final[Mapping[str, int]] = MappingProxyType({})


class NotWritableError(Exception):
    """The file is written in a way in which the value cannot be changed without touching the rest."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What somebody wants of a rule, by parameter and level; what is not named stays."""

    enabled: bool | None = None
    values: Mapping[str, float] = field(default_factory=lambda: _NO_VALUES)
    severities: Mapping[str, int] = field(default_factory=lambda: _NO_LEVELS)


def difference(rule: type[Rule], entry: Entry, wanted: RuleChange) -> RuleChange:
    """Of what is wanted that which is otherwise than it is now."""
    values = {one.name: one.default for one in rule.parameters} | dict(entry.values)
    levels = dict(rule.severities) | dict(entry.severities)
    return RuleChange(
        None if wanted.enabled == entry.enabled else wanted.enabled,
        {name: value for name, value in wanted.values.items() if values.get(name) != value},
        {level: value for level, value in wanted.severities.items() if levels.get(level) != value},
    )


def changes_nothing(change: RuleChange) -> bool:
    """Whether there is nothing to be changed."""
    return change.enabled is None and not change.values and not change.severities


def with_change(text: str, rule: str, change: RuleChange) -> str:
    """The file with a rule changed. No other rule is touched. Raises `NotWritableError`."""
    changed = text
    if change.enabled is not None:
        changed = with_value(changed, rule, ("enabled",), change.enabled)
    for name, value in change.values.items():
        changed = with_number(changed, rule, name, value)
    for level, severity in change.severities.items():
        changed = with_value(changed, rule, ("severity", level), severity)
    before, after = load(text).file.entries, load(changed).file.entries
    if {name: one for name, one in before.items() if name != rule} != {
        name: one for name, one in after.items() if name != rule
    }:
        raise NotWritableError
    return changed


def with_number(text: str, rule: str, parameter: str, value: float) -> str:
    """The file with one parameter of a rule changed. Raises `NotWritableError`."""
    return with_value(text, rule, (parameter,), int(value) if value == int(value) else value)


def with_value(text: str, rule: str, path: _Path, value: Value) -> str:
    """The file with one value of a rule's table changed: `("severity", "day")` is `severity.day`.

    Raises `NotWritableError`.
    """
    parts = list(pieces(text))
    if any(piece.mistakes for piece in parts):
        raise NotWritableError
    # Where it stands already first, then a table that is there for it, then one that is made for it.
    changed = (
        _replaced(parts, rule, path, value)
        or _inserted(parts, rule, path, value)
        or _appended("".join(piece.text for piece in parts), rule, path, value)
    )
    found = _value(changed, rule, path)
    if found != value or isinstance(found, bool) != isinstance(value, bool) or read(changed)[1]:
        raise NotWritableError
    return changed


def _replaced(parts: Sequence[Piece], rule: str, path: _Path, value: Value) -> str | None:
    for at, piece in enumerate(parts):
        table = _table(piece.document, ("rules", rule, *path[:-1]))
        if table is not None and path[-1] in table:
            table[path[-1]] = value
            return _joined(parts, at, piece.document.as_string())
    return None


def _inserted(parts: Sequence[Piece], rule: str, path: _Path, value: Value) -> str | None:
    """Below the comment that says how it comes, else below the header; the nearest table first."""
    for depth in range(len(path) - 1, -1, -1):
        name = ".".join(path[depth:])
        for at, piece in enumerate(parts):
            table = _table(piece.document, ("rules", rule, *path[:depth]))
            if not isinstance(table, Table) or table.is_super_table():
                continue
            if not _headed(piece, ("rules", rule, *path[:depth])):
                continue
            lines = piece.text.splitlines(keepends=True)
            comment = re.compile(rf"\s*#\s*{re.escape(name)}\s*=")
            below = next((n for n, line in enumerate(lines) if comment.match(line)), 0) + 1
            if not lines[below - 1].endswith("\n"):
                lines[below - 1] += "\n"
            lines.insert(below, f"{name} = {_written(value)}\n")
            return _joined(parts, at, "".join(lines))
    return None


def _appended(text: str, rule: str, path: _Path, value: Value) -> str:
    gap = "" if text.endswith("\n") or not text else "\n"
    return f"{text}{gap}\n[rules.{rule}]\n{'.'.join(path)} = {_written(value)}\n"


def _joined(parts: Sequence[Piece], at: int, text: str) -> str:
    return "".join(text if n == at else piece.text for n, piece in enumerate(parts))


def _headed(piece: Piece, names: _Path) -> bool:
    """Whether the piece's own header is that table: a dotted key makes tables, too."""
    header = piece.text.lstrip().partition("]")[0]
    parts = tuple(part.strip().strip("\"'") for part in header.removeprefix("[").split("."))
    return header.startswith("[") and parts == names


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(document: tomlkit.TOMLDocument, names: _Path) -> Table | InlineTable | None:
    found: object = document
    for name in names:
        if not isinstance(found, Table | InlineTable | tomlkit.TOMLDocument):
            return None
        found = found.get(name)
    return found if isinstance(found, Table | InlineTable) else None


def _value(text: str, rule: str, path: _Path) -> object:
    """What the file says of a value now; None where it says nothing."""
    tree, _ = read(text)
    node: object = tree
    for name in ("rules", rule, *path):
        node = node.items.get(name) if isinstance(node, Branch) else None
    return node.value if isinstance(node, Leaf) else None


@dataclass(frozen=True, slots=True)
class Changed:
    """One value of a rule that a draft has otherwise; `path` as in `with_value`."""

    rule: str
    path: _Path
    was: Value
    now: Value


def changed(
    before: Mapping[str, Entry], after: Mapping[str, Entry], rules: Iterable[type[Rule]]
) -> list[Changed]:
    """The numbers, levels and switches that differ, in the order of the rules."""
    found: list[Changed] = []
    for rule in rules:
        was, now = (
            _values_of(rule, before.get(rule.id, Entry())),
            _values_of(rule, after.get(rule.id, Entry())),
        )
        found += [Changed(rule.id, path, was[path], now[path]) for path in was if was[path] != now[path]]
    return found


def _values_of(rule: type[Rule], entry: Entry) -> dict[_Path, Value]:
    values: dict[_Path, Value] = {("enabled",): entry.enabled}
    values |= {
        ("severity", level): entry.severities.get(level, usual) for level, usual in rule.severities.items()
    }
    values |= {(one.name,): entry.values.get(one.name, one.default) for one in rule.parameters}
    return values
