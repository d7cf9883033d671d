"""The roles that one process does at a time, each with its lease."""

from collections.abc import Callable
from typing import Any

from ringward.foundation import Foundation, ingest_login
from ringward.leasing import Leased, Leases, Turn
from ringward.roles import DevicesRole, IngestRole, KeeperRole, RelayRole, Role
from storage.leases import Claim


class LeasedRelay(Leased):
    """Its wake is the present turn's."""

    def wake(self) -> None:
        """Says that there is something in the outbox; from any thread."""
        assert isinstance(self.role, RelayRole)
        self.role.relay.wake()


class Single:
    """Builds the roles of one process, whose leases are prolonged together."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._leases: Leases | None = None

    def relay(self) -> LeasedRelay:
        """One a database: two would send everything twice, and the bus would drop the repeats."""
        return LeasedRelay(*self._with("relay"), lambda ground, _turn: RelayRole(ground), **self._how())

    def ingest(self, wake: Callable[[], None]) -> Leased:
        """One a broker client id: whoever connects under an id that is there takes its session over."""

        def make(ground: Foundation, turn: Turn) -> Role:
            return IngestRole(ground, wake, fence=turn.check, may_connect=turn.is_sure)

        name = ingest_login(self._foundation.settings).client_id
        return Leased(*self._with("ingest", name), make, **self._how())

    def devices(self, wake: Callable[[], None], listening: Callable[[], bool]) -> Leased:
        """One a deployment; `listening` says whether ingest listens, where it runs in this process."""

        def make(ground: Foundation, turn: Turn) -> Role:
            role = DevicesRole(ground, wake, fence=turn.hold)
            role.listening = listening
            return role

        return Leased(*self._with("devices"), make, **self._how())

    def keeper(self) -> Leased:
        """One a deployment."""
        return Leased(*self._with("keeper"), lambda ground, _turn: KeeperRole(ground), **self._how())

    def _with(self, role: str, instance: str = "") -> tuple[Leases, Claim, Foundation]:
        if self._leases is None:
            self._leases = Leases(self._foundation)
        return self._leases, Claim(role, instance[:64]), self._foundation

    def _how(self) -> dict[str, Any]:
        return {"drain_s": float(self._foundation.settings.drain_s)}
