"""Visitor passes: by their id, by the QR or the card that was shown, by the plate that was read."""

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import null, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts.knowing.asking import rows
from alerts.rules import PassFacts
from registry import plates
from registry.models import (
    Building,
    Dwelling,
    Household,
    PassState,
    Premises,
    Residence,
    ResidenceKind,
    Unit,
    VisitorPass,
)
from registry.passes.admission import SAME_PASSAGE
from registry.passes.expected import FORGOTTEN_AFTER
from registry.passes.models import PassUse
from registry.passes.visiting import TOKEN_PREFIX, token_hash
from registry.places.ways import Link, links, way

# What was never granted lets nobody in and is nobody's visit.
_GRANTED: Final = (PassState.APPROVED, PassState.REVOKED)


@dataclass(frozen=True, slots=True)
class _Pass:
    id: str
    kind: str
    host_household: str | None
    zones: frozenset[str]
    starts_at: dt.datetime
    # When it was revoked, where that was before its own end.
    ends_at: dt.datetime
    revoked: bool
    max_uses: int | None
    # When it was used and counted.
    uses: tuple[dt.datetime, ...]

    def facts(self, at: dt.datetime) -> PassFacts:
        return PassFacts(
            id=self.id,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            kind=self.kind,
            host_household=self.host_household,
            zones=self.zones,
            # The use that belongs to this very moment is not one before it.
            uses=bisect.bisect_left(self.uses, at),
            max_uses=self.max_uses,
        )

    def welcomes(self, at: dt.datetime) -> bool:
        """Whether its plate comes in at a moment: as `admission.plate_is_welcome` decides it."""
        if self.revoked or not self.starts_at <= at <= self.ends_at:
            return False
        if self.max_uses is None:
            return True
        # The use of the passage itself is given back.
        return bisect.bisect_left(self.uses, at - SAME_PASSAGE) < self.max_uses


