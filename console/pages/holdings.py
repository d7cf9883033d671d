"""What is held on a person, laid out to be read: sections, lines, and words for codes.

The document itself is made by `privacy.access.export`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.pages.view import Frame

LINES_SHOWN: Final = 50
"""Of a section at most so many are on the page, the newest; the file has all."""


@dataclass(frozen=True, slots=True)
class Names:
    """Words for ids: addresses by dwelling, names by zone."""

    addresses: Mapping[str, str]
    zones: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """One sort of data: lines of (label's text key, value). `total`: how many there are in all."""

    name: str
    lines: Sequence[Sequence[tuple[str, str]]]
    total: int


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns values of the document into words in a reader's language."""

    frame: Frame
    names: Names

    def text(self, value: Any) -> str:
        return str(value)

    def truth(self, value: Any) -> str:
        return self.frame.t("people.yes" if value else "people.no")

    def day(self, value: Any) -> str:
        return self.frame.day(dt.date.fromisoformat(value))

    def moment(self, value: Any) -> str:
        return self.frame.clock(dt.datetime.fromisoformat(value))

    def address(self, value: Any) -> str:
        return self.names.addresses.get(value, str(value))

    def zone(self, value: Any) -> str:
        return self.names.zones.get(value, str(value))

    def zones(self, value: Any) -> str:
        return self.frame.t("list.comma").join(self.zone(zone) for zone in value)

    def outcome(self, value: Any) -> str:
        for kind in ("face", "plate"):
            key = f"outcome.{kind}.{value}"
            if key in self.frame.t.keys:
                return self.frame.t(key)
        return str(value)

    def how(self, name: str) -> Callable[[Any], str]:
        """A method by its name, or the words of a group of codes."""
        return getattr(self, name, None) or (lambda value: self.frame.t.code(name, value))


# Section → field → how it is read; a field that is not here is for programs.
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "person": {
        "name": "text",
        "phone": "text",
        "id_number": "text",
        "external_id": "text",
        "hukou_registered_here": "truth",
        "under_14": "truth",
        "turns_14_on": "day",
    },
    "household": {"dwelling": "address", "is_head": "truth"},
    "residences": {
        "dwelling": "address",
        "kind": "residence_kind",
        "since": "day",
        "until": "day",
        "verified_on": "day",
    },
    "works_for": {"organisation": "text", "since": "day", "until": "day"},
    "credentials": {
        "kind": "credential_kind",
        "status": "credential_status",
        "number": "text",
        "zones": "zones",
        "starts_at": "moment",
        "ends_at": "moment",
    },
    "vehicles": {"plate": "text", "kind": "vehicle_kind"},
    "may_drive": {"since": "day", "until": "day"},
    "passes": {
        "kind": "pass_kind",
        "state": "pass_state",
        "plate": "text",
        "starts_at": "moment",
        "ends_at": "moment",
        "uses": "text",
    },
    "consents": {
        "purpose": "purpose",
        "given_by": "given_by",
        "given_at": "moment",
        "withdrawn_at": "moment",
        "wording": "text",
    },
    "faces": {"created_at": "moment", "engine": "text"},
    "face_exclusions": {
        "side": "exclusion_side",
        "with": "exclusion_with",
        "made_at": "moment",
        "lifted_at": "moment",
    },
    "passages": {"at": "moment", "outcome": "outcome", "plate": "text"},
    "incidents": {"happened_at": "moment", "kind": "kind", "state": "state", "zone": "zone"},
    "watchlist": {
        "subject_kind": "watch_subject",
        "legal_basis": "basis",
        "starts_at": "moment",
        "ends_at": "moment",
        "lifted_at": "moment",
    },
    "requests": {
        "kind": "subject_request",
        "state": "request_state",
        "received_at": "moment",
        "due_at": "moment",
        "closed_at": "moment",
    },
    "erasures": {"kind": "erasure", "ordered_at": "moment", "completed_at": "moment"},
}


def sections(document: Mapping[str, Any], frame: Frame, names: Names) -> list[Section]:
    """All sections in the document's order, also those that hold nothing."""
    reader = _Reader(frame, names)
    found = []
    for name, fields in _FIELDS.items():
        held = document[name]
        rows = held if isinstance(held, list) else [held] if held else []
        lines = [_line(name, row, fields, reader) for row in rows[-LINES_SHOWN:]]
        found.append(Section(name, lines if len(rows) == 1 else lines[::-1], len(rows)))
    return found


def _line(
    section: str, row: Mapping[str, Any], fields: Mapping[str, str], reader: _Reader
) -> list[tuple[str, str]]:
    return [
        (f"held.{section}.{field}", reader.how(how)(row[field]))
        for field, how in fields.items()
        if row[field] is not None and row[field] != []
    ]
