"""Which benchmarks there are, in the order in which `ringward bench all` runs them.

What wants the quiet of a machine that was just started comes first, and what fills a disk or lasts
long comes last. The quick form is small enough for a look after a change; the full form is what a
published figure is measured with.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is the command, `quick` and `full` its arguments; none are the command's own defaults.

    `about` is the sentence that stands above its table. `deadline_s` ends a run that hangs.
    `models`: it takes a folder of face models; `trail`: it leaves one of samples.
    """

    name: str
    about: str
    quick: tuple[str, ...]
    full: tuple[str, ...] = ()
    deadline_s: float = 1800.0
    models: bool = False
    trail: bool = False


PROGRAMME: Final = (
    Entry(
        "ingest",
        "Events published at QoS 1, committed with their outbox row and only then acknowledged, beside a "
        "bare paho client that acknowledges and keeps nothing.",
        ("--events", "4000", "--rounds", "1"),
    ),
    Entry(
        "stores",
        "The event log on SQLite and PostgreSQL and the relay to JetStream, each beside what the driver or "
        "the client does alone; and a bare paho client at QoS 1.",
        ("--events", "1000", "--rounds", "1"),
    ),
    Entry(
        "e2e",
        "From a face at a gate to the command at the door, in a whole Ringward at the demo's scale, beside "
        "the plain face_recognition recipe on the same pictures.",
        ("--seconds", "8"),
        ("--seconds", "120"),
        models=True,
    ),
    Entry(
        "flood",
        "One device that sends a thousand events a second, and how long the others wait for their answer.",
        ("--seconds", "3", "--rounds", "1"),
    ),
    Entry(
        "fairness",
        "One mad camera, one mad compound, one recognition process that stands still: what the others feel.",
        ("--seconds", "3"),
    ),
    Entry(
        "backlog",
        "The morning after an outage: what devices kept for hours drains while new events come in.",
        ("--devices", "40", "--events", "4000", "--live-seconds", "4"),
    ),
    Entry(
        "burst",
        "Pictures all at once, then twice as many: the memory of ingest must not follow.",
        ("--messages", "20", "--megabytes", "2"),
    ),
    Entry(
        "decide",
        "From a camera's publish to the committed decision, beside the engines called directly.",
        ("--seconds", "6"),
        ("--seconds", "60"),
    ),
    Entry(
        "recognise",
        "Recognition on one core beside the plain face_recognition recipe on the same pictures, and two "
        "processes beside one.",
        ("--pictures", "6", "--backlog", "40"),
    ),
    Entry(
        "gallery",
        "Searching, changing and starting with a gallery, beside the plain product of matrices.",
        ("--rounds", "8", "--stored", "2000"),
    ),
    Entry(
        "rules",
        "All rules together on one core, and what a community's day takes to remember.",
        ("--communities", "1", "--events", "4000"),
    ),
    Entry(
        "replay",
        "A week rehearsed by all rules, and a day restored as after a start.",
        ("--days", "1"),
    ),
    Entry(
        "incident",
        "From before an event's commit to an incident that every reader sees, beside the same way without "
        "rules.",
        ("--seconds", "4"),
        ("--seconds", "30"),
    ),
    Entry(
        "routes",
        "Routing decisions, beside looking the answers up in a dictionary.",
        ("--decisions", "10000", "--rounds", "1"),
    ),
    Entry(
        "notify",
        "From an incident to a push service that has the letter, each counted there, without faults and "
        "with.",
        ("--seconds", "6", "--incidents", "60", "--fault-seconds", "4"),
    ),
    Entry(
        "console",
        "Fan-out: from an incident to every open screen, with phones open beside, and how long pages take.",
        ("--seconds", "4", "--consoles", "10", "--phones", "30", "--communities", "1"),
    ),
    Entry(
        "registry",
        "A street of communities: a person's dwellings, a dwelling's people, erasure.",
        ("--communities", "1", "--questions", "500"),
    ),
    Entry(
        "import",
        "A property office's sheet read, written, and taken back.",
        ("--people", "2000"),
    ),
    Entry(
        "retention",
        "Old passages deleted while events come in, beside one plain DELETE.",
        ("--events", "5000", "--seconds", "4"),
    ),
    Entry(
        "pieces",
        "Events in one week's piece and in many on PostgreSQL, passages that go by rows and by weeks, "
        "beside PostgreSQL's own INSERT and DELETE.",
        ("--events", "4000", "--weeks", "5"),
    ),
    Entry(
        "scale",
        "Processor time of all processes for one event while devices, compounds, people and recognition "
        "processes grow.",
        ("--seconds", "4", "--pictures", "12", "--axes", "compounds,workers"),
        ("--full", "--seconds", "20", "--pictures", "120"),
        deadline_s=5400.0,
    ),
    Entry(
        "soak",
        "Steady traffic for a long time: whether memory, file handles or threads of a process grow.",
        ("--hours", "0.015", "--every", "4"),
        ("--hours", "1"),
        deadline_s=7200.0,
        trail=True,
    ),
    Entry(
        "hour",
        "An hour of a compound's traffic of all vendors in a minute, with mild faults, and whether anything "
        "was lost.",
        ("--devices", "60", "--minutes", "10"),
    ),
    Entry(
        "footprint",
        "What an event and a process take: bytes, processor time, memory. `ringward plan` reckons with it.",
        ("--events", "2000"),
    ),
    Entry(
        "shards",
        "Two ingests that share the compounds beside one that takes them all, on PostgreSQL.",
        ("--events", "1000", "--rounds", "1"),
    ),
    Entry(
        "idle",
        "What a hundred compounds cost in which nothing happens, in percent of a core, beside one.",
        ("--compounds", "10", "--seconds", "5"),
        ("--compounds", "100", "--seconds", "60"),
    ),
)
"""A new benchmark gets its line here, and its targets in `targets`."""
