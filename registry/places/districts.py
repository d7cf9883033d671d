"""Above the compounds: subdistricts (街道) and communities (社区), and what a compound is.

They belong to the deployment, not to one compound; who may change them is for the caller.
"""

import datetime as dt
import math
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places.models import Community, Compound, CompoundKind, Subdistrict
from storage import Base, new_id

# Ids of compounds stand in topics of the broker, and a dot is a level there.
_COMPOUND_ID = re.compile("[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class CompoundFacts:
    """What is written down of a compound.

    `longitude`, `latitude`: WGS 84 of the plan's north-west corner, in degrees; `bearing`:
    where the plan's "up" points, in degrees clockwise from north, [0, 360). All three or none.
    """

    name: str
    time_zone: str = "Asia/Shanghai"
    community: str | None = None
    kind: CompoundKind | None = None
    opened_on: dt.date | None = None
    longitude: float | None = None
    latitude: float | None = None
    bearing: float | None = None


def put_subdistrict(session: Session, *, id: str | None = None, name: str, code: str | None) -> Subdistrict:  # noqa: A002 as the column
    """Adds a subdistrict, or edits the one with this id. `code`: 9 digits of the NBS code.

    Raises `MissingError`, and `RefusedError`: `district_code`, `district_code_taken`, `name_missing`.
    """
    row = Subdistrict(id=new_id()) if id is None else session.get(Subdistrict, id)
    if row is None:
        raise MissingError("subdistrict")
    row.name, row.code = _named(name), _code(code, 9)
    _write(session, row)
    return row


def put_community(
    session: Session,
    *,
    id: str | None = None,  # noqa: A002 as the column
    subdistrict: str,
    name: str,
    code: str | None,
) -> Community:
    """Adds a community, or edits the one with this id. `code`: the 12 digits of the NBS code.

    They begin with the subdistrict's nine where both are known (`district_code`). Raises as
    `put_subdistrict` does.
    """
    row = Community(id=new_id()) if id is None else session.get(Community, id)
    if row is None:
        raise MissingError("community")
    above = session.get(Subdistrict, subdistrict)
    if above is None:
        raise MissingError("subdistrict")
    row.subdistrict, row.name, row.code = subdistrict, _named(name), _code(code, 12)
    if row.code and above.code and not row.code.startswith(above.code):
        raise RefusedError("district_code")
    _write(session, row)
    return row


def add_compound(session: Session, compound_id: str, facts: CompoundFacts) -> Compound:
    """Adds a compound. Its id stands in topics: a-z, 0-9, _ and -, at most 64 (`compound_id`).

    Raises `compound_taken` and what `edit_compound` raises.
    """
    if not _COMPOUND_ID.fullmatch(compound_id):
        raise RefusedError("compound_id")
    if session.get(Compound, compound_id) is not None:
        raise RefusedError("compound_taken")
    row = Compound(id=compound_id)
    _fill(session, row, facts)
    _write(session, row, "compound_taken")
    return row


def edit_compound(session: Session, compound: Compound, facts: CompoundFacts) -> Compound:
    """Says anew what is written down of a compound.

    Raises `RefusedError`: `name_missing`, `time_zone_unknown`, `position` (off the earth, or
    not whole), and `MissingError("community")`.
    """
    _fill(session, compound, facts)
    session.flush()
    return compound


def facts_of(compound: Compound) -> CompoundFacts:
    """What is written down now, to change a part of."""
    return CompoundFacts(
        compound.name,
        compound.time_zone,
        compound.community,
        compound.kind,
        compound.opened_on,
        compound.longitude,
        compound.latitude,
        compound.bearing,
    )


def _fill(session: Session, row: Compound, facts: CompoundFacts) -> None:
    if facts.community is not None and session.get(Community, facts.community) is None:
        raise MissingError("community")
    try:
        ZoneInfo(facts.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise RefusedError("time_zone_unknown") from error
    _refuse_position(facts.longitude, facts.latitude, facts.bearing)
    row.name, row.time_zone, row.community = _named(facts.name), facts.time_zone, facts.community
    row.kind, row.opened_on = facts.kind, facts.opened_on
    row.longitude, row.latitude, row.bearing = facts.longitude, facts.latitude, facts.bearing


def _refuse_position(longitude: float | None, latitude: float | None, bearing: float | None) -> None:
    given = [value for value in (longitude, latitude, bearing) if value is not None]
    if not given:
        return
    if longitude is None or latitude is None or bearing is None or not all(map(math.isfinite, given)):
        raise RefusedError("position")
    # A plan's metres are laid out on the plane that touches the earth there; not so at the poles.
    if not (-180 <= longitude <= 180 and -85 <= latitude <= 85 and 0 <= bearing < 360):
        raise RefusedError("position")


def _named(name: str) -> str:
    if not name.strip():
        raise RefusedError("name_missing")
    return name.strip()


def _code(code: str | None, digits: int) -> str | None:
    if code is not None and not re.fullmatch(f"[0-9]{{{digits}}}", code):
        raise RefusedError("district_code")
    return code


def _write(session: Session, row: Base, code: str = "district_code_taken") -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise RefusedError(code) from error
