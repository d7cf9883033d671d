"""A routing file, from text to tree, with everything that is wrong with it, by line. Pure.

What a way through the tree may not be (holes, routes nobody reaches, noise about duress) is `proving`'s
to say; here is what a file is made of.
"""

import functools
import hashlib
import importlib.resources
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from alerts.intake.kinds import RULE, VIOLENCE, ReportKind
from alerts.routing.fileparts import NAME_LONGEST, duration, named, receiver, times
from alerts.routing.matching import FACT, LABELS, Matcher, MatcherError, Op, literals, parse
from alerts.routing.times import Times
from alerts.routing.tree import Inhibit, Receiver, Route, Tree
from alerts.rulebook.fields import Fields
from alerts.rulebook.findings import Finding, Findings
from alerts.rulebook.reading import Branch, read
from alerts.rules import RULES
from registry.places.models import Ring

VERSION: Final = 1
FINDINGS_MOST: Final = 200
_DEEPEST: Final = 12
# Of what may be set, seconds: a group that waits longer than five minutes keeps an S3 past its own limit.
_WAIT: Final = (0, 300)
_INTERVAL: Final = (5, 86_400)
_REPEAT: Final = (0, 7 * 86_400)
_ROOT: Final = Route("all", None, (), ("ring", "kind"), 10, 60, 1800)
_KINDS: Final = frozenset(rule.kind for rule in RULES)
# What people report (see `alerts.intake`).
REPORTED: Final = frozenset({VIOLENCE, *(f"reported.{kind}" for kind in ReportKind)})
# Labels whose values are known, and which.
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "ring": frozenset(str(ring) for ring in Ring) | {""},
    "kind": _KINDS | REPORTED | {""},
    "rule": frozenset(rule.id for rule in RULES) | {RULE, ""},
    "mode": frozenset({"normal", "heightened", "emergency"}),
    "care": frozenset({"true", "false"}),
    "safety": frozenset({"true", "false"}),
    "drill": frozenset({"true", "false"}),
    "probable": frozenset({"true", "false"}),
    "stage": frozenset({"raised", "confirmed"}),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, and what is wrong with it."""

    tree: Tree
    findings: tuple[Finding, ...] = ()
    # Lines of routes that set a wait of their own, for whoever asks what may wait.
    waits: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.error)


@functools.cache
def default_tree() -> Tree:
    """The tree that Ringward comes with."""
    return load(default_text()).tree


def default_text() -> str:
    """Its file, which a compound may copy."""
    return importlib.resources.files("alerts.routing").joinpath("default.toml").read_text("utf-8")


def load(text: str, *, kinds: Collection[str] = ()) -> Reading:
    """Reads a routing file; `kinds` are known besides those of the rules."""
    found = Findings()
    branch, mistakes = read(text)
    for mistake in mistakes:
        if mistake.code == "twice" and mistake.first is not None:
            found.error(mistake.line, "twice_since", name=mistake.what, first=mistake.first)
        else:
            found.error(mistake.line, mistake.code, what=mistake.what)
    root = Fields(branch, "", found)
    if not root.has("version"):
        root.node("version")
        found.error(1, "version_missing", "version", version=VERSION)
    elif root.whole("version", 0, 1_000_000) not in (None, VERSION):
        found.error(root.line_of("version"), "version_unknown", "version", version=VERSION)
    reader = _Reader(found, frozenset(kinds))
    reader.times = dict(named(root.table("times"), times))
    reader.receivers = dict(named(root.table("receivers"), receiver))
    top = root.table("route")
    if top is None:
        if not mistakes:
            found.error(1, "route_missing", "route")
        route = _ROOT
    else:
        route = reader.route(top, _ROOT, 0)
    inhibits = tuple(
        one
        for number, table in enumerate(root.tables("inhibit"))
        if (one := reader.inhibit(table, number)) is not None
    )
    for unused in sorted(reader.receivers.keys() - reader.used):
        found.warn(reader.line_of(root, unused), "receiver_unused", f"receivers.{unused}", name=unused)
    root.done(code="unknown_table")
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    tree = Tree(route, reader.receivers, reader.times, inhibits, version)
    return Reading(tree, found.all()[:FINDINGS_MOST], reader.waits)


class _Reader:
    """Reads routes; knows what there is to name."""

    def __init__(self, found: Findings, kinds: frozenset[str]) -> None:
        self.found = found
        self.kinds = kinds
        self.times: dict[str, Times] = {}
        self.receivers: dict[str, Receiver] = {}
        self.used: set[str] = set()
        self.waits: dict[str, int] = {}
        self._names: dict[str, int] = {}

    def route(self, table: Fields, above: Route, depth: int) -> Route:
        """A route with what it inherits. One that cannot be read is there all the same, to read on."""
        name = self._name(table, above, depth)
        receiver = self._receiver_of(table) or above.receiver
        named = table.texts("group_by")
        group_by = named if table.has("group_by") else above.group_by
        self._labels(table, "group_by", group_by)
        wait = duration(table, "group_wait", _WAIT, above.wait_s)
        if table.has("group_wait"):
            self.waits[name] = table.line_of("group_wait")
        interval = duration(table, "group_interval", _INTERVAL, above.interval_s)
        repeat = duration(table, "repeat_interval", _REPEAT, above.repeat_s)
        if depth == 0 and (table.has("matchers") or table.has("continue")):
            key = "matchers" if table.has("matchers") else "continue"
            self.found.error(table.line_of(key), "root_matches_all", table.at(key))
        matchers = self.matchers(table, "matchers")
        active, mute = self._named_times(table, "active"), self._named_times(table, "mute")
        goes_on = table.flag("continue", default=False)
        plain = Route(
            name, receiver, matchers, tuple(group_by), wait, interval, repeat,
            (), (), goes_on, (), table.line,
        )  # fmt: skip
        below: list[Route] = []
        if depth < _DEEPEST:
            # Times are a route's own: what its children are for may be another hour.
            below = [
                self.route(one, replace(plain, active=(), mute=()), depth + 1)
                for one in table.tables("routes")
            ]
        elif table.has("routes"):
            self.found.error(table.line, "too_deep", table.where, most=_DEEPEST)
        table.done(also=("routes",))
        return replace(plain, active=active, mute=mute, routes=tuple(below))

    def inhibit(self, table: Fields, number: int) -> Inhibit | None:
        table.need("source_matchers", "target_matchers")
        name = table.text("name", NAME_LONGEST) or f"inhibit-{number + 1}"
        sources, targets = self.matchers(table, "source_matchers"), self.matchers(table, "target_matchers")
        equal = table.texts("equal")
        self._labels(table, "equal", equal)
        table.done()
        if table.failed or not sources or not targets:
            if not table.failed:
                self.found.error(table.line, "inhibits_all", table.where)
            return None
        return Inhibit(name, sources, targets, equal, table.line)

    def matchers(self, table: Fields, key: str) -> tuple[Matcher, ...]:
        made: list[Matcher] = []
        for text in table.texts(key):
            try:
                matcher = parse(text)
            except MatcherError as error:
                table.failed = True
                line, where = table.line_of(key), table.at(key)
                if error.code == "matcher_label":
                    self.found.unknown(line, "unknown_label", where, str(error.facts["name"]), LABELS)
                else:
                    self.found.error(line, error.code, where, **error.facts)
                continue
            self._values(table, key, matcher)
            made.append(matcher)
        return tuple(made)

    def line_of(self, root: Fields, receiver: str) -> int:
        of = root.branch.items.get("receivers")
        node = of.items.get(receiver) if isinstance(of, Branch) else None
        return node.line if isinstance(node, Branch) else 1

    def _values(self, table: Fields, key: str, matcher: Matcher) -> None:
        """A value that a label never has is meant otherwise by somebody."""
        known = KNOWN.get(matcher.label)
        if known is None:
            return
        known = known | self.kinds if matcher.label == "kind" else known
        for value in literals(matcher):
            if value not in known:
                table.failed = True
                line, where = table.line_of(key), table.at(key)
                code = "unknown_rule" if matcher.label == "rule" else "unknown_value"
                shown = value if matcher.label == "rule" else f"{matcher.label} {value}"
                self.found.unknown(
                    line, code, where, shown if code == "unknown_rule" else value, known - {""}
                )
        if matcher.op is Op.LIKE and not literals(matcher):
            test = matcher.test
            if not any(test({matcher.label: value}) for value in known):
                self.found.error(
                    table.line_of(key), "pattern_of_nothing", table.at(key),
                    pattern=matcher.value, label=matcher.label,
                )  # fmt: skip

    def _name(self, table: Fields, above: Route, depth: int) -> str:
        name = table.text("name", NAME_LONGEST)
        if name is None:
            name = "all" if depth == 0 else f"{above.name}/{table.line}"
        if name in self._names:
            self.found.error(
                table.line_of("name"), "route_twice", table.where, name=name, first=self._names[name]
            )
            name = f"{name}/{table.line}"
        self._names[name] = table.line
        return name

    def _receiver_of(self, table: Fields) -> str | None:
        name = table.text("receiver", NAME_LONGEST)
        if name is None:
            return None
        if name not in self.receivers:
            self.found.unknown(
                table.line_of("receiver"), "unknown_receiver", table.at("receiver"), name, self.receivers
            )
            return None
        self.used.add(name)
        return name

    def _named_times(self, table: Fields, key: str) -> tuple[Times, ...]:
        named = []
        for name in table.texts(key):
            if name in self.times:
                named.append(self.times[name])
            else:
                self.found.unknown(table.line_of(key), "unknown_times", table.at(key), name, self.times)
        return tuple(named)

    def _labels(self, table: Fields, key: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in LABELS and not name.startswith(FACT):
                self.found.unknown(table.line_of(key), "unknown_label", table.at(key), name, LABELS)
