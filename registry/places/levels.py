"""The levels of places that names and notes hang on."""

from sqlalchemy.orm import Session

from registry.errors import MissingError
from registry.places.models import Building, Compound, Dwelling, PlaceKind, Unit, Zone
from registry.rows import find


def require_place(session: Session, compound: str, kind: PlaceKind, place: str) -> None:
    """Raises `MissingError` where a compound has no such place."""
    match kind:
        case PlaceKind.COMPOUND:
            if place != compound or session.get(Compound, compound) is None:
                raise MissingError("compound")
        case PlaceKind.ZONE:
            find(session, Zone, compound, place, "zone")
        case PlaceKind.BUILDING:
            find(session, Building, compound, place, "building")
        case PlaceKind.UNIT:
            find(session, Unit, compound, place, "unit")
        case PlaceKind.DWELLING:
            find(session, Dwelling, compound, place, "dwelling")
