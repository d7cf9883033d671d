"""Routing decisions a second on one core, beside looking the same answers up in a dictionary.

The ceiling is what a table of every combination would do: it knows no hours and no patterns. A large
compound's tree is measured beside the one that Ringward comes with: a route for each building.
"""

import datetime as dt
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from alerts.routing.proving import RINGS, SEVERITIES
from alerts.routing.reading import default_text, default_tree, load
from alerts.routing.tree import Decision, Facts, Tree, decide, facts
from alerts.rules import RULES
from ringward.bench.report import Report, report

REQUIRED_PER_S: Final = 20_000.0
_AT: Final = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
_BUILDINGS: Final = 60


def run(*, decisions: int, rounds: int) -> Report:
    """The median of the rounds, of processor time."""
    asked = _asked(random.Random(7))  # noqa: S311 - an order, no secret
    small, large = default_tree(), _large()
    table = {_index(one): decide(small, one, _AT) for one in asked}

    def looked_up(given: Facts) -> Decision:
        return table[_index(given)]

    with_default = _rate(lambda given: decide(small, given, _AT), asked, decisions, rounds)
    with_large = _rate(lambda given: decide(large, given, _AT), asked, decisions, rounds)
    ceiling = _rate(looked_up, asked, decisions, rounds)
    return report(
        "routes",
        {"decisions": decisions, "rounds": rounds, "kinds": len(RULES), "buildings": _BUILDINGS},
        {"decisions_per_s": with_default, "decisions_per_s_large_tree": with_large},
        {"dictionary_lookups_per_s": ceiling, "required_decisions_per_s": REQUIRED_PER_S},
        {
            "decisions_over_lookups": with_default / ceiling,
            "decisions_over_required": with_default / REQUIRED_PER_S,
            "large_tree_over_required": with_large / REQUIRED_PER_S,
        },
    )


def _rate(what: Callable[[Facts], Decision], asked: Sequence[Facts], decisions: int, rounds: int) -> float:
    rates = []
    for _ in range(rounds):
        done = 0
        started = time.process_time()
        while done < decisions:
            for one in asked:
                what(one)
            done += len(asked)
        rates.append(done / (time.process_time() - started))
    return sorted(rates)[len(rates) // 2]


def _asked(chance: random.Random) -> list[Facts]:
    asked = [
        facts(
            ring=ring,
            kind=rule.kind,
            rule=rule.id,
            severity=severity,
            care=rule.care,
            safety=rule.safety,
            confirmed=confirmed,
            labels={"building": f"b{chance.randrange(2 * _BUILDINGS)}", "zone": ring},
        )
        for ring in RINGS
        for rule in RULES
        for severity in SEVERITIES
        for confirmed in (False, True)
    ]
    chance.shuffle(asked)
    return asked


def _index(given: Facts) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(given.labels.items()))


def _large() -> Tree:
    routes = "".join(
        f'\n[[route.routes]]\nname = "b{number}"\nmatchers = ["building = b{number}", "severity <= 3"]\n'
        f'receiver = "neighbours"\nactive = ["office"]\ncontinue = true\n'
        for number in range(_BUILDINGS)
    )
    head, mark, rest = default_text().partition('\n[[route.routes]]\nname = "devices"')
    reading = load(head + routes + mark + rest)
    assert not reading.errors, reading.errors
    return reading.tree
