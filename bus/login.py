"""Where the MQTT broker is, and as whom ingest signs in."""

from dataclasses import dataclass, field

from bus.tls import Tls


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """`client_id` names the persistent session: one active ingest for each."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str = "ringward-ingest"
    tls: Tls | None = None
