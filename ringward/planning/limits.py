"""What one of a kind can carry at most, and how much of it a demand takes."""

from dataclasses import dataclass

from ringward.planning.costs import Costs
from ringward.planning.demand import Demand


@dataclass(frozen=True, slots=True)
class Limit:
    """`share` is load over capacity: 1 is full. `splits`: a further shard takes load away from it.

    Where it does not, more processes within the shard do, and `step` says which.
    """

    name: str
    load: float
    capacity: float
    unit: str
    splits: bool
    step: str
    uses: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.load / self.capacity


def limits(demand: Demand, costs: Costs) -> list[Limit]:
    """Of one shard that carries all of the demand."""
    events = demand.busiest(demand.events_a_day(costs), costs)
    messages = events * costs["messages_per_event"]
    devices = demand.devices + demand.cameras
    return [
        Limit(
            "one ingest client id",
            events + demand.heartbeats_per_s(costs),
            costs["ingest_events_per_s"],
            "1/s",
            splits=False,
            step="a second ingest client id with a part of the compounds",
            uses=("ingest_events_per_s",),
        ),
        Limit(
            "one alerts process",
            float(demand.compounds),
            costs["compounds_per_alerts_process"],
            "compounds",
            splits=False,
            step="a second alerts process: compounds are shared out by themselves",
            uses=("compounds_per_alerts_process",),
        ),
        Limit(
            "one console process",
            demand.compounds * costs["pages_per_compound"],
            costs["pages_per_console"],
            "open pages",
            splits=False,
            step="a second console process",
            uses=("pages_per_compound", "pages_per_console"),
        ),
        Limit(
            "one recognition process",
            demand.busiest(demand.pictures_a_day(costs), costs),
            1000 / costs["picture_cpu_ms"],
            "pictures/s",
            splits=False,
            step="a second recognition process",
            uses=("picture_cpu_ms",),
        ),
        Limit(
            "the relay of one database",
            messages,
            1000 / costs["relay_cpu_ms"],
            "messages/s",
            splits=True,
            step="a second database: one relay carries an outbox",
            uses=("relay_cpu_ms",),
        ),
        Limit(
            "writes of one stream",
            messages,
            costs["stream_messages_per_s"],
            "messages/s",
            splits=True,
            step="a second stream with its own database",
            uses=("stream_messages_per_s",),
        ),
        Limit(
            "consumers of one stream",
            float(demand.compounds),
            costs["stream_consumers"],
            "consumers",
            splits=True,
            step="a second stream: alerts read it with a consumer a compound",
            uses=("stream_consumers",),
        ),
        Limit(
            "commits of one database",
            messages,
            costs["database_events_per_s"],
            "rows/s",
            splits=True,
            step="a second database with a part of the compounds",
            uses=("database_events_per_s",),
        ),
        Limit(
            "the devices role's round of a second",
            devices * costs["sweep_us_per_device"] / 1e6,
            1.0,
            "s",
            splits=True,
            step="a second database: one devices role looks at all devices of one every second",
            uses=("sweep_us_per_device",),
        ),
        Limit(
            "leases kept in half a second",
            demand.compounds * costs["lease_us_per_compound"] / 1e6,
            0.5,
            "s",
            splits=True,
            step="a second database: every alerts process looks at all leases twice a second",
            uses=("lease_us_per_compound",),
        ),
    ]
