"""All tables of the registry, for migrations and for readers who look for them here."""

from registry.biometrics import Consent, ConsentPurpose, FaceTemplate, GalleryRevision, GivenBy
from registry.people import Household, PassKind, Person, Residence, ResidenceKind, Vehicle, VisitorPass
from registry.places import Building, Compound, Dwelling, DwellingState, Ring, Unit, Zone
from registry.watchlist import LegalBasis, WatchlistEntry, WatchlistSubject

__all__ = [
    "Building",
    "Compound",
    "Consent",
    "ConsentPurpose",
    "Dwelling",
    "DwellingState",
    "FaceTemplate",
    "GalleryRevision",
    "GivenBy",
    "Household",
    "LegalBasis",
    "PassKind",
    "Person",
    "Residence",
    "ResidenceKind",
    "Ring",
    "Unit",
    "Vehicle",
    "VisitorPass",
    "WatchlistEntry",
    "WatchlistSubject",
    "Zone",
]
