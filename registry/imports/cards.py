"""A sheet of cards and other credentials of people who are registered."""

import datetime as dt
from typing import Final

from registry.credentials.models import CredentialKind, CredentialStatus
from registry.imports import words
from registry.imports.faults import Fault
from registry.imports.ground import Ground
from registry.imports.keys import Keys
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.imports.whom import People
from registry.imports.whom import identity as read_identity
from registry.places.addresses import key as address_key

_MOMENT: Final = dt.timedelta(microseconds=1)


class CardsSheet:
    """Plans the rows of one sheet."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._people = People(ground)
        self._keys = Keys(ground, plan)
        self._by_external = {
            row["external_id"]: row
            for rows in ground.credentials.values()
            for row in rows
            if row["external_id"] is not None
        }
        self._said: dict[str, int] = {}
        self._touched: set[str] = set()

    def take(self, line: Line) -> None:
        """Plans a row, or leaves it with faults."""
        kind = line.word("card_kind", words.CREDENTIAL_KINDS) or CredentialKind.CARD
        number = self._keys.spell(line, "card", kind)
        if number is None and line.cell("card") is None:
            line.fault("card", "required")
        status = line.word("card_status", words.CREDENTIAL_STATUSES)
        first, last = line.period()
        external_id = line.text("credential_id")
        person = self._person(line)
        if not line.is_good() or number is None or person is None:
            return
        known = self._known(line, person, kind, number[1], external_id)
        final = status or (known["status"] if known else CredentialStatus.ACTIVE)
        if final == CredentialStatus.ACTIVE:
            self._keys.refuse_taken(line, "card", number[1], person)
        if not line.is_good():
            return
        starts_at, ends_at = self._moment(first), self._moment(last and last + dt.timedelta(days=1))
        self._touched.add(person["id"])
        if known is None:
            known = self._keys.give(
                person,
                kind,
                number,
                status=final,
                starts_at=starts_at,
                ends_at=ends_at,
                external_id=external_id,
            )
        else:
            values: Row = {"status": final}
            # A sheet knows days: within the day it says, the moment stays.
            if starts_at is not None and self._day(known["starts_at"]) != first:
                values["starts_at"] = starts_at
            if ends_at is not None and self._day(known["ends_at"], -_MOMENT) != last:
                values["ends_at"] = ends_at
            if external_id is not None:
                values["external_id"] = external_id
            self._plan.change("credentials", known, values)
            self._keys.note(known)
        if external_id is not None:
            self._by_external[external_id] = known
        self._said[known["id"]] = line.number

    def finish(self) -> list[Fault]:
        """Whoever lost the last card is let in by the guard's call."""
        self._keys.cover(sorted(self._touched))
        return []

    def _person(self, line: Line) -> Row | None:
        address = line.address()
        dwelling = None if address is None else self._ground.addresses.get(address_key(address))
        who = read_identity(self._ground, line, dwelling=dwelling)
        if not who.given:
            if line.is_good():
                line.fault("person_id", "required")
            return None
        person = self._people.find(line, who) if line.is_good() else None
        if person is None and line.is_good():
            line.fault("person_id", "unknown_person")
        return person

    def _known(
        self, line: Line, person: Row, kind: CredentialKind, key: str, external_id: str | None
    ) -> Row | None:
        """The credential that a row means: by its own number in the office's books, else by its number."""
        named = None if external_id is None else self._by_external.get(external_id)
        if named is not None and (named["person"], named["ref_key"]) != (person["id"], key):
            line.fault("credential_id", "duplicate_external_id")
        alike = [
            row
            for row in self._ground.credentials.get(person["id"], [])
            if row["kind"] == kind and row["ref_key"] == key
        ]
        known = named or next(
            iter(sorted(alike, key=lambda row: row["status"] != CredentialStatus.ACTIVE)), None
        )
        if known is not None and known["id"] in self._said:
            line.fault("card", "duplicate_card", first_row=self._said[known["id"]])
        return known

    def _day(self, moment: dt.datetime | None, shift: dt.timedelta = dt.timedelta()) -> dt.date | None:
        return None if moment is None else (moment + shift).astimezone(self._ground.zone).date()

    def _moment(self, day: dt.date | None) -> dt.datetime | None:
        """The first moment of a day on the compound's own wall."""
        if day is None:
            return None
        return dt.datetime.combine(day, dt.time(), self._ground.zone).astimezone(dt.UTC)
