"""What one unit costs, where that is known from, and up to which size it was measured."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

_FILE: Final = Path(__file__).with_name("costs.toml")

Grows = Literal[
    "events_per_s",
    "pictures_per_s",
    "people_per_compound",
    "compounds",
    "compounds_per_process",
    "devices",
    "none",
]
"""What of a demand a cost is multiplied by: the size up to which it was measured is counted in it."""

_TURNED: Final = {"as_is": lambda value: value, "per_s_to_ms": lambda value: 1000 / value}


class CostsError(ValueError):
    """A file of costs or of measurements cannot be used; `why` is for whoever wrote it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Cost:
    """One unit cost. `source` is "measured" or "assumed"; `by` the command, or the reason.

    `largest` is the largest size that was measured, in units of `grows`; None where size does not matter.
    `figure` names the figure of `ringward bench … --json` that replaces the value, as "benchmark.figure".
    """

    name: str
    value: float
    unit: str
    source: str
    by: str
    grows: Grows = "none"
    largest: float | None = None
    at: str | None = None
    revision: str | None = None
    machine: str | None = None
    figure: str | None = None
    turned: str = "as_is"

    @property
    def is_measured(self) -> bool:
        return self.source == "measured"


class Costs(Mapping[str, float]):
    """The values by name; `of` gives all that is known of one."""

    def __init__(self, costs: Iterable[Cost]) -> None:
        self._costs = {one.name: one for one in costs}

    def __getitem__(self, name: str) -> float:
        return self._costs[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._costs)

    def __len__(self) -> int:
        return len(self._costs)

    def of(self, name: str) -> Cost:
        """Raises `KeyError` where there is none of that name."""
        return self._costs[name]


def built_in() -> Costs:
    """Those that come with the program."""
    with _FILE.open("rb") as file:
        return Costs(Cost(name=name, **given) for name, given in tomllib.load(file).items())


def replaced(costs: Costs, text: str) -> Costs:
    """The costs with the values that a machine of one's own has shown.

    `text` is what `ringward bench … --json` printed or `ringward bench all` kept: one report, a list, one
    a line, or an object with `outcomes`. Figures that no cost has asked for are passed over.
    Raises `CostsError`.
    """
    seen: dict[str, tuple[float, Mapping[str, Any]]] = {}
    for one in _reports(text):
        for figure, value in one["figures"].items():
            seen[f"{one['name']}.{figure}"] = (value, one)
    return Costs(_measured(costs.of(name), seen) for name in costs)


def _measured(cost: Cost, seen: Mapping[str, tuple[float, Mapping[str, Any]]]) -> Cost:
    if cost.figure is None or cost.figure not in seen:
        return cost
    value, report = seen[cost.figure]
    if not isinstance(value, int | float) or value <= 0:
        raise CostsError(f"{cost.figure} is {value}: a cost is above zero")
    machine = report.get("machine") or {}
    return replace(
        cost,
        value=_TURNED[cost.turned](float(value)),
        source="measured",
        by=f"ringward bench {report['name']}",
        at=str(report.get("at", ""))[:10] or None,
        revision=report.get("revision"),
        machine=f"{machine.get('cores', '?')} cores, {machine.get('arch', '?')}",
    )


def _reports(text: str) -> list[Mapping[str, Any]]:
    try:
        given = json.loads(text)
    except ValueError:
        try:
            given = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise CostsError(f"this is no JSON: {error}") from None
    if isinstance(given, dict) and "outcomes" in given:
        given = [one.get("report") for one in given["outcomes"]]
    found = [one for one in (given if isinstance(given, list) else [given]) if one is not None]
    if not all(
        isinstance(one, dict) and "name" in one and isinstance(one.get("figures"), dict) for one in found
    ):
        raise CostsError("these are no reports of `ringward bench … --json`")
    return found
