"""Finding what is sealed: keyed hashes of the one spelling of a name, a phone, an id, a card.

A hash answers "is this the same one?" and nothing else. It is bound to its kind and its
compound, so that nobody can follow a person from one compound into another by comparing.
"""

from typing import Any

from registry import citizen_id, spelling
from registry.people.models import Person
from storage.keys import current_ring
from storage.vault import current_vault, seal_for


def name_key(compound: str, name: str) -> str:
    return _key("name", compound, spelling.name(name))


def phone_key(compound: str, phone: str) -> str:
    """Raises `spelling.PhoneError` for what is no phone number."""
    return _key("phone", compound, spelling.phone(phone))


def tail_key(compound: str, tail: str) -> str:
    """Of the last four digits of a phone."""
    return _key("tail", compound, tail)


def id_key(compound: str, id_number: str) -> str:
    """Raises `citizen_id.CitizenIdError` for what is no citizen id number."""
    return _key("id_number", compound, citizen_id.check(id_number))


def credential_key(compound: str, kind: str, ref: str) -> str:
    return _key(f"credential {kind}", compound, spelling.card(ref))


def identify(person: Person, *, name: str, phone: str | None = None, id_number: str | None = None) -> None:
    """Sets what a person is called and found by, sealed and hashed.

    `person.id` and `person.compound` must be set. Raises what the keys above raise.
    """
    for column, value in identity(
        person.compound, person.id, name=name, phone=phone, id_number=id_number
    ).items():
        setattr(person, _ATTRIBUTES.get(column, column), value)


def identity(
    compound: str, person_id: str, *, name: str, phone: str | None = None, id_number: str | None = None
) -> dict[str, Any]:
    """The same as columns of a row, for inserts of many rows; load the vault's keys first."""
    spelt_phone = None if phone is None else spelling.phone(phone)
    checked_id = None if id_number is None else citizen_id.check(id_number)
    return {
        "name": current_vault().seal(person_id, "name", name.encode()),
        "phone": seal_for(person_id, "phone", spelt_phone),
        "id_number": seal_for(person_id, "id_number", checked_id),
        "name_key": name_key(compound, name),
        "phone_key": None if spelt_phone is None else _key("phone", compound, spelt_phone),
        "id_key": None if checked_id is None else _key("id_number", compound, checked_id),
    }


_ATTRIBUTES = {"name": "sealed_name", "phone": "sealed_phone", "id_number": "sealed_id_number"}


def _key(purpose: str, compound: str, spelt: str) -> str:
    return current_ring().fingerprint(purpose, f"{compound}\x1f{spelt}")
