"""What the register says of people, by the day: who belongs here, works here, is looked after."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.knowing.asking import rows
from alerts.rules import PersonFacts
from registry.entry.decision import Right, RightKind
from registry.entry.rights import rights_of
from registry.models import Consent, ConsentPurpose, Household, Person

_Period = tuple[dt.datetime, dt.datetime | None]


@dataclass(frozen=True, slots=True)
class _Known:
    household: str | None
    rights: tuple[Right, ...]
    # When they agreed that somebody looks after them, and until when.
    cared: tuple[_Period, ...]


class People:
    """People of one compound, each read once."""

    def __init__(self, session: Session, compound: str, zone: ZoneInfo) -> None:
        self.session = session
        self._compound = compound
        self._zone = zone
        self._known: dict[str, _Known | None] = {}
        # One object for all observations of a person on a day: most of a day's are of the same people.
        self._made: dict[tuple[str, dt.date, bool], PersonFacts] = {}
        # Dwelling → who of its households is looked after, and when; read when first asked for.
        self._cared: dict[str, list[tuple[str, _Period]]] | None = None

    def learn(self, ids: Collection[str]) -> None:
        """Reads those that are not known yet."""
        new = {person for person in ids if person not in self._known}
        if not new:
            return
        rights = rights_of(self.session, self._compound, new)
        households = {
            row.id: row.household
            for row in rows(
                self.session,
                new,
                lambda some: select(Person.id, Person.household).where(
                    Person.compound == self._compound, Person.id.in_(some)
                ),
            )
        }
        cared: defaultdict[str, list[_Period]] = defaultdict(list)
        for row in rows(
            self.session,
            new,
            lambda some: (
                select(Consent.person, Consent.given_at, Consent.withdrawn_at)
                .where(
                    Consent.compound == self._compound,
                    Consent.purpose == ConsentPurpose.ELDER_CARE,
                    Consent.person.in_(some),
                )
                .order_by(Consent.id)
            ),
        ):
            cared[row.person].append((row.given_at, row.withdrawn_at))
        for person in new:
            self._known[person] = (
                _Known(households.get(person), rights[person], tuple(cared[person]))
                if person in rights
                else None
            )

    def household_of(self, person: str) -> str | None:
        """The household of somebody who was learnt."""
        known = self._known.get(person)
        return None if known is None else known.household

    def facts(self, person: str, at: dt.datetime) -> PersonFacts | None:
        """Of somebody who was learnt, at a moment; None of whom the register does not know (any more)."""
        known = self._known.get(person)
        if known is None:
            return None
        today = at.astimezone(self._zone).date()
        # Residences and work begin and end with a day, consent at any moment.
        cared = any(_holds(period, at) for period in known.cared)
        key = (person, today, cared)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(person, known, at, cared=cared)
        return made

    def cared_for_in(self, dwelling: str, at: dt.datetime) -> list[str]:
        """Who of a dwelling's household has agreed to be looked after, at a moment."""
        found = self._carers().get(dwelling, ())
        return sorted({person for person, period in found if _holds(period, at)})

    def ever_cared_for(self, dwellings: Collection[str]) -> set[str]:
        """Who of these dwellings' households has ever agreed to be looked after."""
        cared = self._carers()
        return {person for dwelling in dwellings for person, _ in cared.get(dwelling, ())}

    def _carers(self) -> dict[str, list[tuple[str, _Period]]]:
        if self._cared is None:
            self._cared = {}
            query = (
                select(Household.dwelling, Consent.person, Consent.given_at, Consent.withdrawn_at)
                .join(Person, Person.id == Consent.person)
                .join(Household, Household.id == Person.household)
                .where(
                    Consent.compound == self._compound,
                    Consent.purpose == ConsentPurpose.ELDER_CARE,
                    Person.erased_at.is_(None),
                    Household.dwelling.is_not(None),
                )
            )
            for home, person, given, withdrawn in self.session.execute(query):
                self._cared.setdefault(home or "", []).append((person, (given, withdrawn)))
        return self._cared

    def _make(self, person: str, known: _Known, at: dt.datetime, *, cared: bool) -> PersonFacts:
        current = [right for right in known.rights if right.starts_at <= at and not _over(right, at)]
        buildings: set[str] = set()
        for right in current:
            buildings |= right.buildings
        ended = None
        if not current:
            ends = [
                right.ends_at
                for right in known.rights
                if right.kind is RightKind.RESIDENCE and right.ends_at is not None and _over(right, at)
            ]
            if ends:
                # A right ends with the midnight after its last day.
                ended = max(ends).astimezone(self._zone).date() - dt.timedelta(days=1)
        return PersonFacts(
            id=person,
            household_id=known.household,
            belongs=bool(current),
            staff=any(right.kind is RightKind.WORK for right in current),
            buildings=frozenset(buildings),
            tenancy_ended_on=ended,
            cared_for=cared,
        )


def _over(right: Right, at: dt.datetime) -> bool:
    return right.ends_at is not None and right.ends_at <= at


def _holds(period: _Period, at: dt.datetime) -> bool:
    return period[0] <= at and (period[1] is None or period[1] > at)
