"""From an address in any spelling to a dwelling, on a day: today's names, and others in use then.

The database is asked for exact keys only. What people leave out (a floor that the room
number does not say, one of two joined rooms) is tried where the exact key finds nothing.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places import addresses, aliases
from registry.places.addresses import Address, AddressError
from registry.places.models import AliasKind, Building, Dwelling, PlaceAlias, PlaceKind, Unit

_FLOORS: Final = [*range(-3, 0), *range(1, 61)]
_JOINED: Final = re.compile(r"(.*-)([0-9]{3,4})-([0-9]{3,4})")


def new_key(building: str, unit: str, floor: int, room_no: str) -> str:
    """The key that the names of a dwelling make. Raises `RefusedError` with the codes of `AddressError`."""
    try:
        address = addresses.locate("1", unit, floor, room_no)
    except AddressError as error:
        raise RefusedError(error.code) from error
    spelt = aliases.spelt_building(building)
    try:
        return addresses.key(addresses.locate(building, unit, floor, room_no))
    except AddressError:
        return addresses.key(replace(address, building=spelt))


def key_of(building: str, unit: str, floor: int, room_no: str) -> str | None:
    """The same, None where the names make no address."""
    try:
        return new_key(building, unit, floor, room_no)
    except RefusedError:
        return None


def find_dwelling(session: Session, compound: str, text: str, on: dt.date) -> Dwelling:
    """The dwelling that an address means on a day.

    Raises `AddressError` (also `address_room` where it names no dwelling but a whole
    building), `MissingError("dwelling")`, and `RefusedError("address_ambiguous")` where
    names in use that day lead to several.
    """
    address = _read(session, compound, text, on)
    if address.room is None:
        raise AddressError("address_room")
    for spell in (_exactly, _loosely):
        found = _current(session, compound, on, spell(address)) | _by_alias(
            session, compound, on, address, spell(address)
        )
        if len(found) > 1:
            raise RefusedError("address_ambiguous", dwellings=len(found))
        if found:
            return session.get_one(Dwelling, found.pop())
    raise MissingError("dwelling")


def address_index(session: Session, compound: str, on: dt.date) -> dict[str, str]:
    """Keys of addresses → dwelling ids, for importing many: all names in use on a day.

    A key that leads to several dwellings is not in it, nor is one that nothing has.
    """
    rows = [
        (row.id, row.address_key or key_of(row.building_name, row.unit_name, row.floor, row.room_no), row)
        for row in session.execute(_everything(compound))
    ]
    renamed = _renamed(session, compound, on)
    exact: dict[str, set[str]] = defaultdict(set)
    for dwelling, key, row in rows:
        if key is not None and not {dwelling, row.unit, row.building} & renamed:
            exact[key].add(dwelling)
    for alias in aliases.in_use(session, compound, on):
        for dwelling, key, row in rows:
            if key is not None and alias.place in {dwelling, row.unit, row.building}:
                exact[_renamed_key(alias, key, row.building_name, row.unit_name)].add(dwelling)
    loose: dict[str, set[str]] = defaultdict(set)
    for key, dwellings in exact.items():
        for shorter in _shorter(key):
            loose[shorter] |= dwellings
    index = {key: dwellings for key, dwellings in loose.items() if key not in exact} | exact
    return {key: next(iter(dwellings)) for key, dwellings in index.items() if len(dwellings) == 1}


def _read(session: Session, compound: str, text: str, on: dt.date) -> Address:
    """An address of known names; those that are no address are looked for in the text."""
    try:
        return addresses.parse(text)
    except AddressError as error:
        if error.code != "address_building":
            raise
        folded = aliases.fold(text, cut=False)
        for name in sorted(_odd_names(session, compound, on), key=len, reverse=True):
            _, found, rest = folded.partition(name)
            if found:
                return replace(addresses.parse(f"1幢{rest}"), building=name)
        raise


def _odd_names(session: Session, compound: str, on: dt.date) -> Iterator[str]:
    names = session.scalars(select(Building.name).where(Building.compound == compound))
    for name in names:
        try:
            addresses.spell_building(name)
        except AddressError:
            yield aliases.fold(name)
    for alias in aliases.in_use(session, compound, on):
        if alias.place_kind == PlaceKind.BUILDING and alias.key == aliases.fold(alias.text):
            yield alias.key


def _exactly(address: Address) -> list[str]:
    return [addresses.key(address)]


def _loosely(address: Address) -> list[str]:
    """Keys of dwellings that an address may mean, with what people leave out."""
    whole = addresses.key(address)
    if "@" in whole:
        return []
    keys = [f"{whole}@{floor}" for floor in _FLOORS]
    if address.room is not None and re.fullmatch("[0-9]{3,4}", address.room):
        number, stem = int(address.room), whole.removesuffix(address.room)
        for step in (1, 100):
            # Joined with the next room, or with the one above.
            keys += [f"{stem}{number}-{number + step}", f"{stem}{number - step}-{number}"]
    return keys


def _shorter(key: str) -> Iterator[str]:
    """What people write for a key when they leave things out."""
    short, at, _ = key.partition("@")
    if at:
        yield short
    if joined := _JOINED.fullmatch(short):
        yield joined[1] + joined[2]
        yield joined[1] + joined[3]


def _current(session: Session, compound: str, on: dt.date, keys: Sequence[str]) -> set[str]:
    query = (
        select(Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit)
        .where(Dwelling.compound == compound, Dwelling.address_key.in_(keys))
        .where(*(~aliases.renamed_later(on, place) for place in (Dwelling.id, Unit.id, Unit.building)))
    )
    return set(session.scalars(query))


def _by_alias(
    session: Session, compound: str, on: dt.date, address: Address, keys: Sequence[str]
) -> set[str]:
    found: set[str] = set()
    for alias in aliases.in_use(session, compound, on, aliases.prefixes(address)):
        if alias.place_kind == PlaceKind.DWELLING:
            found.add(alias.place)
            continue
        before = alias.key
        for prefix in _prefixes_of(session, alias):
            spelt = [prefix + key[len(before) :] for key in keys]
            found.update(session.scalars(_behind(compound, alias, spelt)))
    return found


def _prefixes_of(session: Session, alias: PlaceAlias) -> Iterable[str]:
    """How the keys of the dwellings behind an alias begin today."""
    names = session.execute(
        select(Building.name, Unit.name)
        .join(Unit, Unit.building == Building.id)
        .where(or_(Building.id == alias.place, Unit.id == alias.place))
    )
    if alias.place_kind == PlaceKind.BUILDING:
        return {aliases.spelt_building(building) for building, _ in names}
    return {
        f"{aliases.spelt_building(building)}-{addresses.spell_unit(unit) or 0}" for building, unit in names
    }


def _behind(compound: str, alias: PlaceAlias, keys: Sequence[str]) -> Select[str]:
    place = Unit.building if alias.place_kind == PlaceKind.BUILDING else Unit.id
    return (
        select(Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit)
        .where(Dwelling.compound == compound, place == alias.place, Dwelling.address_key.in_(keys))
    )


def _everything(compound: str) -> Select[str, str | None, str, str, int, str, str, str]:
    return (
        select(
            Dwelling.id,
            Dwelling.address_key,
            Building.name.label("building_name"),
            Unit.name.label("unit_name"),
            Dwelling.floor,
            Dwelling.room_no,
            Unit.id.label("unit"),
            Building.id.label("building"),
        )
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Dwelling.compound == compound)
    )


def _renamed(session: Session, compound: str, on: dt.date) -> set[str]:
    """Places that did not have today's name yet."""
    return set(
        session.scalars(
            select(PlaceAlias.place).where(
                PlaceAlias.compound == compound, PlaceAlias.kind == AliasKind.FORMER, PlaceAlias.until >= on
            )
        )
    )


def _renamed_key(alias: PlaceAlias, key: str, building: str, unit: str) -> str:
    """A dwelling's key under an alias of itself, of its unit or of its building."""
    if alias.place_kind == PlaceKind.DWELLING:
        return alias.key
    today = aliases.spelt_building(building)
    if alias.place_kind == PlaceKind.UNIT:
        today += f"-{addresses.spell_unit(unit) or 0}"
    return alias.key + key[len(today) :]
