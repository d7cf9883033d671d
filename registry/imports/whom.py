"""Whom a row means: by the office's number, else by id number, phone, or name and dwelling."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from registry import lookups
from registry.imports.ground import DERIVED, Ground
from registry.imports.lines import Line
from registry.imports.plan import Row


@dataclass(frozen=True, slots=True)
class Identity:
    """What a row says of who somebody is; keys are those of `registry.lookups`."""

    external_id: str | None
    name: str | None
    name_key: str | None
    phone: str | None
    phone_key: str | None
    id_number: str | None
    id_key: str | None
    dwelling: str | None

    @property
    def given(self) -> bool:
        """Whether it says anything at all."""
        return any((self.external_id, self.name_key, self.id_key))


@dataclass(frozen=True, slots=True)
class Columns:
    """Under which columns a sheet has a person."""

    external_id: str = "person_id"
    name: str = "name"
    phone: str = "phone"
    id_number: str = "id_number"


_ANYBODY: Final = Columns()


def identity(
    ground: Ground, line: Line, columns: Columns = _ANYBODY, *, dwelling: str | None = None
) -> Identity:
    """Reads who a row is about; what is malformed is a fault of the row."""
    compound = ground.compound
    name = line.text(columns.name)
    phone = line.phone(columns.phone)
    id_number = line.id_number(columns.id_number)
    return Identity(
        line.text(columns.external_id),
        name,
        None if name is None else lookups.name_key(compound, name),
        phone,
        None if phone is None else lookups.phone_key(compound, phone),
        id_number,
        None if id_number is None else lookups.id_key(compound, id_number),
        dwelling,
    )


class People:
    """The people of a compound, those included that this import is about to add."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._by_external: dict[str, Row] = {}
        self._by_id: dict[str, Row] = {}
        self._by_phone: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        self._by_home: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in ground.people.values():
            self.add(row)
        for residences in ground.residences.values():
            for residence in residences:
                person = ground.people.get(residence["person"])
                if person is not None:
                    self.settle(person, residence["dwelling"])

    def add(self, row: Row) -> None:
        """Makes somebody findable by what the row holds."""
        if row["external_id"] is not None:
            self._by_external[row["external_id"]] = row
        if row["erased_at"] is not None:
            return
        if row["id_key"] is not None:
            self._by_id[row["id_key"]] = row
        if row["name_key"] is not None and row["phone_key"] is not None:
            _once(self._by_phone[row["name_key"], row["phone_key"]], row)

    def settle(self, row: Row, dwelling: str) -> None:
        """Makes somebody findable by name and dwelling."""
        if row["name_key"] is not None and row["erased_at"] is None:
            _once(self._by_home[row["name_key"], dwelling], row)

    def by_external(self, external_id: str) -> Row | None:
        return self._by_external.get(external_id)

    def external_id(self, who: Identity) -> str:
        """The external id of the row, or one that is derived from who it is."""
        if who.external_id is not None:
            return who.external_id
        if who.id_key is not None:
            return self._ground.derived_id("person", "id", who.id_key)
        if who.phone_key is not None:
            return self._ground.derived_id("person", "phone", who.name_key or "", who.phone_key)
        return self._ground.derived_id("person", "home", who.name_key or "", who.dwelling or "")

    def find(self, line: Line, who: Identity, column: str = "name") -> Row | None:
        """Who a row is about, None for somebody new. What is ambiguous is a fault of the row."""
        known = self._by_external.get(self.external_id(who))
        if known is not None:
            if known["erased_at"] is not None:
                line.fault(column, "person_erased")
                return None
            if who.id_key is not None and self._by_id.get(who.id_key, known) is not known:
                line.fault("id_number", "id_number_of_another")
            return known
        candidates = self._candidates(who)
        if len(candidates) > 1:
            line.fault(column, "person_ambiguous")
        if not candidates:
            return None
        found = candidates[0]
        if who.external_id is not None and _has_own_number(found):
            if who.id_key is not None and found["id_key"] == who.id_key:
                line.fault("id_number", "id_number_of_another")
            return None
        return found

    def _candidates(self, who: Identity) -> list[Row]:
        if who.id_key is not None and (known := self._by_id.get(who.id_key)) is not None:
            return [known]
        if who.name_key is None:
            return []
        if who.phone_key is not None:
            same = [r for r in self._by_phone[who.name_key, who.phone_key] if _agree(r["id_key"], who.id_key)]
            if same:
                return same
        if who.dwelling is None:
            return []
        same = [r for r in self._by_home[who.name_key, who.dwelling] if _agree(r["id_key"], who.id_key)]
        # A phone changes; only of two who are called alike it tells which one is meant.
        return [r for r in same if _agree(r["phone_key"], who.phone_key)] if len(same) > 1 else same


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _has_own_number(row: Row) -> bool:
    return row["external_id"] is not None and not row["external_id"].startswith(DERIVED)


def _once(rows: list[Row], row: Row) -> None:
    if not any(known is row for known in rows):
        rows.append(row)
