"""From what is wanted to what is needed, role by role.

A *shard* is what shares nothing with another: a database, a stream, a broker and the processes on them. One
carries a compound as well as hundreds; a compound lies in one of them whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ringward.planning.costs import Cost, Costs
from ringward.planning.demand import Demand
from ringward.planning.limits import Limit, limits

_MB: Final = 1e6
_GB: Final = 1e9
DEFAULT_RETENTION_DAYS: Final = 180
"""Of passages, as the settings have it."""
DEFAULT_PICTURE_DAYS: Final = 30
BUS_DAYS: Final = 7
"""How long the stream keeps messages (`bus.broker.stream`)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Processes of one role in one shard. `cores` are busy in the busiest minute, `memory_mb` is of all."""

    role: str
    processes: int
    standby: int
    cores: float
    memory_mb: float
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of something, in one shard and altogether."""

    name: str
    unit: str
    a_shard: float
    total: float
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed. `extrapolated`: costs that were measured on less than this asks for, by how much."""

    demand: Demand
    shards: int
    several_machines: bool
    parts: Sequence[Part]
    amounts: Sequence[Amount]
    limits: Sequence[Limit]
    used: Sequence[Cost]
    extrapolated: Sequence[tuple[Cost, float]]
    steps: Sequence[tuple[str, float]] = field(default=())

    @property
    def first(self) -> Limit:
        """What gives way first, of one shard as planned."""
        return max(self.limits, key=lambda one: one.share)

    @property
    def first_to_split(self) -> Limit:
        """What asks for a further shard first: more processes do not mend it."""
        return max((one for one in self.limits if one.splits), key=lambda one: one.share)

    @property
    def assumed(self) -> list[Cost]:
        return [one for one in self.used if not one.is_measured]

    @property
    def cores(self) -> float:
        """Of all shards, with room to breathe."""
        return sum(part.cores for part in self.parts) * self.shards

    @property
    def memory_mb(self) -> float:
        return sum(part.memory_mb for part in self.parts) * self.shards

    @property
    def processes(self) -> int:
        return sum(part.processes + part.standby for part in self.parts) * self.shards


def plan(demand: Demand, costs: Costs) -> Plan:
    """Raises `ValueError` where a count is below one compound, or negative."""
    if demand.compounds < 1 or min(demand.people, demand.devices, demand.cameras) < 0:
        raise ValueError("a plan is for at least one compound, and for no fewer than no people and devices")
    whole = limits(demand, costs)
    # As many as keep the tightest of them below what a deployment is to run at.
    of_shards = max((one.share / costs["utilisation"] for one in whole if one.splits), default=0.0)
    shards = min(max(1, math.ceil(of_shards)), demand.compounds)
    share = _part_of(demand, shards)
    several = shards > 1 or demand.compounds > costs["one_machine_compounds"]
    parts = _parts(share, costs, several=several)
    amounts = _amounts(share, shards, costs, several=several)
    within = limits(share, costs)
    told = [one.uses for one in parts], [one.uses for one in amounts], [one.uses for one in within]
    names = dict.fromkeys(name for kind in told for uses in kind for name in uses)
    used = [costs.of(name) for name in names]
    return Plan(
        demand,
        shards,
        several,
        parts,
        amounts,
        within,
        used,
        [(cost, times) for cost in used if (times := _beyond(cost, share, costs)) > 1],
        _steps(demand, whole, costs),
    )


def _part_of(demand: Demand, shards: int) -> Demand:
    """The largest shard's part."""
    return Demand(
        math.ceil(demand.people / shards),
        math.ceil(demand.devices / shards),
        math.ceil(demand.cameras / shards),
        math.ceil(demand.compounds / shards),
        demand.events_per_device_day,
        demand.retention_days,
    )


