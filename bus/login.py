"""Where the MQTT broker is, and as whom ingest signs in."""

from dataclasses import dataclass, field

from bus.tls import Tls


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """`client_id` names the persistent session: one active ingest for each.

    `host` may be several, with commas, each with a port of its own where it is not `port`.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str = "ringward-ingest"
    tls: Tls | None = None

    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Where the broker is, in the order in which it is looked for."""
        return tuple(_address(one.strip(), self.port) for one in self.host.split(","))


def _address(text: str, port: int) -> tuple[str, int]:
    host, colon, own = text.rpartition(":")
    # An IPv6 address has colons of its own, and its port stands behind brackets.
    if not colon or not own.isdigit() or (":" in host and not host.endswith("]")):
        return text.strip("[]"), port
    return host.strip("[]"), int(own)
