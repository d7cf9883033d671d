"""The other tables of a rules file: night, mutes, budget, confirmation, patrols, posts. Pure."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from alerts.incidents.confirming import PLAN_LIST
from alerts.rulebook.fields import Fields
from alerts.rulebook.ground import Ground
from alerts.rulebook.reading import Leaf
from alerts.rulebook.values import EVERY_DAY, NIGHT, Budget, Confirmation, Patrol, Post, WrittenMute
from alerts.rules.rule import Mute, Rule

MUTE_LONGEST: Final = dt.timedelta(days=31)
"""What has to be silent for longer is switched off in the file, where it is seen, or repaired."""

REASON_LONGEST: Final = 200
_AUTHOR_LONGEST: Final = 64
_KIND_LONGEST: Final = 16
_PER_OPERATOR: Final = (1, 120)
_DAY: Final = dt.timedelta(days=1)


def night(table: Fields | None) -> tuple[dt.time, dt.time]:
    """`[night]`: from and to, by the compound's clock."""
    if table is None:
        return NIGHT
    table.need("from", "to")
    starts, ends = table.clock("from"), table.clock("to")
    table.done()
    if starts is None or ends is None:
        return NIGHT
    if starts == ends:
        table.found.error(table.line_of("to"), "night_empty", table.where)
        return NIGHT
    return starts, ends


def mutes(
    tables: Sequence[Fields], rules: Sequence[type[Rule]], ground: Ground | None, zone: dt.tzinfo
) -> tuple[WrittenMute, ...]:
    """`[[mutes]]`: each with an author, a reason and an end; none of a safety rule."""
    known = {rule.id: rule for rule in rules}
    read = [_mute(table, known, ground, zone) for table in tables]
    return tuple(one for one in read if one is not None)


def _mute(
    table: Fields, known: dict[str, type[Rule]], ground: Ground | None, zone: dt.tzinfo
) -> WrittenMute | None:
    table.need("rule", "from", "until", "author", "reason")
    rule, place = table.text("rule", _KIND_LONGEST), table.text("place", _AUTHOR_LONGEST)
    starts, ends = table.moment("from", zone), table.moment("until", zone)
    author, reason = table.text("author", _AUTHOR_LONGEST), table.text("reason", REASON_LONGEST)
    kind = table.text("subject_kind", _KIND_LONGEST)
    table.done()
    if rule is not None and rule not in known:
        table.failed = True
        table.found.unknown(table.line_of("rule"), "unknown_rule", table.at("rule"), rule, known)
    elif rule is not None and known[rule].safety:
        table.failed = True
        table.found.error(table.line_of("rule"), "safety_muted", table.where, rule=rule)
    if place is None and not table.has("place"):
        table.found.warn(table.line, "mute_everywhere", table.where, rule=rule or "")
    elif place is not None and ground is not None and place not in ground.places:
        table.failed = True
        table.found.unknown(table.line_of("place"), "unknown_place", table.at("place"), place, ground.places)
    if starts is not None and ends is not None:
        if ends <= starts:
            table.failed = True
            table.found.error(table.line_of("until"), "mute_empty", table.where)
        elif ends - starts > MUTE_LONGEST:
            table.failed = True
            table.found.error(table.line_of("until"), "mute_long", table.where, days=MUTE_LONGEST.days)
    if table.failed or None in (rule, starts, ends, author, reason):
        return None
    assert rule is not None
    assert starts is not None
    assert ends is not None
    return WrittenMute(Mute(rule, place, starts, ends, kind), author or "", reason or "")


def budget(table: Fields | None) -> Budget:
    """`[budget]`: alarms of S3 and S4 in an hour, of one operator and of one rule at one device."""
    if table is None:
        return Budget()
    usual = Budget()
    per_operator = table.whole("per_operator", *_PER_OPERATOR)
    per_source = table.whole("per_source", *_PER_OPERATOR)
    table.done()
    return Budget(per_operator or usual.per_operator, per_source or usual.per_source)


