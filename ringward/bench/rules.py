"""The rules alone: events a second through all of them, and what a community's day takes to remember.

Ten communities' engines in one process, each with a day behind it, are fed a further stretch of
made day. Its peer of the same run is the same loop without rules: the memory alone.
"""

import datetime as dt
import gc
import random
import time
import tracemalloc
from collections.abc import Sequence
from typing import Final

import msgspec

from alerts.knowing import observe, site
from alerts.rules import RULES, Engine, Observation, Rule, RuleBook, Site
from ringward import memory, schema
from ringward.bench import madelog
from ringward.bench.deployment import made_database
from ringward.bench.madedays import EVENTS_A_DAY, Day
from ringward.bench.report import Report, report

_MIDNIGHT: Final = dt.datetime(2026, 11, 22, 16, tzinfo=dt.UTC)
_DAY: Final = dt.timedelta(days=1)
_CHUNK: Final = 5000


def run(*, communities: int, events: int) -> Report:
    """Feeds `events` to all communities together, after a day of each; all on one core."""
    assert schema.metadata.tables
    # As a process that runs rules is set.
    memory.settle()
    with made_database() as database:
        cast = madelog.found(database, "made-0", "m0", _MIDNIGHT - _DAY)
        day = Day("made-0", "m0", cast, seed=1)
        messages = day.messages(_MIDNIGHT), day.messages(_MIDNIGHT + _DAY, max(events // communities, 1))
        with database.read() as session:
            plan = site(session, "made-0", _MIDNIGHT)
            before, after = (
                [
                    seen
                    for start in range(0, len(told), _CHUNK)
                    for seen in observe(session, "made-0", told[start : start + _CHUNK])
                ]
                for told in messages
            )
    figures = _memory(plan, before)
    with_rules, signals = _rate(RULES, plan, before, after, communities)
    alone, _ = _rate((), plan, before, after, communities)
    figures |= {
        "rules": float(len(RULES)),
        "events_per_s": with_rules,
        "signals": float(signals),
        "memory_alone_events_per_s": alone,
    }
    return report(
        "rules",
        {"communities": communities, "events": events, "events_a_day": EVENTS_A_DAY},
        figures,
        {"events_per_s": 10_000.0, "day_mb": 200.0},
        {
            "events_per_s_over_required": with_rules / 10_000,
            "events_per_s_over_memory_alone": with_rules / alone,
            "day_mb_over_allowed": figures["day_mb"] / 200,
        },
    )


def _rate(
    rules: Sequence[type[Rule]],
    plan: Site,
    before: Sequence[Observation],
    after: Sequence[Observation],
    communities: int,
) -> tuple[float, int]:
    """Events a second of processor time through engines that have a day behind them; what was said."""
    engines = [Engine(rules, RuleBook(), plan) for _ in range(communities)]
    for engine in engines:
        for seen in before:
            _until(engine, seen.received_at)
            engine.feed(seen)
    # Turn by turn, as ten communities report: each engine's state is cold when its turn comes.
    chance = random.Random(3)  # noqa: S311 - an order, no secret
    turns = list(range(communities))
    said = 0
    gc.collect()
    started = time.process_time()
    for seen in after:
        chance.shuffle(turns)
        for number in turns:
            engine = engines[number]
            said += _until(engine, seen.received_at)
            said += len(engine.feed(seen))
    took = time.process_time() - started
    faults = [fault for engine in engines for fault in engine.faults]
    assert not faults, faults[:3]
    return len(after) * communities / took, said


def _until(engine: Engine, moment: dt.datetime) -> int:
    said = 0
    due = engine.next_due
    while due is not None and due <= moment:
        said += len(engine.advance(due))
        due = engine.next_due
    return said


def _memory(plan: Site, before: Sequence[Observation]) -> dict[str, float]:
    """What one community's day takes in memory, on a disk, and to be written and read."""
    engine = Engine(RULES, RuleBook(), plan)
    gc.collect()
    tracemalloc.start()
    told = _copies(before)
    for seen in told:
        _until(engine, seen.received_at)
        engine.feed(seen)
    del told
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    started = time.process_time()
    state = engine.dump()
    dumped = time.process_time() - started
    other = Engine(RULES, RuleBook(), plan)
    started = time.process_time()
    other.load(state)
    loaded = time.process_time() - started
    return {
        "day_observations": float(len(engine.view)),
        "day_mb": held / 1e6,
        "dump_s": dumped,
        "dump_mb": len(state) / 1e6,
        "load_s": loaded,
    }


def _copies(observations: Sequence[Observation]) -> list[Observation]:
    """Observations of their own: what they hold is counted with the engine that holds them."""
    encoded = msgspec.msgpack.encode(list(observations))
    return msgspec.msgpack.decode(encoded, type=list[Observation])
