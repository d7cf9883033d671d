"""What is promised of each figure. A figure without a line here is told and promises nothing.

Absolute times are promised on two cores that nobody else uses; ratios hold on any machine.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """`key` is one of a report's figures or ratios; the promise is `at most` or `at least` the `bound`."""

    bench: str
    key: str
    way: Literal["at most", "at least"]
    bound: float
    what: str

    def met(self, value: float) -> bool:
        return value <= self.bound if self.way == "at most" else value >= self.bound


TARGETS: Final = (
    Target(
        "e2e", "picture_to_command_p99_ms", "at most", 400, "from a picture at a gate to the command, p99, ms"
    ),
    Target("e2e", "pictures_without_command", "at most", 0, "residents whom no door was opened for"),
    Target("e2e", "system_memory_mb", "at most", 900, "memory of the whole embedded system, MB"),
    Target(
        "scale", "devices_cpu_an_event_growth", "at most", 1.1, "cost of an event, most devices over fewest"
    ),
    Target("scale", "compounds_cpu_an_event_growth", "at most", 1.1, "the same, most compounds over one"),
    Target("scale", "people_cpu_an_event_growth", "at most", 1.1, "the same, most people over fewest"),
    Target(
        "scale", "workers_cpu_a_picture_growth", "at most", 1.1, "cost of a picture, most workers over one"
    ),
    Target(
        "shards", "two_over_one", "at least", 1.7, "two ingests, times one, where each has cores of its own"
    ),
    Target("shards", "cpu_an_event_two_over_one", "at most", 1.1, "cost of an event, two ingests over one"),
    Target("idle", "all_compounds_percent", "at most", 20, "compounds in which nothing happens, % of a core"),
    Target("recognise", "two_workers_over_one", "at least", 1.8, "two recognition processes, times one"),
    Target("recognise", "dlib_over_recipe", "at least", 1.0, "the engine, times as fast as the plain recipe"),
    Target("recognise", "worker_resident_mb", "at most", 400, "memory of a recognition process, MB"),
    Target(
        "rules", "events_per_s_over_required", "at least", 1.0, "all rules on one core, over 10,000 events/s"
    ),
    Target("rules", "day_mb_over_allowed", "at most", 1.0, "a community's day in memory, over 200 MB"),
    Target("fairness", "acknowledged_lost", "at most", 0, "acknowledged events lost beside nuisances"),
    Target("fairness", "nuisances_shed_uncounted", "at most", 0, "events shed of which no number is told"),
    Target("fairness", "pictures_undecided", "at most", 0, "pictures undecided beside a stuck worker"),
    Target("soak", "growing", "at most", 0, "memories, handles and threads that surely grow"),
    Target("soak", "lost", "at most", 0, "acknowledged events lost in the long run"),
    Target("replay", "rehearsal_over_allowed", "at most", 1.0, "a week rehearsed, over 60 s"),
    Target("replay", "restore_over_allowed", "at most", 1.0, "a day restored, over 5 s"),
    Target("routes", "decisions_over_required", "at least", 1.0, "routing decisions, over what is required"),
    Target("routes", "large_tree_over_required", "at least", 1.0, "the same with a large tree of routes"),
    Target("notify", "letters_missing", "at most", 0, "letters that never arrived"),
    Target("notify", "letters_doubled", "at most", 0, "letters that arrived twice without a fault"),
    Target("notify", "faulty_letters_missing", "at most", 0, "letters that faults swallowed"),
    Target(
        "notify",
        "faulty_letters_doubled_beyond_faults",
        "at most",
        0,
        "extra letters beyond one for each fault",
    ),
    Target("console", "screens_missing", "at most", 0, "incidents that a screen did not show"),
    Target("console", "first_page_bytes", "at most", 150_000, "the first page with all that it loads, bytes"),
    Target("hour", "lost", "at most", 0, "events lost in an hour with faults"),
    Target("hour", "doubled", "at most", 0, "events stored twice in it"),
    Target(
        "hour", "stored_over_acknowledged", "at least", 1.0, "events stored for each that was acknowledged"
    ),
)


def targets_of(bench: str) -> tuple[Target, ...]:
    return tuple(one for one in TARGETS if one.bench == bench)