def confirmation(table: Fields | None, rules: Sequence[type[Rule]]) -> Confirmation:
    """`[confirmation]`: rules that two people confirm, and rules of sensors that confirm themselves.

    `two_persons = true` is every rule that a biometric match is the cause of.
    """
    if table is None:
        return Confirmation()
    two = _two_persons(table, rules)
    alone = table.texts("confirm_alone")
    table.done()
    for rule in alone:
        line, where = table.line_of("confirm_alone"), table.at("confirm_alone")
        if rule not in PLAN_LIST:
            table.found.unknown(line, "not_alone", where, rule, PLAN_LIST)
        elif rule in two:
            table.found.error(line, "alone_and_two", where, rule=rule)
    return Confirmation(two, frozenset(alone) & PLAN_LIST - two)


def _two_persons(table: Fields, rules: Sequence[type[Rule]]) -> frozenset[str]:
    node = table.node("two_persons")
    if isinstance(node, Leaf) and isinstance(node.value, bool):
        return frozenset(rule.id for rule in rules if rule.confirms and node.value)
    named, known = table.texts("two_persons"), {rule.id for rule in rules}
    for rule in named:
        if rule not in known:
            line, where = table.line_of("two_persons"), table.at("two_persons")
            table.found.unknown(line, "unknown_rule", where, rule, known)
    return frozenset(named) & known


def patrols(tables: Sequence[Fields], ground: Ground | None) -> tuple[Patrol, ...]:
    """`[[patrols]]`: a round, its checkpoints, and when they are due: `times`, or every so many minutes."""
    read: list[Patrol] = []
    lines: dict[str, int] = {}
    for table in tables:
        patrol = _patrol(table, ground)
        if patrol is None:
            continue
        if patrol.name in lines:
            first = lines[patrol.name]
            table.found.error(table.line, "patrol_twice", table.where, name=patrol.name, first=first)
            continue
        lines[patrol.name] = table.line
        read.append(patrol)
    return tuple(read)


def _patrol(table: Fields, ground: Ground | None) -> Patrol | None:
    table.need("round", "checkpoints")
    name, checkpoints = table.text("round", _AUTHOR_LONGEST), table.texts("checkpoints")
    days = table.days("days")
    times = [_since_midnight(one) for one in table.clocks("times")]
    every = table.whole("every_min", 5, 24 * 60)
    starts, ends = table.clock("from"), table.clock("to", end=True)
    table.done()
    if table.has("checkpoints") and not checkpoints and not table.failed:
        table.found.error(table.line_of("checkpoints"), "patrol_nowhere", table.where)
        return None
    if ground is not None:
        places = ground.devices | frozenset(ground.zones)
        for one in checkpoints:
            if one not in places:
                table.failed = True
                where = table.at("checkpoints")
                table.found.unknown(table.line_of("checkpoints"), "unknown_checkpoint", where, one, places)
    if table.has("times") == table.has("every_min"):
        table.found.error(table.line, "patrol_when", table.where)
        return None
    if table.has("every_min"):
        table.need("from", "to")
        if every is not None and starts is not None and ends is not None:
            times = _every(dt.timedelta(minutes=every), starts, ends)
    if table.failed or name is None or not checkpoints or not times:
        return None
    return Patrol(name, checkpoints, tuple(times), days or EVERY_DAY)


def _every(step: dt.timedelta, starts: dt.time, ends: dt.time) -> list[dt.timedelta]:
    """From the first to the last moment, the end included where a step falls on it."""
    first, last = _since_midnight(starts), _since_midnight(ends)
    if last <= first:
        last += _DAY
    times = []
    at = first
    while at <= last and at < first + _DAY:
        times.append(at)
        at += step
    return times


def posts(tables: Sequence[Fields], ground: Ground | None) -> tuple[Post, ...]:
    """`[[posts]]`: where somebody has to be, on which days, from when to when."""
    read = [_post(table, ground) for table in tables]
    return tuple(one for one in read if one is not None)


def _post(table: Fields, ground: Ground | None) -> Post | None:
    table.need("zone", "from", "to")
    zone, days = table.text("zone", _AUTHOR_LONGEST), table.days("days")
    starts, ends = table.clock("from"), table.clock("to", end=True)
    table.done()
    if zone is not None and ground is not None and zone not in ground.zones:
        table.failed = True
        table.found.unknown(table.line_of("zone"), "unknown_zone", table.at("zone"), zone, ground.zones)
    if table.failed or zone is None or starts is None or ends is None:
        return None
    return Post(zone, starts, ends, days or EVERY_DAY)


def _since_midnight(clock: dt.time) -> dt.timedelta:
    return dt.timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
