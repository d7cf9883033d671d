"""The commented rules file to start from, which changes nothing. Pure."""

import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from alerts.rulebook.file import VERSION
from alerts.rulebook.ruletables import severity_bounds
from alerts.rulebook.values import Budget
from alerts.rules.registered import RULES
from alerts.rules.rule import Parameter, Rule

_WIDTH: Final = 108

_HEAD: Final = f"""\
# The rules of one compound. What stands behind a # is how a rule comes: take the # away to set it.
# `ringward check-config FILE` says what is wrong with a file, line by line; `ringward replay` shows
# what a draft would have raised last week; `ringward rules set FILE` puts it in force.
version = {VERSION}

# Night by the compound's clock: rules with the levels day and night go by it.
[night]
from = "23:00"
to = "05:00"

# How many alarms of S3 and S4 an hour one operator on duty is shown (1…120), and how many of those may
# be of one rule at one device. Too few: what is real waits among what is held. Too many: nobody looks
# at any of them. S1, S2 and safety kinds are never held back.
[budget]
per_operator = {Budget().per_operator}
per_source = {Budget().per_source}

# Who confirms. two_persons: rules whose incidents two different people have to confirm, or true for all
# that a biometric match is the cause of. confirm_alone: of R-B05, R-C08 and R-C09 those that confirm
# themselves, since a sensor or a hand on a button is their cause.
[confirmation]
two_persons = false
confirm_alone = []

# Rounds that somebody walks, for R-C11: at fixed times, or every so many minutes from … to …
# [[patrols]]
# round = "night round"
# checkpoints = ["id of a device or zone"]
# days = "daily"                # or "weekdays", "weekend", ["mon", "thu"]
# times = ["22:00", "02:30"]    # or: every_min = 90, from = "22:00", to = "06:00"

# Where somebody has to be, for R-C10.
# [[posts]]
# zone = "id of a zone"
# days = "daily"
# from = "08:00"
# to = "20:00"

# A rule kept silent somewhere for a time, at most 31 days. Never a safety rule.
# [[mutes]]
# rule = "R-B05"
# place = "id of a lane, device or zone"
# from = 2026-12-01T08:00:00+08:00
# until = 2026-12-03T18:00:00+08:00
# author = "who answers for it"
# reason = "why"

# Every rule takes, beside its own parameters:
#   enabled = true                      # a safety rule cannot be switched off
#   zones = [], except_zones = []       # ids; empty: everywhere
#   severity.day = 4                    # 1 critical … 4 notice
#   and times of the week in which it runs otherwise, or not at all:
#     [[rules.R-C04.hours]]
#     name = "square dancing"
#     days = "daily"
#     from = "18:30"
#     to = "21:00"
#     zones = ["id of a zone"]
#     enabled = false
"""


def default(rules: Sequence[type[Rule]] = RULES) -> str:
    """A rules file that changes nothing, and says of every rule what could be set."""
    return _HEAD + "".join(_rule(rule) for rule in rules)


def says(rule: type[Rule]) -> str:
    """What a rule asks, in words: the first paragraph of its file, without its number."""
    told = sys.modules[rule.__module__].__doc__ or rule.__doc__ or ""
    first = " ".join(told.split("\n\n", maxsplit=1)[0].split())
    return first.removeprefix(f"{rule.id}:").strip()


def _rule(rule: type[Rule]) -> str:
    lines = ["", *_comment(f"{rule.id} ({rule.kind}): {says(rule)}", "# ")]
    facts = [f"one incident per {rule.key}"]
    if rule.safety:
        facts.append("a safety rule: never off, milder, muted or held back")
    if rule.care:
        facts.append("care, not security")
    if rule.confirms:
        facts.append("a person compares before anybody is sent")
    if rule.gate:
        facts.append(f"only where {', '.join(rule.gate)} allow it")
    lines += _comment("; ".join(facts) + ".", "# ")
    lines += [f"[rules.{rule.id}]"]
    lines += ["# enabled = true"] if not rule.safety else []
    for level, default_level in rule.severities.items():
        gravest, mildest = severity_bounds(rule, level)
        lines.append(f"# severity.{level} = {default_level}  # {gravest}…{mildest}")
    for parameter in rule.parameters:
        lines += _parameter(parameter)
    return "\n".join(lines) + "\n"


def _parameter(parameter: Parameter) -> Iterable[str]:
    yield from _comment(parameter.trade_off, "#   ")
    span = f"{parameter.low:g}…{parameter.high:g}"
    unit = f"{parameter.unit}, " if parameter.unit else ""
    yield f"# {parameter.name} = {parameter.default:g}  # {unit}{span}"


def _comment(text: str, prefix: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False
    )
