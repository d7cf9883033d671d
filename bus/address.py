"""Where the bus is: alone, since who only listens needs nothing of the library for workers."""

from dataclasses import dataclass, field
from typing import Any

import structlog

from bus.tls import Tls

log = structlog.get_logger(__name__)


async def on_error(error: Exception) -> None:
    """A server that is away is a line in the log each second, not a traceback."""
    log.warning("bus.connection", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Where the bus is and how to sign in to it.

    `url` may be several of a cluster, with commas. `replicas` is on how many of its servers what is
    made here lies: 1, 3 or 5.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    replicas: int = 1

    @property
    def servers(self) -> list[str]:
        """One by one."""
        return [one.strip() for one in self.url.split(",") if one.strip()]

    def options(self) -> dict[str, Any]:
        """Connection options for nats-py: it tries for ever, a cable is always plugged in again."""
        options: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 1,
            "error_cb": on_error,
        }
        if self.user is not None:
            options |= {"user": self.user, "password": self.password}
        if self.tls is not None:
            options["tls"] = self.tls.context()
        return options
