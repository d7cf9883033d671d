"""`[rules.R-…]` of a rules file: what a compound has set of each rule, checked against the rule. Pure."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from alerts.rulebook.fields import Fields
from alerts.rulebook.ground import Ground
from alerts.rulebook.values import EVERY_DAY
from alerts.rules.book import Entry, Hours
from alerts.rules.rule import Parameter, Rule

NAME_LONGEST: Final = 64
_WEEK: Final = 7 * 24 * 3600
# Keys of a rule's table that are no parameters; no rule may call a parameter so.
RESERVED: Final = frozenset(
    {"enabled", "zones", "except_zones", "severity", "hours", "name", "days", "from", "to"}
)


def entries(rules: Sequence[type[Rule]], table: Fields, ground: Ground | None) -> dict[str, Entry]:
    """What is set, by rule id; what is wrong is left out and complained of."""
    known = {rule.id: rule for rule in rules}
    found: dict[str, Entry] = {}
    for name in table.branch.items:
        rule = known.get(name)
        if rule is None:
            table.node(name)
            table.found.unknown(table.line_of(name), "unknown_rule", table.at(name), name, known)
            continue
        fields = table.table(name)
        if fields is not None:
            found[name] = _OneRule(rule, ground).entry(fields)
    return found


def severity_bounds(rule: type[Rule], level: str) -> tuple[int, int]:
    """The gravest and the mildest that a level may be set to.

    Critical only where the rule's own table knows critical. One step milder than it comes, since a
    rule whose alarms matter less than that is better switched off than ignored; not at all where it
    is a safety kind. Care never becomes graver: nobody is alarmed by a neighbour who rests.
    """
    default = rule.severities[level]
    gravest = 1 if 1 in rule.severities.values() else min(2, default)
    if rule.care:
        gravest = default
    mildest = default if rule.safety else min(4, default + 1)
    return gravest, mildest


class _OneRule:
    def __init__(self, rule: type[Rule], ground: Ground | None) -> None:
        self._rule = rule
        self._ground = ground
        self._parameters: Mapping[str, Parameter] = {one.name: one for one in rule.parameters}

    def entry(self, fields: Fields) -> Entry:
        rule = self._rule
        enabled = fields.flag("enabled", True)
        if not enabled:
            if rule.safety:
                fields.found.error(fields.line_of("enabled"), "safety_off", fields.where, rule=rule.id)
                enabled = True
            else:
                fields.found.warn(fields.line_of("enabled"), "rule_off", fields.where, rule=rule.id)
        zones, excepted = self._zones(fields, "zones"), self._zones(fields, "except_zones")
        both = sorted(zones & excepted)
        if both:
            fields.found.error(
                fields.line_of("except_zones"), "zone_both", fields.at("except_zones"), zones=", ".join(both)
            )
        if rule.safety and (zones or excepted):
            name = "zones" if zones else "except_zones"
            fields.found.error(fields.line_of(name), "safety_somewhere", fields.at(name), rule=rule.id)
            zones = excepted = frozenset()
        values, severities = self._values(fields), self._severities(fields)
        hours = self._hours(fields)
        fields.done({"hours", *self._parameters}, "unknown_parameter")
        return Entry(enabled, zones, excepted, values, severities, hours)

    def _values(self, fields: Fields) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, parameter in self._parameters.items():
            value = fields.number(name)
            if value is None:
                continue
            if not parameter.low <= value <= parameter.high:
                fields.found.error(
                    fields.line_of(name),
                    "out_of_range",
                    fields.at(name),
                    "trade_off",
                    name=name,
                    value=f"{value:g}",
                    low=f"{parameter.low:g}",
                    high=f"{parameter.high:g}",
                    unit=parameter.unit,
                    trade_off=parameter.trade_off,
                )
                continue
            found[name] = value
        return found

    def _severities(self, fields: Fields) -> dict[str, int]:
        table = fields.table("severity")
        if table is None:
            return {}
        found: dict[str, int] = {}
        for level, default in self._rule.severities.items():
            value = table.whole(level, 1, 4)
            if value is None:
                continue
            gravest, mildest = severity_bounds(self._rule, level)
            line, where = table.line_of(level), table.at(level)
            if not gravest <= value <= mildest:
                code = "severity_safety" if self._rule.safety and value > mildest else "severity_bounds"
                table.found.error(
                    line, code, where, level=level, value=value, low=gravest, high=mildest, default=default
                )
                continue
            if value > default:
                table.found.warn(
                    line,
                    "severity_milder",
                    where,
                    rule=self._rule.id,
                    level=level,
                    value=value,
                    default=default,
                )
            found[level] = value
        table.done(code="unknown_level")
        return found

    def _zones(self, fields: Fields, name: str) -> frozenset[str]:
        named = fields.texts(name)
        if self._ground is not None:
            for zone in named:
                ring = self._ground.zones.get(zone)
                line, where = fields.line_of(name), fields.at(name)
                if ring is None:
                    fields.found.unknown(line, "unknown_zone", where, zone, self._ground.zones)
                elif ring not in self._rule.rings:
                    rings = ", ".join(sorted(self._rule.rings))
                    fields.found.warn(
                        line, "zone_elsewhere", where, rule=self._rule.id, zone=zone, ring=ring, rings=rings
                    )
        return frozenset(named)

    def _hours(self, fields: Fields) -> tuple[Hours, ...]:
        read: list[tuple[Hours, int]] = []
        for table in fields.tables("hours"):
            hours = self._one_hours(table)
            if hours is not None:
                read.append((hours, table.line))
        kept: list[tuple[Hours, int]] = []
        for hours, line in read:
            same = next((first for other, first in kept if other.name == hours.name), None)
            crossed = next(((other, first) for other, first in kept if _overlap(hours, other)), None)
            if same is not None:
                fields.found.error(line, "hours_same_name", fields.at("hours"), name=hours.name, first=same)
            elif crossed is not None:
                fields.found.error(
                    line,
                    "hours_overlap",
                    fields.at("hours"),
                    rule=self._rule.id,
                    name=hours.name,
                    other=crossed[0].name,
                    first=crossed[1],
                )
            else:
                kept.append((hours, line))
        return tuple(hours for hours, _ in kept)

    def _one_hours(self, table: Fields) -> Hours | None:
        table.need("name", "from", "to")
        name = table.text("name", NAME_LONGEST)
        days = table.days("days")
        starts, ends = table.clock("from"), table.clock("to", end=True)
        enabled = table.flag("enabled", True)
        zones = self._zones(table, "zones")
        values, severities = self._values(table), self._severities(table)
        table.done(self._parameters, "unknown_parameter")
        if not enabled and self._rule.safety:
            table.found.error(table.line_of("enabled"), "safety_off", table.where, rule=self._rule.id)
            return None
        if name is None or starts is None or ends is None or (table.has("days") and days is None):
            return None
        if starts == ends and not (starts == dt.time() and _is_whole_day(table)):
            table.found.error(table.line_of("to"), "hours_empty", table.where, name=name)
            return None
        if enabled and not values and not severities:
            table.found.warn(table.line, "hours_change_nothing", table.where, name=name)
        return Hours(name, days or EVERY_DAY, starts, ends, zones, enabled, values, severities)


def _is_whole_day(table: Fields) -> bool:
    """Whether the end was written as 24:00: from 00:00 to 00:00 is more likely a slip."""
    node = table.node("to")
    return getattr(node, "value", None) == "24:00"


def _overlap(one: Hours, other: Hours) -> bool:
    """Whether there is a moment of the week and a zone for which both hold."""
    if one.zones and other.zones and not one.zones & other.zones:
        return False
    others = list(_spans(other.days, other.starts, other.ends))
    return any(a < d and c < b for a, b in _spans(one.days, one.starts, one.ends) for c, d in others)


def _spans(days: Collection[int], starts: dt.time, ends: dt.time) -> Iterator[tuple[int, int]]:
    """Seconds of the week from Monday 00:00; what goes over its end is also said of its beginning."""
    first, last = _seconds(starts), _seconds(ends)
    for day in days:
        begin = day * 86400 + first
        end = day * 86400 + last + (86400 if last <= first else 0)
        yield begin, end
        if end > _WEEK:
            yield begin - _WEEK, end - _WEEK


def _seconds(clock: dt.time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
