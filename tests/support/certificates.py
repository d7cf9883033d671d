"""An authority of a test's own, and what it has issued."""

from pathlib import Path

from bus.tls import Tls
from ringward import authority
from ringward.authority import Authority, KeyType, Kind, Reason
from storage import SystemClock

PASSPHRASE = b"a passphrase of a test"


class Certificates:
    """Files lie in `folder`: NAME.crt, NAME.key, ca.crt, revoked.crl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "authority"
        self._now = SystemClock().now().replace(microsecond=0)
        self._authority = Authority.create(self.root, PASSPHRASE, "test", self._now, 3650, 365)

    @property
    def ca(self) -> Path:
        return self.root / authority.CERTIFICATE

    @property
    def revoked(self) -> Path:
        return self.root / authority.REVOKED

    def issue(self, name: str, kind: Kind = Kind.CLIENT, *names: str, days: int = 30) -> Tls:
        """As whom its holder shows itself, believing this authority alone."""
        made = self._authority.issue(name, kind, names, self._now, days, KeyType.EC)
        authority.hand_out(made, self.folder, self.root)
        return Tls(self.ca, self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def revoke(self, name: str) -> None:
        self._authority.revoke(name, self._now, Reason.KEY_COMPROMISE, 365)
