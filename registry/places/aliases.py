"""Other names of places (别名): from before a renumbering, as the hukou has them, as people say them.

An alias of a building or of a unit stands for all dwellings behind it, on the days that it
was in use. Names that are no address ("老红楼") are compared folded.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from registry.errors import MissingError, RefusedError
from registry.places import addresses
from registry.places.addresses import Address, AddressError
from registry.places.levels import require_place
from registry.places.models import AliasKind, PlaceAlias, PlaceKind
from storage import new_id

_Period = tuple[dt.date | None, dt.date | None]

FOLDED_MAX: Final = 32
_ALIASED: Final = frozenset({PlaceKind.BUILDING, PlaceKind.UNIT, PlaceKind.DWELLING})


def fold(name: str, *, cut: bool = True) -> str:
    """A name that is no address: width and case folded, no blanks, at most 32 characters."""
    folded = "".join(unicodedata.normalize("NFKC", name).upper().split())
    return folded[:FOLDED_MAX] if cut else folded


def spelt_building(name: str) -> str:
    """A building's name as keys of addresses begin with it."""
    try:
        return addresses.spell_building(name)
    except AddressError:
        return fold(name)


def spelt(kind: PlaceKind, text: str) -> str:
    """The key of another name for a place. Raises `RefusedError`.

    `alias_level` where the text names a place of another level, else the codes of `AddressError`.
    """
    try:
        address = addresses.parse(text)
    except AddressError as error:
        if error.code != "address_building" or kind is not PlaceKind.BUILDING or not fold(text):
            raise RefusedError(error.code) from error
        return fold(text)
    level = (
        PlaceKind.DWELLING
        if address.room is not None
        else PlaceKind.BUILDING
        if address.unit is None
        else PlaceKind.UNIT
    )
    if level is not kind or (address.room is None and address.floor is not None):
        raise RefusedError("alias_level")
    return addresses.key(address)


def add(
    session: Session,
    compound: str,
    *,
    place_kind: PlaceKind,
    place: str,
    kind: AliasKind,
    text: str,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> PlaceAlias:
    """Gives a building, a unit or a dwelling another name, from `since` to `until`, both included.

    Raises `MissingError`, and `RefusedError` with `place_kind` (only those three have other
    names), `ends_before_it_begins`, `alias_taken` (the same name for another place on some
    of the days), `alias_level` and the codes of `AddressError`.
    """
    if place_kind not in _ALIASED:
        raise RefusedError("place_kind")
    require_place(session, compound, place_kind, place)
    if since is not None and until is not None and until < since:
        raise RefusedError("ends_before_it_begins")
    key = spelt(place_kind, text)
    for other in session.scalars(
        select(PlaceAlias).where(PlaceAlias.compound == compound, PlaceAlias.key == key)
    ):
        if other.place != place and _overlap((since, until), (other.since, other.until)):
            raise RefusedError("alias_taken", alias=other.id)
    alias = PlaceAlias(
        id=new_id(),
        compound=compound,
        place_kind=place_kind,
        place=place,
        kind=kind,
        text=text.strip(),
        key=key,
        since=since,
        until=until,
    )
    session.add(alias)
    session.flush()
    return alias


def remove(session: Session, compound: str, alias_id: str) -> PlaceAlias:
    """Takes a name away that was a mistake; one that is over gets an `until` instead."""
    alias = session.get(PlaceAlias, alias_id)
    if alias is None or alias.compound != compound:
        raise MissingError("alias")
    session.delete(alias)
    session.flush()
    return alias


def end(session: Session, compound: str, alias_id: str, until: dt.date) -> PlaceAlias:
    """Sets the last day of a name. Raises `ends_before_it_begins`."""
    alias = session.get(PlaceAlias, alias_id)
    if alias is None or alias.compound != compound:
        raise MissingError("alias")
    if alias.since is not None and until < alias.since:
        raise RefusedError("ends_before_it_begins")
    alias.until = until
    session.flush()
    return alias


def in_use(
    session: Session, compound: str, on: dt.date, keys: Sequence[str] | None = None
) -> Sequence[PlaceAlias]:
    """Names in use on a day; with `keys` only those."""
    query = select(PlaceAlias).where(PlaceAlias.compound == compound, used_on(on))
    if keys is not None:
        query = query.where(PlaceAlias.key.in_(keys))
    return session.scalars(query.order_by(PlaceAlias.id)).all()


def used_on(on: dt.date) -> ColumnElement[bool]:
    return and_(
        or_(PlaceAlias.since.is_(None), PlaceAlias.since <= on),
        or_(PlaceAlias.until.is_(None), PlaceAlias.until >= on),
    )


def note_former(
    session: Session, compound: str, kind: PlaceKind, place: str, text: str, key: str, today: dt.date
) -> None:
    """Keeps the name that a place had until yesterday; it has another from today on.

    It begins after the place's last former name, so that each day has one name. A name that
    did not last a day, a slip of the pen, is not kept.
    """
    yesterday = today - dt.timedelta(days=1)
    last = session.scalar(
        select(func.max(PlaceAlias.until)).where(
            PlaceAlias.compound == compound,
            PlaceAlias.place == place,
            PlaceAlias.kind == AliasKind.FORMER,
        )
    )
    since = None if last is None else last + dt.timedelta(days=1)
    if since is not None and since > yesterday:
        return
    session.add(
        PlaceAlias(
            id=new_id(),
            compound=compound,
            place_kind=kind,
            place=place,
            kind=AliasKind.FORMER,
            text=text,
            key=key,
            since=since,
            until=yesterday,
        )
    )
    session.flush()


def renamed_later(on: dt.date, place: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether a place still had a former name on a day, so that it did not have today's."""
    return (
        select(PlaceAlias.id)
        .where(
            PlaceAlias.place == place,
            PlaceAlias.kind == AliasKind.FORMER,
            PlaceAlias.until.is_not(None),
            PlaceAlias.until >= on,
        )
        .exists()
    )


def prefixes(address: Address) -> list[str]:
    """Keys of the building, of the unit and of the dwelling itself, the longest first."""
    whole = addresses.key(address)
    if address.unit is None:
        return [whole, address.building]
    return [whole, f"{address.building}-{address.unit}", address.building]


def _overlap(one: _Period, other: _Period) -> bool:
    (since, until), (from_, to) = one, other
    return (since is None or to is None or since <= to) and (from_ is None or until is None or from_ <= until)
