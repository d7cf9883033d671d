"""What was shown at a reader: registered credentials, found by their keyed hash."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from alerts.rules import CredentialFacts
from registry.credentials.issuing import ref_key
from registry.errors import RefusedError
from registry.models import Credential, CredentialKind, CredentialStatus

_KINDS = frozenset(CredentialKind)


class Shown:
    """A credential as the register has it."""

    __slots__ = ("_ends", "_starts", "id", "kind", "person", "status")

    def __init__(
        self,
        id_: str,
        person: str,
        kind: str,
        status: str,
        starts: dt.datetime | None,
        ends: dt.datetime | None,
    ) -> None:
        self.id, self.person, self.kind, self.status = id_, person, kind, status
        self._starts, self._ends = starts, ends

    @property
    def is_held(self) -> bool:
        """Whether its person has it: of one that is lost or was given back nobody knows who shows it."""
        return self.status in {CredentialStatus.ACTIVE, CredentialStatus.SUSPENDED}

    def facts(self, at: dt.datetime) -> CredentialFacts:
        """As it stood at a moment, as far as dates say; its status is today's."""
        over = self._ends is not None and self._ends <= at
        early = self._starts is not None and self._starts > at
        return CredentialFacts(self.id, str(self.kind), str(self.status), expired=over or early)


class Credentials:
    """Credentials of one compound by what was shown."""

    def __init__(self, session: Session, compound: str) -> None:
        self.session = session
        self._compound = compound
        self._keys: dict[tuple[str, str], str | None] = {}
        self._shown: dict[str, list[Shown]] = {}

    def key(self, kind: str, ref: str | None) -> str | None:
        """The hash that a credential is found by; None for what nobody can have been given."""
        if ref is None or kind not in _KINDS:
            return None
        if (kind, ref) not in self._keys:
            try:
                self._keys[kind, ref] = ref_key(self._compound, CredentialKind(kind), ref)
            except RefusedError:
                self._keys[kind, ref] = None
        return self._keys[kind, ref]

    def learn(self, keys: Collection[str]) -> None:
        """Reads the credentials of those hashes that are not known yet."""
        new = {key for key in keys if key not in self._shown}
        found: defaultdict[str, list[Shown]] = defaultdict(list)
        for row in rows(
            self.session,
            new,
            lambda some: (
                select(
                    Credential.ref_key,
                    Credential.id,
                    Credential.person,
                    Credential.kind,
                    Credential.status,
                    Credential.starts_at,
                    Credential.ends_at,
                )
                .where(Credential.compound == self._compound, Credential.ref_key.in_(some))
                .order_by(Credential.id)
            ),
        ):
            found[row.ref_key].append(
                Shown(row.id, row.person, row.kind, row.status, row.starts_at, row.ends_at)
            )
        for key in new:
            self._shown[key] = found.get(key, [])

    def shown(self, key: str) -> list[Shown]:
        """All of one hash that was learnt."""
        return self._shown.get(key, [])

    def of(self, kind: str, ref: str | None) -> list[Shown]:
        """All that have or had this number, the one that counts in front.

        At most one is active; of the others the latest says what has become of the number.
        """
        key = self.key(kind, ref)
        found: Iterable[Shown] = () if key is None else self._shown.get(key, ())
        return sorted(found, key=lambda one: (one.status == CredentialStatus.ACTIVE, one.id), reverse=True)
