"""The rule book of one compound: which rules run, where, when, with what numbers. A value, of a version."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from alerts.rules.observation import Observation
from alerts.rules.rule import Rule, Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
_NOTHING: Mapping[str, float] = MappingProxyType({})
_NO_LEVELS: Mapping[str, int] = MappingProxyType({})


class Mode(enum.StrEnum):
    """How the compound is run. Heightened: night's severities all day. Emergency: one graver besides."""

    NORMAL = "normal"
    HEIGHTENED = "heightened"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly time in which a rule runs otherwise, or not at all: dance hours, a school run, works.

    `days` are 0 Monday … 6 Sunday, of the day on which it begins; an end before the beginning is
    the next day's. Empty `zones` means everywhere.
    """

    name: str
    days: frozenset[int]
    starts: dt.time
    ends: dt.time
    zones: frozenset[str] = frozenset()
    enabled: bool = True
    values: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    severities: Mapping[str, int] = field(default_factory=lambda: _NO_LEVELS)

    def hold(self, local: dt.datetime, zone: str) -> bool:
        """Whether they hold at a moment of the compound's clock, in a zone."""
        if self.zones and zone not in self.zones:
            return False
        clock, day = local.time(), local.weekday()
        if self.starts < self.ends:
            return day in self.days and self.starts <= clock < self.ends
        return (day in self.days and clock >= self.starts) or (
            (day - 1) % 7 in self.days and clock < self.ends
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What a compound has set of one rule. Empty `zones` means all but `except_zones`."""

    enabled: bool = True
    zones: frozenset[str] = frozenset()
    except_zones: frozenset[str] = frozenset()
    values: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    severities: Mapping[str, int] = field(default_factory=lambda: _NO_LEVELS)
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True)
class RuleBook:
    """Version `default` is what the rules come with."""

    time_zone: dt.tzinfo = SHANGHAI
    version: str = "default"
    night: tuple[dt.time, dt.time] = (dt.time(23), dt.time(5))
    entries: Mapping[str, Entry] = field(default_factory=dict)
    mode: Mode = Mode.NORMAL
    # Settings by (rule, hours that hold): made once.
    _made: dict[tuple[str, str], Settings] = field(default_factory=dict, compare=False, repr=False)

    def settings(self, rule: type[Rule], observation: Observation) -> Settings | None:
        """What holds for a rule where and when something was seen; None where the rule is off."""
        entry = self.entries.get(rule.id)
        if entry is None:
            made = self._made.get((rule.id, ""))
            return made if made is not None else self._make(rule, Entry(), None)
        if not entry.enabled or observation.zone in entry.except_zones:
            return None
        if entry.zones and observation.zone not in entry.zones:
            return None
        if entry.hours:
            local = observation.at.astimezone(self.time_zone)
            for hours in entry.hours:
                if hours.hold(local, observation.zone):
                    return (
                        self._made.get((rule.id, hours.name)) or self._make(rule, entry, hours)
                        if hours.enabled
                        else None
                    )
        return self._made.get((rule.id, "")) or self._make(rule, entry, None)

    def _make(self, rule: type[Rule], entry: Entry, hours: Hours | None) -> Settings:
        values = {parameter.name: parameter.default for parameter in rule.parameters} | dict(entry.values)
        severities = dict(rule.severities) | dict(entry.severities)
        if hours is not None:
            values |= hours.values
            severities |= hours.severities
        made = Settings(
            values,
            self.time_zone,
            severities,
            self.night,
            night_all_day=self.mode is not Mode.NORMAL,
            grave=self.mode is Mode.EMERGENCY and not rule.care,
        )
        self._made[rule.id, hours.name if hours is not None else ""] = made
        return made


def with_values(values: Mapping[str, Mapping[str, float]], time_zone: dt.tzinfo = SHANGHAI) -> RuleBook:
    """A book that changes nothing but numbers: rule → parameter → value."""
    return RuleBook(
        time_zone, "values", entries={rule: Entry(values=given) for rule, given in values.items()}
    )
