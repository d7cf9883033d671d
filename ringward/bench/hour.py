"""An hour of a compound's traffic in a minute: every vendor's devices, and nothing lost.

The deployment is a real one, as processes: broker, ingest with its receivers, relay, devices.
"""

from devices.simulator import faults as wrong
from devices.simulator.fleet import fleet
from devices.simulator.plan import plan
from ringward.bench.report import Report, report
from ringward.fleet.ground import ground
from ringward.fleet.outcome import Outcome, drive


def run(*, devices: int, minutes: float, speed: float, seed: int, faults: str) -> tuple[Report, Outcome]:
    """The report, and the outcome with what differs, if anything does."""
    members = fleet(devices)
    life = plan(members, seed=seed, minutes=minutes, faults=wrong.LEVELS[faults])
    with ground(members) as here:
        outcome = drive(here.foundation, here.target, life, speed=speed)
        restarts = here.core.restarts
    verdict = outcome.verdict
    figures: dict[str, float] = {
        "happenings": verdict.happened,
        "messages_told": outcome.messages,
        "pictures": sum(step.what is not None and step.what.size > 0 for step in life.steps),
        "picture_bytes": sum(step.what.size for step in life.steps if step.what is not None),
        "events_stored": verdict.stored,
        "lost": verdict.lost + verdict.lost_letters,
        "doubled": verdict.doubled,
        "invented": verdict.invented + verdict.strange_letters,
        "unanswered": verdict.unanswered,
        "dead_letters": verdict.letters,
        "core_restarts": restarts,
        "played_s": outcome.seconds,
        "events_per_s": verdict.stored / outcome.seconds,
    }
    for by, waits in outcome.waits.items():
        figures[f"publish_to_{by}_p50_ms"] = waits.p50_ms
        figures[f"publish_to_{by}_p99_ms"] = waits.p99_ms
    # Whether it kept up: at 1 the last answer came with the last happening.
    ideal_s = minutes * 60 / speed
    return report(
        "hour",
        {
            "devices": devices,
            "virtual_minutes": minutes,
            "speed": speed,
            "seed": seed,
            "faults": faults,
        },
        figures,
        {"plan_s": ideal_s},
        {
            "played_over_plan": outcome.seconds / ideal_s,
            "stored_over_acknowledged": verdict.stored / max(1, verdict.acknowledged),
        },
    ), outcome