def _parts(share: Demand, costs: Costs, *, several: bool) -> list[Part]:
    events = share.busiest(share.events_a_day(costs), costs)
    pictures = share.busiest(share.pictures_a_day(costs), costs)
    heard = events + share.heartbeats_per_s(costs)
    standby = 1 if several else 0

    def cores(each_ms: float, per_s: float) -> float:
        return each_ms / 1000 * per_s / costs["utilisation"]

    ingest = max(1, math.ceil(cores(costs["ingest_cpu_ms"], heard)))
    seen = cores(costs["picture_cpu_ms"], pictures)
    recognition = max(1, math.ceil(seen))
    # The processes of one machine share what they search in.
    copies = math.ceil((recognition + standby) / costs["recognition_per_machine"])
    galleries = copies * share.people * costs["gallery_kb_per_person"] / 1000
    rules = cores(costs["rules_cpu_ms"] + costs["observe_cpu_ms"], events * costs["messages_per_event"])
    alerts = max(1, math.ceil(rules), math.ceil(share.compounds / costs["compounds_per_alerts_process"]))
    day_mb = share.events_a_day(costs) / 1000 * costs["rules_memory_mb_per_1000_events"]
    letters = events * costs["incidents_per_event"] * costs["letters_per_incident"]
    notify = max(1, math.ceil(letters / costs["letters_per_s"] / costs["utilisation"]))
    open_pages = share.compounds * costs["pages_per_compound"]
    console = max(1, math.ceil(open_pages / costs["pages_per_console"]))
    brokers = 3 if several else 1
    broker = cores(costs["broker_cpu_ms"], heard) * (costs["replica_cpu_factor"] if several else 1)
    database = cores(costs["database_cpu_ms"], events * costs["messages_per_event"])
    sweeping = share.devices + share.cameras
    return [
        Part(
            "broker",
            brokers,
            0,
            broker,
            brokers * costs["broker_memory_mb"],
            (
                "broker_cpu_ms",
                "broker_memory_mb",
                "heartbeat_s",
                *(("replica_cpu_factor",) if several else ()),
            ),
        ),
        Part(
            "ingest",
            ingest,
            standby,
            cores(costs["ingest_cpu_ms"], heard),
            (ingest + standby) * costs["ingest_memory_mb"],
            ("ingest_cpu_ms", "ingest_memory_mb"),
        ),
        Part(
            "relay",
            1,
            standby,
            cores(costs["relay_cpu_ms"], events * costs["messages_per_event"]),
            (1 + standby) * costs["relay_memory_mb"],
            ("relay_cpu_ms", "relay_memory_mb", "messages_per_event"),
        ),
        Part(
            "recognition",
            recognition,
            standby,
            seen,
            (recognition + standby) * costs["recognition_memory_mb"] + galleries,
            ("picture_cpu_ms", "recognition_memory_mb", "gallery_kb_per_person", "recognition_per_machine"),
        ),
        Part(
            "alerts",
            alerts,
            standby,
            rules,
            (alerts + standby) * costs["alerts_memory_mb"] + day_mb,
            (
                "rules_cpu_ms",
                "observe_cpu_ms",
                "alerts_memory_mb",
                "rules_memory_mb_per_1000_events",
                "compounds_per_alerts_process",
            ),
        ),
        Part(
            "notify",
            notify,
            standby,
            letters / costs["letters_per_s"] / costs["utilisation"],
            (notify + standby) * costs["notify_memory_mb"],
            ("letters_per_s", "incidents_per_event", "letters_per_incident", "notify_memory_mb"),
        ),
        Part(
            "devices",
            1,
            standby,
            sweeping * costs["sweep_us_per_device"] / 1e6 / costs["utilisation"],
            (1 + standby) * costs["devices_memory_mb"],
            ("sweep_us_per_device", "devices_memory_mb"),
        ),
        Part(
            "console",
            console,
            standby,
            open_pages * costs["page_cpu_ms_per_s"] / 1000 / costs["utilisation"],
            (console + standby) * costs["console_memory_mb"],
            ("pages_per_compound", "pages_per_console", "page_cpu_ms_per_s", "console_memory_mb"),
        ),
        Part("keeper", 1, standby, 0.1, (1 + standby) * costs["keeper_memory_mb"], ("keeper_memory_mb",)),
        Part(
            "database",
            int(several),
            standby,
            database,
            2 * costs["database_memory_mb"] if several else 0,
            ("database_cpu_ms", "database_memory_mb"),
        ),
    ]


