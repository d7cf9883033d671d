"""Every metric that the program has: what its code makes with prometheus_client, and the measures.

It is read from the source, so that what is documented is what is written there; nothing is started for it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ringward.measures.definitions import MEASURES

ROOMS: Final = (
    *("storage", "bus", "registry", "devices", "ingest"),
    *("recognition", "alerts", "privacy", "console", "ringward"),
)
PREFIX: Final = "ringward_"
_KINDS: Final = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
_UNITS: Final = {
    "timestamp_seconds": "seconds since 1970",
    "seconds": "seconds",
    "bytes": "bytes",
    "rows": "rows",
    "messages": "messages",
    "share": "0…1",
    "drift": "distance",
    "info": "always 1",
}
_SAMPLES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


@dataclass(frozen=True, slots=True, order=True)
class Family:
    """A metric. `name` is as it is scraped, a counter's with `_total`; `made_in` a path below the root."""

    name: str
    kind: str
    says: str
    labels: tuple[str, ...]
    made_in: str

    @property
    def unit(self) -> str:
        """What a value counts; its own things where the name has no unit at its end."""
        plain = self.name.removesuffix("_total")
        return next((says for end, says in _UNITS.items() if plain.endswith(f"_{end}")), "count")

    @property
    def samples(self) -> frozenset[str]:
        """The names that a query may use."""
        plain = self.name.removesuffix("_total") if self.kind == "counter" else self.name
        return frozenset(plain + end for end in _SAMPLES[self.kind])


def families(root: Path) -> list[Family]:
    """Of the source below `root`, by name. Raises `ValueError` where one cannot be read from it."""
    found = [Family(one.name, "gauge", one.says, one.labels, "ringward/measures") for one in MEASURES]
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "prometheus_client" in text:
                found += _made(ast.parse(text), str(path.relative_to(root)))
    return sorted(found)


def _made(tree: ast.Module, path: str) -> Iterator[Family]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        kind = _KINDS.get(call.func.id)
        if kind is None or not call.args or not _starts(call.args[0]):
            continue
        name, says = (_text(argument, path) for argument in call.args[:2])
        labels = call.args[2] if len(call.args) > 2 else None
        for keyword in call.keywords:
            if keyword.arg == "labelnames":
                labels = keyword.value
        made = f"{name}_total" if kind == "counter" else name
        yield Family(made, kind, says, _labels(labels, path), path)


def _starts(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Constant) and str(argument.value).startswith(PREFIX)


def _text(argument: ast.expr, path: str) -> str:
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        raise ValueError(f"{path}:{argument.lineno}: name and meaning of a metric are written out")  # noqa: TRY004
    return argument.value


def _labels(argument: ast.expr | None, path: str) -> tuple[str, ...]:
    if argument is None:
        return ()
    if not isinstance(argument, (ast.List, ast.Tuple)):
        raise ValueError(f"{path}:{argument.lineno}: labels of a metric are written out")  # noqa: TRY004
    return tuple(_text(one, path) for one in argument.elts)
