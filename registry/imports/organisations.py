"""A sheet of organisations: where they are, and who works there."""

import datetime as dt
from typing import Final

from sqlalchemy.orm import Session

from registry.errors import RefusedError
from registry.imports import words
from registry.imports.faults import Fault
from registry.imports.ground import Ground, grouped, rows_of
from registry.imports.keys import Keys
from registry.imports.lines import Line
from registry.imports.people import identity_changes, new_person
from registry.imports.plan import Plan, Row
from registry.imports.whom import Columns, Identity, People
from registry.imports.whom import identity as read_identity
from registry.models import Organisation, OrganisationKind, Premises, StaffLink
from registry.organisations.workplaces import check_registration_no
from registry.people.residences import overlap
from registry.places.addresses import key as address_key
from storage.vault import current_vault

_STAFF: Final = Columns("staff_id", "staff", "staff_phone", "staff_id_number")


class OrganisationsSheet:
    """Plans the rows of one sheet; an organisation with several premises or staff has a row for each."""

    def __init__(self, session: Session, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._people = People(ground)
        self._keys = Keys(ground, plan)
        rows = rows_of(session, Organisation, ground.compound)
        self._by_external = {row["external_id"]: row for row in rows if row["external_id"] is not None}
        self._by_number = {row["registration_no"]: row for row in rows if row["registration_no"] is not None}
        self._by_name = {row["name"]: row for row in rows}
        self._premises = grouped(rows_of(session, Premises, ground.compound), "organisation")
        self._staff = grouped(rows_of(session, StaffLink, ground.compound), "organisation")
        self._new: list[str] = []
        self._said: dict[tuple[str, str], int] = {}
        current_vault().load(ground.people)

    def take(self, line: Line) -> None:
        """Plans a row, or leaves it with faults."""
        name = line.text("organisation", required=True)
        kind = line.word("organisation_kind", words.ORGANISATION_KINDS)
        number = self._number(line)
        external_id = line.text("organisation_id")
        address = line.address()
        dwelling = None if address is None else self._ground.addresses.get(address_key(address))
        if address is not None and dwelling is None:
            line.fault("address", "unknown_dwelling")
        since, until = line.period()
        who = read_identity(self._ground, line, _STAFF, dwelling=None)
        staff_since, staff_until = line.period("staff_since", "staff_until")
        if who.given and who.name is None and line.cell("staff") is None and who.external_id is None:
            line.fault("staff", "required")
        if name is None or not line.is_good():
            return
        known = self._known(external_id, number, name)
        person = self._people.find(line, who, "staff") if who.given else None
        if who.given and person is None and who.name is None and line.is_good():
            line.fault("staff_id", "unknown_person")
        if known is not None and person is not None and (known["id"], person["id"]) in self._said:
            line.fault("staff", "duplicate_person", first_row=self._said[known["id"], person["id"]])
        if known is not None:
            if dwelling is not None:
                _refuse_order(line, "until", self._places(known, dwelling), since, until)
            if person is not None:
                _refuse_order(line, "staff_until", self._links(known, person), staff_since, staff_until)
        if not line.is_good():
            return
        organisation = self._put(known, name, kind, number, external_id)
        if dwelling is not None:
            self._occupy(organisation, dwelling, since, until)
        if who.given:
            person = self._employ(organisation, who, person, staff_since, staff_until)
            self._said[organisation["id"], person["id"]] = line.number

    def finish(self) -> list[Fault]:
        """New staff are let in by the guard's call."""
        self._keys.cover(self._new)
        return []

    def _number(self, line: Line) -> str | None:
        text = line.text("registration_no")
        if text is None:
            return None
        try:
            return check_registration_no(text)
        except RefusedError as error:
            line.fault("registration_no", error.code)
            return None

    def _known(self, external_id: str | None, number: str | None, name: str) -> Row | None:
        if external_id is not None and external_id in self._by_external:
            return self._by_external[external_id]
        found = self._by_number.get(number) if number is not None else None
        found = found or self._by_name.get(name)
        if found is not None and external_id is not None and found["external_id"] is not None:
            # Two shops of one chain: the office keeps them apart by number.
            return None
        return found

    def _put(
        self,
        known: Row | None,
        name: str,
        kind: OrganisationKind | None,
        number: str | None,
        external_id: str | None,
    ) -> Row:
        if known is None:
            known = self._plan.make(
                "organisations",
                {
                    "name": name,
                    "kind": kind or OrganisationKind.COMPANY,
                    "registration_no": number,
                    "external_id": external_id or self._ground.derived_id("organisation", number or name),
                    "version": 1,
                },
            )
        else:
            values: Row = {"name": name, "kind": kind or known["kind"]}
            if number is not None:
                values["registration_no"] = number
            if external_id is not None:
                values["external_id"] = external_id
            self._plan.change("organisations", known, values)
        self._by_external[known["external_id"]] = known
        self._by_name[known["name"]] = known
        if known["registration_no"] is not None:
            self._by_number[known["registration_no"]] = known
        return known

    def _places(self, organisation: Row, dwelling: str) -> list[Row]:
        rows = self._premises.get(organisation["id"], [])
        return [row for row in rows if row["dwelling"] == dwelling]

    def _links(self, organisation: Row, person: Row) -> list[Row]:
        rows = self._staff.get(organisation["id"], [])
        return [row for row in rows if row["person"] == person["id"]]

    def _occupy(self, organisation: Row, dwelling: str, since: dt.date | None, until: dt.date | None) -> None:
        row = _meant(self._places(organisation, dwelling), since, until)
        if row is not None:
            self._plan.change("premises", row, _period(row, since, until))
            return
        self._premises.setdefault(organisation["id"], []).append(
            self._plan.make(
                "premises",
                {
                    "organisation": organisation["id"],
                    "dwelling": dwelling,
                    **_new_period(since, until, self._ground.today),
                },
            )
        )

    def _employ(
        self,
        organisation: Row,
        who: Identity,
        person: Row | None,
        since: dt.date | None,
        until: dt.date | None,
    ) -> Row:
        if person is None:
            person = self._plan.make("people", new_person(self._people, who))
            self._ground.people[person["id"]] = person
            self._new.append(person["id"])
        else:
            self._plan.change("people", person, identity_changes(who, person))
        self._people.add(person)
        row = _meant(self._links(organisation, person), since, until)
        if row is not None:
            self._plan.change("staff", row, _period(row, since, until))
            return person
        self._staff.setdefault(organisation["id"], []).append(
            self._plan.make(
                "staff",
                {
                    "organisation": organisation["id"],
                    "person": person["id"],
                    **_new_period(since, until, self._ground.today),
                },
            )
        )
        return person


def _refuse_order(
    line: Line, column: str, rows: list[Row], since: dt.date | None, until: dt.date | None
) -> None:
    """A last day that a row brings must not lie before the first day that is known."""
    row = _meant(rows, since, until)
    if row is not None and since is None and until is not None and until < row["since"]:
        line.fault(column, "ends_before_begins")


def _meant(rows: list[Row], since: dt.date | None, until: dt.date | None) -> Row | None:
    """The period that a row corrects: the one it meets, or without a beginning the last one."""
    if since is None:
        return max(rows, key=lambda row: row["until"] or dt.date.max, default=None)
    met = [row for row in rows if overlap((since, until), (row["since"], row["until"]))]
    return next((row for row in met if row["since"] == since), met[0] if met else None)


def _period(row: Row, since: dt.date | None, until: dt.date | None) -> Row:
    return {"since": since or row["since"], "until": until or row["until"]}


def _new_period(since: dt.date | None, until: dt.date | None, today: dt.date) -> Row:
    return {"since": since or min(today, until or today), "until": until}
