"""A week read back and judged by all rules, and a day restored: seconds of one core.

Its peer of the same run is the reading alone, without a rule.
"""

import datetime as dt
import resource
import time
from collections.abc import Callable
from typing import Final

from alerts.knowing import site
from alerts.rehearsal import Trial, rehearse
from alerts.rules import RULES, Engine, RuleBook
from ringward import memory, schema
from ringward.bench import madelog
from ringward.bench.deployment import made_database
from ringward.bench.madedays import EVENTS_A_DAY, Day
from ringward.bench.report import Report, report
from ringward.replay import came_in, happened
from storage import Database

_MIDNIGHT: Final = dt.datetime(2026, 11, 15, 16, tzinfo=dt.UTC)
_DAY: Final = dt.timedelta(days=1)
_COMPOUND: Final = "made-0"


def run(*, days: int) -> Report:
    """Writes made days into SQLite, rehearses them, restores the last one."""
    assert schema.metadata.tables
    # As a process that runs rules is set.
    memory.settle()
    with made_database() as database:
        cast = madelog.found(database, _COMPOUND, "m0", _MIDNIGHT)
        day = Day(_COMPOUND, "m0", cast, seed=1)
        for number in range(days):
            madelog.log(database, day.messages(_MIDNIGHT + number * _DAY))
        end = _MIDNIGHT + days * _DAY
        reading, observations = _took(lambda: sum(1 for _ in came_in(database, _COMPOUND, _MIDNIGHT, end)))
        rehearsing, incidents = _took(lambda: _rehearse(database, end))
        restoring, restored = _took(lambda: _restore(database, end))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "rules": float(len(RULES)),
        "observations": float(observations),
        "incidents": float(incidents),
        "reading_s": reading,
        "rehearsal_s": rehearsing,
        "rehearsal_events_per_s": days * EVENTS_A_DAY / rehearsing,
        "restore_day_s": restoring,
        "restore_observations": float(restored),
        "peak_rss_mb": peak,
    }
    allowed = 60.0 * days / 7
    return report(
        "replay",
        {"days": days, "events_a_day": EVENTS_A_DAY},
        figures,
        {"rehearsal_s": allowed, "restore_day_s": 5.0},
        {
            "rehearsal_over_allowed": rehearsing / allowed,
            "rehearsal_over_reading": rehearsing / reading,
            "restore_over_allowed": restoring / 5,
        },
    )


def _rehearse(database: Database, end: dt.datetime) -> int:
    with database.read() as session:
        plan = site(session, _COMPOUND, _MIDNIGHT)
    past = came_in(database, _COMPOUND, _MIDNIGHT, end)
    (outcome,) = rehearse(past, RULES, [Trial(RuleBook())], plan, _MIDNIGHT, end)
    assert not outcome.faults, outcome.faults[:3]
    return len(outcome.incidents)


def _restore(database: Database, end: dt.datetime) -> int:
    """What a process that starts does: a day into a new engine, in the order in which it happened."""
    with database.read() as session:
        plan = site(session, _COMPOUND, end - _DAY)
    engine = Engine(RULES, RuleBook(), plan)
    engine.quiet_until = end
    count = 0
    for observation in happened(database, _COMPOUND, end - _DAY, end):
        engine.advance(observation.received_at)
        engine.feed(observation)
        count += 1
    engine.advance(end)
    return count


def _took(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of processor time, which others on the machine do not lengthen, and what came of it."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found