def _amounts(share: Demand, shards: int, costs: Costs, *, several: bool) -> list[Amount]:
    a_day, pictures = share.events_a_day(costs), share.pictures_a_day(costs)
    days = share.retention_days or DEFAULT_RETENTION_DAYS
    picture_days = min(DEFAULT_PICTURE_DAYS, days)
    row = "postgresql_bytes_per_event" if several else "sqlite_bytes_per_event"
    replicas = 3 if several else 1
    message = costs["bus_bytes_per_message"] + costs["bus_overhead_bytes"]
    stream = a_day * costs["messages_per_event"] * message * BUS_DAYS
    picture = costs["picture_bytes"]
    told = share.busiest(pictures, costs) * picture * costs["wire_over_picture"]
    told += (share.busiest(a_day, costs) + share.heartbeats_per_s(costs)) * costs["wire_bytes_per_message"]
    common = ("events_per_device_day", "busiest_hour_share", "burst_over_hour", "utilisation")

    def amount(name: str, unit: str, value: float, *uses: str, times: int = 1) -> Amount:
        return Amount(name, unit, value * times, value * times * shards, uses)

    return [
        amount("events a day", "", a_day, *common),
        amount("events a second, busiest minute", "1/s", share.busiest(a_day, costs), *common),
        amount("signs of life a second", "1/s", share.heartbeats_per_s(costs), "heartbeat_s"),
        amount(
            "pictures a second, busiest minute",
            "1/s",
            share.busiest(pictures, costs),
            "pictures_per_camera_event",
        ),
        amount(f"database, {days} days", "GB", a_day * costs[row] * days / _GB, row),
        amount(
            f"pictures, {picture_days} days", "GB", pictures * picture * picture_days / _GB, "picture_bytes"
        ),
        amount(
            f"bus, {BUS_DAYS} days" + (f", {replicas} copies" if several else ""),
            "GB",
            stream / _GB,
            "bus_bytes_per_message",
            "bus_overhead_bytes",
            times=replicas,
        ),
        amount(
            "messages in the stream", "", a_day * costs["messages_per_event"] * BUS_DAYS, "messages_per_event"
        ),
        amount(
            "from devices, busiest minute",
            "Mbit/s",
            told * 8 / _MB,
            "wire_over_picture",
            "wire_bytes_per_message",
        ),
        *(
            [
                amount("partitions a year", "", 365 / costs["days_per_partition"], "days_per_partition"),
                amount("rows a partition", "", a_day * costs["days_per_partition"]),
            ]
            if several
            else []
        ),
    ]


def _beyond(cost: Cost, share: Demand, costs: Costs) -> float:
    """How many times what was measured this asks for; at most 1: it was measured."""
    if cost.largest is None or not cost.is_measured:
        return 0
    sizes = {
        "events_per_s": share.busiest(share.events_a_day(costs), costs) + share.heartbeats_per_s(costs),
        "pictures_per_s": share.busiest(share.pictures_a_day(costs), costs),
        "people_per_compound": share.people / share.compounds,
        "compounds": share.compounds,
        "compounds_per_process": min(share.compounds, costs["compounds_per_alerts_process"]),
        "devices": share.devices + share.cameras,
        "none": 0.0,
    }
    return sizes[cost.grows] / cost.largest


def _steps(demand: Demand, whole: Sequence[Limit], costs: Costs) -> list[tuple[str, float]]:
    """(advice, from how many compounds of this kind on), the nearest first."""
    return sorted(
        (
            (one.step, max(1.0, math.floor(demand.compounds * costs["utilisation"] / one.share)))
            for one in whole
            if one.share > 0
        ),
        key=lambda step: step[1],
    )
