"""Matchers in Alertmanager's words: a label, `=` `!=` `=~` `!~` (for severity also `<=` `>=`), a value. Pure.

A label that is not there is the empty text. Patterns match the whole value, as Alertmanager's do.
"""

import enum
import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LABELS: Final = (
    *("ring", "kind", "rule", "severity", "zone", "building", "grid", "mode", "care", "safety", "drill"),
    *("compound", "device", "lane", "state", "stage", "reason", "probable"),
)
"""What an incident is matched by. Besides these `fact.<name>`: what its rule said in one word or number."""

FACT: Final = "fact."
LONGEST: Final = 200
"""Characters of a matcher."""

_PARTS: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(=~|!~|!=|<=|>=|=)\s*(.*?)\s*", re.DOTALL)
_REPEATS: Final = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
# Of a pattern with so many open repeats over a value of 64 characters nobody notices the time.
_REPEATS_MOST: Final = 3


class Op(enum.StrEnum):
    """How a label is compared."""

    IS = "="
    IS_NOT = "!="
    LIKE = "=~"
    UNLIKE = "!~"
    AT_MOST = "<="
    AT_LEAST = ">="


class MatcherError(ValueError):
    """A text is no matcher; `code` says why and `facts` fill its words.

    Codes: `matcher_form`, `matcher_long`, `matcher_label`, `matcher_severity`, `matcher_order`,
    `matcher_pattern`, `matcher_slow`.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(f"{code}: {facts}")
        self.code = code
        self.facts = facts


Test = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition. `test` is made of the rest, once."""

    label: str
    op: Op
    value: str
    test: Test = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.label} {self.op} {self.value}"


def parse(text: str) -> Matcher:
    """A matcher as somebody writes it; the value may stand in double quotes. Raises `MatcherError`."""
    if len(text) > LONGEST:
        raise MatcherError("matcher_long", longest=LONGEST)
    found = _PARTS.fullmatch(text)
    if found is None:
        raise MatcherError("matcher_form", text=text)
    label, op, value = found[1], Op(found[2]), found[3]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if label not in LABELS and not (label.startswith(FACT) and label != FACT):
        raise MatcherError("matcher_label", name=label)
    return Matcher(label, op, value, _test(label, op, value))


def match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all hold; of none at all that is true."""
    return all(one.test(labels) for one in matchers)


def failing(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> Matcher | None:
    """The first that does not hold."""
    return next((one for one in matchers if not one.test(labels)), None)


def literals(matcher: Matcher) -> tuple[str, ...]:
    """The values that a matcher names one by one; empty for a pattern of any other form."""
    if matcher.op in {Op.IS, Op.IS_NOT}:
        return (matcher.value,)
    if matcher.op in {Op.LIKE, Op.UNLIKE}:
        parts = [part.replace("\\.", ".").replace("\\-", "-") for part in matcher.value.split("|")]
        if all(re.fullmatch(r"[\w.\-]*", part) for part in parts) and not re.search(
            r"(?<!\\)\.", matcher.value
        ):
            return tuple(parts)
    return ()


def _test(label: str, op: Op, value: str) -> Test:
    if op in {Op.AT_MOST, Op.AT_LEAST}:
        if label != "severity":
            raise MatcherError("matcher_order", name=label)
        bound = _severity(value)
        if op is Op.AT_MOST:
            return lambda labels: int(labels.get("severity") or 4) <= bound
        return lambda labels: int(labels.get("severity") or 4) >= bound
    if op in {Op.LIKE, Op.UNLIKE}:
        whole = _pattern(value).fullmatch
        if op is Op.LIKE:
            return lambda labels: whole(labels.get(label, "")) is not None
        return lambda labels: whole(labels.get(label, "")) is None
    if label == "severity":
        _severity(value)
    if op is Op.IS:
        return lambda labels: labels.get(label, "") == value
    return lambda labels: labels.get(label, "") != value


def _severity(value: str) -> int:
    if value not in {"1", "2", "3", "4"}:
        raise MatcherError("matcher_severity", value=value)
    return int(value)


def _pattern(value: str) -> re.Pattern[str]:
    """Raises `MatcherError` for what is no pattern, and for one that somebody could stop the house with."""
    try:
        tree = sre_parser.parse(value)
        if _repeats(tree, within=False) > _REPEATS_MOST:
            raise MatcherError("matcher_slow", pattern=value)
        return re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise MatcherError("matcher_pattern", pattern=value, what=str(error)) from None


def _repeats(tree: Any, *, within: bool) -> int:
    """How many open repeats there are; one within another, or a look back at a group, counts as too many."""
    count = 0
    for op, argument in tree:
        if op in _REPEATS:
            low, high, inner = argument
            wide = high - low > 1
            if wide and within:
                return _REPEATS_MOST + 1
            count += wide + _repeats(inner, within=within or wide)
        elif op is sre.SUBPATTERN:
            count += _repeats(argument[-1], within=within)
        elif op is sre.BRANCH:
            if within:
                return _REPEATS_MOST + 1
            count += sum(_repeats(one, within=within) for one in argument[1])
        elif op in {sre.GROUPREF, sre.GROUPREF_EXISTS, sre.ASSERT, sre.ASSERT_NOT, sre.ATOMIC_GROUP}:
            return _REPEATS_MOST + 1
    return count
