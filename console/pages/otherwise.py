"""What would have made a signal otherwise, in the reader's words, from what `explain` answers."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerts.rules import RULES
from console.pages.linked import Unseeing, unseeing
from console.pages.places import Names
from console.texts import Texts
from console.texts.rulebook import rule_says, trade_off

Clock = Callable[[dt.datetime | None], str]

# An excuse of these words is told by its type and cause alone.
_PLAIN: Final = "excuse_seen"


@dataclass(frozen=True, slots=True)
class Input:
    """Something that was observed. `is_anchor`: it made the rule look."""

    at: dt.datetime
    what: str
    place: str
    is_anchor: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter as it was in force, and what too little and too much of it does."""

    name: str
    value: str
    trade_off: str


@dataclass(frozen=True, slots=True)
class Told:
    """One signal. `changes` and `keeps` are sentences, the nearest of each kind."""

    rule: str
    says: str
    severity: int
    levels: tuple[str, ...]
    version: str
    mode: str
    explained: bool
    # Whether enough was kept to explain it at all.
    kept: bool
    reason: str
    night: bool
    inputs: tuple[Input, ...]
    window: tuple[dt.datetime, dt.datetime] | None
    parameters: tuple[Value, ...]
    blind: tuple[Unseeing, ...]
    changes: tuple[str, ...]
    keeps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Teller:
    """Turns codes into words: language, names of places, the compound's clock."""

    t: Texts
    names: Names
    lanes: Mapping[str, str]
    clock: Clock

    def told(self, because: Iterable[Mapping[str, Any]]) -> tuple[Told, ...]:
        return tuple(self._told(one) for one in because)

    def _told(self, one: Mapping[str, Any]) -> Told:
        rule, found = str(one["rule"]), one.get("counterfactuals") or []
        version = one.get("version")
        window = one.get("window")
        known = next((each for each in RULES if each.id == rule), None)
        units = {each.name: each.unit for each in (known.parameters if known is not None else ())}
        reason = one.get("reason")
        where = next((each for each in one.get("inputs") or [] if each.get("anchor")), None)
        place = "" if where is None else self._place(where)
        return Told(
            rule=rule,
            says=rule_says(self.t, rule, ""),
            severity=int(one.get("severity") or 4),
            levels=tuple(one.get("levels") or ()),
            version="" if version is None else str(version),
            mode=str(one.get("mode") or ""),
            explained=bool(one.get("explained")),
            kept=version is not None,
            reason="" if reason is None else self.t(f"reason.{reason}.plain"),
            night=bool(one.get("night")),
            inputs=tuple(self._input(each) for each in one.get("inputs") or []),
            window=None if not window else (_moment(window[0]), _moment(window[1])),
            parameters=tuple(
                Value(name, self._number(value, units.get(name, "")), trade_off(self.t, rule, name, ""))
                for name, value in (one.get("parameters") or {}).items()
            ),
            blind=unseeing(one.get("blind") or (), self.names, self.t),
            changes=tuple(self._sentence(each, place) for each in found if each["changes"]),
            keeps=tuple(self._kept(each, place) for each in found if not each["changes"]),
        )

    def _input(self, seen: Mapping[str, Any]) -> Input:
        what = self.t.code("event", str(seen["type"]))
        return Input(_moment(seen["at"]), what, self._place(seen), bool(seen.get("anchor")))

    def _place(self, seen: Mapping[str, Any]) -> str:
        zone, device = str(seen.get("zone") or ""), str(seen.get("device") or "")
        parts = (self.names.zone(zone) if zone else "", self.names.device(device) if device else "")
        return " · ".join(dict.fromkeys(part for part in parts if part))

    def _sentence(self, one: Mapping[str, Any], place: str) -> str:
        t, outcome = self.t, self._outcome(one["outcome"])
        match one["kind"]:
            case "excuse":
                first, last = (self._offset(float(one[name])) for name in ("first_s", "last_s"))
                where = self._named(str(one.get("place") or "")) or place
                return t(
                    "otherwise.excuse",
                    what=self._what(one),
                    where=where,
                    first=first,
                    last=last,
                    outcome=outcome,
                )
            case "parameter":
                unit = str(one["unit"])
                return t(
                    "otherwise.parameter",
                    name=one["name"],
                    value=self._number(one["value"], unit),
                    now=self._number(one["now"], unit),
                    outcome=outcome,
                )
            case "input":
                seen = self._input(one)
                return t(
                    "why.without",
                    what=seen.what,
                    at=self.clock(seen.at),
                    where=seen.place,
                    outcome=outcome,
                )
        return t("why.hour_night" if one["night"] else "why.hour_day", outcome=outcome)

    def _kept(self, one: Mapping[str, Any], place: str) -> str:
        if one["kind"] == "parameter":
            return self.t("otherwise.parameter_no", name=one["name"])
        return self.t("why.excuse_other", what=self._what(one), where=place)

    def _what(self, one: Mapping[str, Any]) -> str:
        what, words, cause = self.t.code("event", str(one["type"])), str(one["words"]), one.get("cause")
        if words in self.t.keys and words != _PLAIN:
            return self.t("otherwise.with_cause", what=what, cause=self.t(words))
        if cause is not None:
            return self.t("otherwise.with_cause", what=what, cause=self.t.code("cause", str(cause)))
        return what

    def _outcome(self, outcome: str | int) -> str:
        if outcome == "silent":
            return self.t("why.silent")
        return self.t("why.other", severity=self.t(f"severity.{outcome}"))

    def _offset(self, seconds: float) -> str:
        """From what made the rule look."""
        key = "otherwise.before" if seconds < 0 else "otherwise.after"
        return self.t(key, s=f"{abs(seconds):.10g}")

    def _number(self, value: float, unit: str) -> str:
        if unit in {"share", "0…1", "distance"}:
            return f"{value:.10g}"
        words = self.t.code("unit", unit)
        return f"{value:.10g} {words}".strip()

    def _named(self, place: str) -> str:
        """A place is a lane's id, or a device's where it is in no lane."""
        return self.lanes.get(place) or self.names.devices.get(place) or self.names.zones.get(place) or place


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