class Visits:
    """Passes of one compound by what was shown."""

    def __init__(self, session: Session, compound: str, zone: ZoneInfo) -> None:
        self.session = session
        self._compound = compound
        self._zone = zone
        self._found: dict[tuple[str, str], list[_Pass]] = {}
        self._links: dict[str, Link] | None = None
        self._ways: dict[tuple[str, ...], frozenset[str]] = {}

    def learn(
        self,
        *,
        ids: Collection[str],
        tokens: Collection[str],
        cards: Collection[str],
        plates: Collection[str],
    ) -> None:
        """Reads what is not known yet; tokens are QR texts, cards the hashes of their numbers."""
        self._learn("id", VisitorPass.id, ids)
        self._learn("token", VisitorPass.token_hash, [token_hash(text.strip()) for text in tokens])
        self._learn("card", VisitorPass.card_key, cards)
        self._learn("plate", VisitorPass.plate, plates)

    def hosts(self) -> set[str]:
        """The households that the passes which were learnt lead to."""
        found = {one.host_household for passes in self._found.values() for one in passes}
        return {host for host in found if host is not None}

    def by_id(self, pass_id: str) -> _Pass | None:
        return next(iter(self._found.get(("id", pass_id), ())), None)

    def by_token(self, text: str) -> _Pass | None:
        return next(iter(self._found.get(("token", token_hash(text.strip())), ())), None)

    def by_card(self, key: str, at: dt.datetime) -> _Pass | None:
        return _nearest(self._found.get(("card", key), ()), at)

    def by_plate(self, plate: str, at: dt.datetime) -> _Pass | None:
        return _nearest(self._found.get(("plate", plate), ()), at)

    def welcomes_plate(self, plate: str, at: dt.datetime) -> bool:
        """Police, emergency and military vehicles may come in, and visitors' with a pass for this moment."""
        return plates.always_allowed(plate) or any(
            one.welcomes(at) for one in self._found.get(("plate", plate), ())
        )

    def _learn(self, by: str, column: InstrumentedAttribute[Any], values: Collection[str]) -> None:
        new = {value for value in values if (by, value) not in self._found}
        if not new:
            return
        found = list(
            rows(
                self.session,
                new,
                lambda some: (
                    select(
                        column.label("by"),
                        VisitorPass.id,
                        VisitorPass.kind,
                        VisitorPass.state,
                        VisitorPass.host_household,
                        VisitorPass.host_person,
                        VisitorPass.host_organisation,
                        VisitorPass.zones,
                        VisitorPass.starts_at,
                        VisitorPass.ends_at,
                        VisitorPass.decided_at,
                        VisitorPass.max_uses,
                    )
                    .where(
                        VisitorPass.compound == self._compound,
                        column.in_(some),
                        VisitorPass.state.in_(_GRANTED),
                    )
                    .order_by(VisitorPass.id)
                ),
            )
        )
        uses: defaultdict[str, list[dt.datetime]] = defaultdict(list)
        for row in rows(
            self.session,
            {row.id for row in found},
            lambda some: (
                select(PassUse.visitor_pass, PassUse.at)
                .where(PassUse.visitor_pass.in_(some), PassUse.counted)
                .order_by(PassUse.at)
            ),
        ):
            uses[row.visitor_pass].append(row.at)
        open_ = [row for row in found if not row.zones]
        buildings = self._buildings(open_) if open_ else {}
        for value in new:
            self._found[by, value] = []
        for row in found:
            revoked = row.state == PassState.REVOKED
            ends = min(row.ends_at, row.decided_at) if revoked and row.decided_at else row.ends_at
            self._found[by, row.by].append(
                _Pass(
                    id=row.id,
                    kind=str(row.kind),
                    host_household=row.host_household,
                    zones=frozenset(row.zones) or self._way(buildings.get(row.id, ())),
                    starts_at=row.starts_at,
                    ends_at=ends,
                    revoked=revoked,
                    max_uses=row.max_uses,
                    uses=tuple(uses[row.id]),
                )
            )

    def _way(self, buildings: Collection[str]) -> frozenset[str]:
        if self._links is None:
            self._links = links(self.session, self._compound)
        key = tuple(sorted(set(buildings)))
        if key not in self._ways:
            self._ways[key] = way(self._links, key)
        return self._ways[key]

    def _buildings(self, passes: Iterable[Any]) -> dict[str, list[str]]:
        """Pass id → zones of the buildings where its host was on the pass's first day."""
        hosts = {row.id: (row.host_household or row.host_person or row.host_organisation) for row in passes}
        days = {row.id: row.starts_at.astimezone(self._zone).date() for row in passes}
        wanted = {host for host in hosts.values() if host is not None}
        homes: defaultdict[str, list[tuple[str, dt.date | None, dt.date | None]]] = defaultdict(list)
        to_building = (Unit, Unit.id == Dwelling.unit), (Building, Building.id == Unit.building)
        for host, zone, since, until in self._homes(wanted, to_building):
            homes[host].append((zone, since, until))
        return {
            pass_id: [
                zone
                for zone, since, until in homes.get(host or "", ())
                if (since is None or since <= days[pass_id]) and (until is None or days[pass_id] <= until)
            ]
            for pass_id, host in hosts.items()
        }

    def _homes(
        self, wanted: Collection[str], to_building: tuple[Any, Any]
    ) -> Iterable[tuple[str, str, dt.date | None, dt.date | None]]:
        unit, building = to_building
        yield from rows(
            self.session,
            wanted,
            # A household has no dates of its own.
            lambda some: (
                select(Household.id, Building.zone, null(), null())
                .join(Dwelling, Dwelling.id == Household.dwelling)
                .join(*unit)
                .join(*building)
                .where(Household.id.in_(some), Household.compound == self._compound)
            ),
        )
        yield from rows(
            self.session,
            wanted,
            lambda some: (
                select(Residence.person, Building.zone, Residence.since, Residence.until)
                .join(Dwelling, Dwelling.id == Residence.dwelling)
                .join(*unit)
                .join(*building)
                .where(
                    Residence.person.in_(some),
                    Residence.compound == self._compound,
                    Residence.kind != ResidenceKind.REGISTERED_ABSENT,
                )
            ),
        )
        yield from rows(
            self.session,
            wanted,
            lambda some: (
                select(Premises.organisation, Building.zone, Premises.since, Premises.until)
                .join(Dwelling, Dwelling.id == Premises.dwelling)
                .join(*unit)
                .join(*building)
                .where(Premises.organisation.in_(some), Premises.compound == self._compound)
            ),
        )


def is_token(kind: str, ref: str | None) -> bool:
    """Whether a credential that was shown is the QR of a pass."""
    return kind == "qr" and ref is not None and ref.strip().startswith(TOKEN_PREFIX)


def _nearest(passes: Iterable[_Pass], at: dt.datetime) -> _Pass | None:
    """The pass that holds at a moment; else the last that held, while its visitor may still be here."""
    known = [one for one in passes if one.starts_at <= at]
    holding = [one for one in known if at <= one.ends_at and not one.revoked]
    if holding:
        return min(holding, key=lambda one: (one.ends_at, one.id))
    over = [one for one in known if one.ends_at >= at - FORGOTTEN_AFTER]
    return max(over, key=lambda one: (one.ends_at, one.id), default=None)
