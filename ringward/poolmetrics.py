"""How many connections to the database a process holds, of how many it may."""

from prometheus_client import CollectorRegistry, Gauge

from storage import Database


class PoolMetrics:
    """Read when somebody asks; nothing is counted in between."""

    def __init__(self, registry: CollectorRegistry, database: Database) -> None:
        in_use = Gauge(
            "ringward_storage_connections_in_use",
            "Connections to the database that somebody in this process has now.",
            registry=registry,
        )
        in_use.set_function(lambda: database.connections[0])
        most = Gauge(
            "ringward_storage_connections_limit",
            "Connections to the database that this process may have; who finds none free waits.",
            registry=registry,
        )
        most.set(database.connections[1])
