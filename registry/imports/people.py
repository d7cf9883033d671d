"""A sheet of people: person, household and residence in one row, as offices have it."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from registry import citizen_id
from registry.credentials.models import CredentialKind
from registry.imports import words
from registry.imports.faults import Fault
from registry.imports.ground import Ground
from registry.imports.homes import Homes
from registry.imports.keys import Keys, Plates
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.imports.tenure import Stay, Tenure
from registry.imports.whom import Identity, People
from registry.imports.whom import identity as read_identity
from registry.people import population
from registry.people.ages import is_adult
from registry.people.models import Person, ResidenceKind
from registry.places.addresses import key as address_key
from storage.vault import current_vault, open_for

_CHILDHOOD: Final = dt.timedelta(days=19 * 366)


@dataclass(slots=True)
class _Said:
    """What a row says, read and found to be well-formed."""

    who: Identity
    household: str | None
    head: bool | None
    stay: Stay | None
    hukou: bool | None
    born_on: dt.date | None
    guardian: str | None
    plates: list[str]
    card: tuple[str, str] | None


class PeopleSheet:
    """Plans the rows of one sheet, each by itself: a row is drafted whole or not at all."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._people = People(ground)
        self._homes = Homes(ground, plan)
        self._tenure = Tenure(ground, plan)
        self._keys = Keys(ground, plan)
        self._plates = Plates(ground, plan)
        self._wards: list[tuple[int, Row, str]] = []
        # The rows of this sheet by person, and the names that each external id was given to.
        self._names: dict[str, tuple[int, str]] = {}
        self._new: list[str] = []
        self._heads_said = False
        # Names are compared as they are written, not only by their hash.
        current_vault().load(ground.people)

    def take(self, line: Line) -> None:
        """Plans a row, or leaves it with faults."""
        said = self._read(line)
        if not line.is_good():
            return
        person = self._people.find(line, said.who)
        self._refuse_other_name(line, said.who, person)
        household = self._homes.find(line, said.household, said.stay.dwelling if said.stay else None, person)
        if said.stay is None and person is None:
            line.fault("address", "required")
        if said.stay is not None:
            self._tenure.refuse(line, person, said.stay)
        child = self._child(said, person)
        if said.head:
            if child:
                line.fault("head", "head_under_14")
            self._homes.refuse_second_head(line, household, person)
        self._homes.refuse_departing_head(line, household, person)
        for plate in said.plates:
            self._plates.refuse_taken(line, plate, household)
        self._keys.refuse_taken(line, "card", said.card[1] if said.card else None, person)
        if line.is_good():
            self._draft(line, said, person, household, child=child)

    def finish(self) -> list[Fault]:
        """Plans what could be said only after the last row; returns faults of earlier rows."""
        faults = []
        for row_number, ward, external_id in self._wards:
            guardian = self._people.by_external(external_id)
            if (
                guardian is None
                or guardian["id"] == ward["id"]
                or guardian["under_14"]
                or guardian["guardian"]
            ):
                faults.append(Fault(row_number, "guardian", "guardian_unknown"))
            else:
                self._plan.change("people", ward, {"guardian": guardian["id"]})
        chosen = self._homes.headless()
        for row_number, adult in chosen:
            if not adult:
                faults.append(Fault(row_number, "head", "household_without_head"))
            elif self._heads_said:
                faults.append(Fault(row_number, "head", "first_adult_is_head"))
        if chosen and not self._heads_said:
            # Once for the sheet: it has no column for it, or nothing in it.
            faults.append(Fault(0, "head", "heads_unknown", {"households": len(chosen)}))
        faults += self._tenure.doubts()
        self._keys.cover(self._new)
        return faults

    def _read(self, line: Line) -> _Said:
        address = line.address()
        dwelling = None
        if address is not None:
            dwelling = self._ground.addresses.get(address_key(address))
            if dwelling is None:
                line.fault("address", "unknown_dwelling")
        who = read_identity(self._ground, line, dwelling=dwelling)
        if who.name_key is None and line.cell("name") is None:
            line.fault("name", "required")
        head, family = self._relation(line)
        since, until = line.period()
        kind = line.word("residence_kind", words.RESIDENCE_KINDS)
        if kind is None and family:
            kind = ResidenceKind.FAMILY_MEMBER
        verified_on, verified_by = line.day("verified_on"), line.text("verified_by")
        stay = None if dwelling is None else Stay(dwelling, kind, since, until, verified_on, verified_by)
        return _Said(
            who,
            line.text("household"),
            head,
            stay,
            line.word("hukou", words.YES_NO),
            self._birth_date(line, who),
            line.text("guardian"),
            line.plates("plates"),
            self._keys.spell(line, "card", CredentialKind.CARD),
        )

    def _relation(self, line: Line) -> tuple[bool | None, bool]:
        """Whether the row says that this is the head, and that it is family of the head."""
        relation = line.text("relation")
        spelt = "" if relation is None else words.spell(relation)
        head: bool | None = None if relation is None else spelt in words.HEADS
        said = line.cell("head")
        if said is not None:
            # Some offices write the head's name or 户主 into this column, some 是 and 否.
            if isinstance(said, str) and words.spell(said) in words.HEADS:
                head = True
            else:
                head = line.word("head", words.YES_NO)
        self._heads_said |= head is not None
        return head, spelt in words.FAMILY

    def _birth_date(self, line: Line, who: Identity) -> dt.date | None:
        """Only to know a child; it is not kept."""
        said = line.day("birth_date")
        if said is not None and said > self._ground.today:
            line.fault("birth_date", "date_in_future")
        if who.id_number is None:
            return said
        born = citizen_id.born_on(who.id_number)
        if born > self._ground.today:
            line.fault("id_number", "id_number_birth_date")
        if said is not None and said != born:
            line.fault("birth_date", "birth_date_differs")
        return born

    def _refuse_other_name(self, line: Line, who: Identity, person: Row | None) -> None:
        """One number for two people: the office has given it twice."""
        if person is None or (before := self._names.get(person["id"])) is None:
            return
        if before[1] != who.name_key:
            line.fault("person_id", "duplicate_external_id", first_row=before[0])

    def _age(self, born_on: dt.date | None) -> tuple[bool, dt.date | None] | None:
        """`under_14` and `turns_14_on`, None where nothing is known."""
        if born_on is None:
            return None
        today = self._ground.today
        if today - born_on > _CHILDHOOD:
            return False, None
        day = population.turns_14_on(born_on)
        under = today < day
        grown = is_adult(Person(under_14=under, turns_14_on=day), today)
        return under, None if grown else day

    def _child(self, said: _Said, person: Row | None) -> bool:
        age = self._age(said.born_on)
        return bool(person and person["under_14"]) if age is None else age[0]

    def _draft(
        self, line: Line, said: _Said, person: Row | None, household: Row | None, *, child: bool
    ) -> None:
        person = self._make(said) if person is None else self._update(said, person)
        self._names.setdefault(person["id"], (line.number, said.who.name_key or ""))
        if said.stay is not None:
            self._people.settle(person, said.stay.dwelling)
            self._tenure.settle(line.number, person, said.stay)
        if household is None and (said.stay is not None or said.household is not None):
            household = self._homes.make(said.household, said.stay.dwelling if said.stay else None)
        if household is not None:
            self._homes.join(line.number, household, person, head=bool(said.head), child=child)
            for plate in said.plates:
                self._plates.give(plate, household, person)
        if said.card is not None and self._keys.holder(said.card[1]) is None:
            self._keys.give(person, CredentialKind.CARD, said.card)
        if said.guardian is not None:
            self._wards.append((line.number, person, said.guardian))

    def _make(self, said: _Said) -> Row:
        row = self._plan.make("people", new_person(self._people, said.who))
        age = self._age(said.born_on)
        if age is not None:
            row["under_14"], row["turns_14_on"] = age
        row["hukou_registered_here"] = said.hukou
        self._ground.people[row["id"]] = row
        self._people.add(row)
        self._new.append(row["id"])
        return row

    def _update(self, said: _Said, person: Row) -> Row:
        who = said.who
        values: Row = identity_changes(who, person)
        if who.external_id is not None:
            values["external_id"] = who.external_id
        age = self._age(said.born_on)
        if age is not None:
            values["under_14"], values["turns_14_on"] = age
        if said.hukou is not None:
            values["hukou_registered_here"] = said.hukou
        self._plan.change("people", person, values)
        self._people.add(person)
        return person


def new_person(people: People, who: Identity) -> Row:
    """The columns of a person who is new; name, phone and id number still in plain."""
    return {
        "household": None,
        "name": who.name,
        "phone": who.phone,
        "id_number": who.id_number,
        "name_key": who.name_key,
        "phone_key": who.phone_key,
        "id_key": who.id_key,
        "under_14": False,
        "turns_14_on": None,
        "guardian": None,
        "hukou_registered_here": None,
        "external_id": people.external_id(who),
        "erased_at": None,
        "version": 1,
    }


def identity_changes(who: Identity, person: Row) -> Row:
    """What of name, phone and id number a row says differently."""
    values: Row = {}
    if who.name is not None and _renamed(who, person):
        values |= {"name": who.name, "name_key": who.name_key}
    if who.phone_key is not None and who.phone_key != person["phone_key"]:
        values |= {"phone": who.phone, "phone_key": who.phone_key}
    if who.id_key is not None and who.id_key != person["id_key"]:
        values |= {"id_number": who.id_number, "id_key": who.id_key}
    return values


def _renamed(who: Identity, person: Row) -> bool:
    if who.name_key != person["name_key"]:
        return True
    held = person["name"]
    return (held if isinstance(held, str) else open_for(person["id"], "name", held)) != who.name
