"""Dwellings: of a household, or as a contact or a meter names the one it hangs in."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from alerts.rules import DwellingFacts
from registry.models import Building, Dwelling, Household, Unit
from registry.places import addresses
from registry.places.addresses import AddressError


class Homes:
    """Dwellings of one compound, each read once."""

    def __init__(self, session: Session, compound: str) -> None:
        self.session = session
        self._compound = compound
        self._named: dict[str, DwellingFacts | None] = {}
        self._of_household: dict[str, DwellingFacts | None] = {}
        self._made: dict[str, DwellingFacts] = {}

    def learn(self, names: Collection[str], households: Collection[str]) -> None:
        """Reads what is not known yet; a name is an id, the office's own number, or an address."""
        self._learn_named({name for name in names if name not in self._named})
        self._learn_households({one for one in households if one not in self._of_household})

    def named(self, name: str) -> DwellingFacts | None:
        """The dwelling of a name that was learnt; None where there is none, or more than one."""
        return self._named.get(name)

    def of_household(self, household: str) -> DwellingFacts | None:
        return self._of_household.get(household)

    def _learn_named(self, new: set[str]) -> None:
        if not new:
            return
        keys = {name: _address_key(name) for name in new}
        spelt = new | {key for key in keys.values() if key is not None}
        found: dict[str, set[str]] = {}
        made: dict[str, DwellingFacts] = {}
        for row in rows(
            self.session,
            spelt,
            lambda some: self._dwellings().where(
                or_(Dwelling.id.in_(some), Dwelling.external_id.in_(some), Dwelling.address_key.in_(some))
            ),
        ):
            made[row.id] = self._make(row.id, row.state, row.zone)
            for name in (row.id, row.external_id, row.address_key):
                if name is not None:
                    found.setdefault(name, set()).add(row.id)
        for name in new:
            meant = found.get(name) or found.get(keys[name] or "") or set()
            self._named[name] = made[next(iter(meant))] if len(meant) == 1 else None

    def _learn_households(self, new: set[str]) -> None:
        if not new:
            return
        self._of_household |= dict.fromkeys(new)
        for row in rows(
            self.session,
            new,
            lambda some: (
                self._dwellings()
                .add_columns(Household.id.label("household"))
                .join(Household, Household.dwelling == Dwelling.id)
                .where(Household.id.in_(some))
            ),
        ):
            self._of_household[row.household] = self._make(row.id, row.state, row.zone)

    def _dwellings(self) -> Select[*tuple[Any, ...]]:
        return (
            select(Dwelling.id, Dwelling.external_id, Dwelling.address_key, Dwelling.state, Building.zone)
            .join(Unit, Unit.id == Dwelling.unit)
            .join(Building, Building.id == Unit.building)
            .where(Building.compound == self._compound)
        )

    def _make(self, dwelling: str, state: str, zone: str) -> DwellingFacts:
        return self._made.setdefault(dwelling, DwellingFacts(dwelling, str(state), zone))


def _address_key(name: str) -> str | None:
    try:
        return addresses.key(addresses.parse(name))
    except AddressError:
        return None
