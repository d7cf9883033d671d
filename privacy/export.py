"""What a disclosure hands out: JSON and pictures in a ZIP that says for whom it was made.

Only what the scope names. An event is told with its place and time; who was recognised, on
whose plate, is told only where the scope is that person, that plate, or the incident itself.
"""

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident, Transition
from privacy.disclosures import DisclosureScope
from privacy.models import Disclosure
from privacy.retention.protection import known_by, refs_in
from recognition.models import DecisionRow
from registry import spelling
from registry.errors import RefusedError
from registry.models import Person
from storage import MediaStore
from storage.amendments import standing
from storage.events import EventRow
from storage.media import MediaNotFoundError

MOST_EVENTS: Final = 5000
MOST_BYTES: Final = 500 * 1024 * 1024

_TYPES: Final = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}


@dataclass(frozen=True, slots=True)
class Found:
    """What lies within scope and window, before the pictures are read."""

    data: dict[str, Any]
    media: tuple[str, ...]
    # Which disclosure it is, by which document, for whom.
    mark: dict[str, str]

    @property
    def events(self) -> int:
        return len(self.data["events"])


@dataclass(frozen=True, slots=True)
class Export:
    """The ZIP and its SHA-256."""

    content: bytes
    sha256: str
    events: int
    pictures: int


def gather(session: Session, disclosure: Disclosure, begin: dt.datetime, end: dt.datetime) -> Found:
    """Reads what may be handed out. Raises `RefusedError` (`disclosure_too_large`)."""
    kind, subject = DisclosureScope(disclosure.scope["kind"]), str(disclosure.scope["id"])
    data: dict[str, Any] = {"scope": disclosure.scope, "from": begin, "to": end}
    if kind is DisclosureScope.ZONE:
        events = _events(session, disclosure.compound, begin, end, EventRow.zone == subject)
        decisions: Sequence[DecisionRow] = ()
    elif kind is DisclosureScope.INCIDENT:
        incident = session.get_one(Incident, subject)
        data["incident"] = _incident(session, incident, begin, end)
        events, decisions = _evidence(session, incident, begin, end)
    else:
        if kind is DisclosureScope.PERSON:
            data["person"] = {"id": subject, "name": session.get_one(Person, subject).name}
            mine = DecisionRow.person_id == subject
        else:
            mine = DecisionRow.plate == subject
        decisions = session.scalars(
            select(DecisionRow)
            .where(
                DecisionRow.compound == disclosure.compound,
                mine,
                DecisionRow.at >= begin,
                DecisionRow.at < end,
            )
            .order_by(DecisionRow.at, DecisionRow.sighting_id)
            .limit(MOST_EVENTS + 1)
        ).all()
        seen = EventRow.id.in_([one.event_id for one in decisions])
        events = _events(session, disclosure.compound, begin, end, seen)
        if kind is DisclosureScope.PERSON:
            events += _used(session, disclosure.compound, subject, begin, end)
    if max(len(events), len(decisions)) > MOST_EVENTS:
        raise RefusedError("disclosure_too_large", most_events=MOST_EVENTS)
    data["events"] = [_event(one) for one in {one.id: one for one in events}.values()]
    data["sightings"] = [_decision(one) for one in decisions]
    media = dict.fromkeys(one["media_id"] for event in data["events"] for one in event["pictures"])
    mark = {
        "disclosure": disclosure.id,
        "document_no": disclosure.document_no,
        "requester": disclosure.requester_org,
    }
    return Found(data, tuple(media), mark)


def pack(found: Found, media: MediaStore, *, by: str, at: dt.datetime) -> Export:
    """Makes the ZIP. Pictures that are over by now are listed as missing. Raises `RefusedError`."""
    mark = found.mark | {"delivered_by": by, "delivered_at": at}
    files = {"data.json": msgspec.json.format(msgspec.json.encode(found.data | {"mark": mark}))}
    missing, size = [], 0
    for media_id in found.media:
        try:
            content = media.get(media_id)
        except MediaNotFoundError:
            missing.append(media_id)
            continue
        size += len(content)
        if size > MOST_BYTES:
            raise RefusedError("disclosure_too_large", most_bytes=MOST_BYTES)
        ending = next((e for magic, e in _TYPES.items() if content.startswith(magic)), "bin")
        files[f"pictures/{media_id}.{ending}"] = content
    manifest = {
        "mark": mark,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "missing_pictures": missing,
    }
    files["manifest.json"] = msgspec.json.format(msgspec.json.encode(manifest))
    comment = " / ".join(found.mark[name] for name in ("document_no", "requester", "disclosure"))
    content = _zip(files, comment, at)
    return Export(content, hashlib.sha256(content).hexdigest(), found.events, len(files) - 2)


def _events(
    session: Session, compound: str, begin: dt.datetime, end: dt.datetime, which: ColumnElement[bool]
) -> list[EventRow]:
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.compound == compound,
            EventRow.corrected_time >= begin,
            EventRow.corrected_time < end,
            which,
        )
        .order_by(EventRow.corrected_time, EventRow.id)
        .limit(MOST_EVENTS + 1)
    )
    return standing(session, rows.all())


def _used(
    session: Session, compound: str, person: str, begin: dt.datetime, end: dt.datetime
) -> list[EventRow]:
    """Events that name a card or a terminal's reference of this person."""
    refs = {spelling.card(ref) for ref in known_by(session, [person])}
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.compound == compound,
            EventRow.corrected_time >= begin,
            EventRow.corrected_time < end,
            or_(EventRow.type.startswith("access."), EventRow.type.startswith("face.")),
        )
        .order_by(EventRow.corrected_time, EventRow.id)
        .execution_options(yield_per=1000)
    )
    return [
        row
        for part in rows.partitions()
        for row in standing(session, part)
        if not refs.isdisjoint(spelling.card(ref) for ref in refs_in(row.body))
    ]


def _evidence(
    session: Session, incident: Incident, begin: dt.datetime, end: dt.datetime
) -> tuple[list[EventRow], Sequence[DecisionRow]]:
    evidence = session.scalars(select(Evidence).where(Evidence.incident == incident.id)).all()
    named = EventRow.id.in_([one for row in evidence for one in row.event_ids])
    sightings = [one for row in evidence for one in row.sighting_ids]
    decisions = session.scalars(
        select(DecisionRow)
        .where(
            DecisionRow.compound == incident.compound,
            DecisionRow.sighting_id.in_(sightings),
            DecisionRow.at >= begin,
            DecisionRow.at < end,
        )
        .order_by(DecisionRow.at, DecisionRow.sighting_id)
    ).all()
    return _events(session, incident.compound, begin, end, named), decisions


def _incident(session: Session, row: Incident, begin: dt.datetime, end: dt.datetime) -> dict[str, Any]:
    steps = session.scalars(
        select(Transition)
        .where(Transition.incident == row.id, Transition.at >= begin, Transition.at < end)
        .order_by(Transition.version)
    )
    names = ("id", "kind", "rule", "ring", "zone", "severity", "state", "happened_at", "raised_at")
    return _columns(row, (*names, "subject_kind", "subject")) | {
        "steps": [_columns(step, ("to_state", "role", "at", "reason")) for step in steps]
    }


def _event(row: EventRow) -> dict[str, Any]:
    names = ("id", "type", "device_id", "ring", "zone", "lane", "direction", "corrected_time", "late")
    pictures = [
        {"role": one.get("role"), "media_id": one["media_id"]} for one in row.body.get("pictures") or ()
    ]
    return _columns(row, names) | {"pictures": pictures}


def _decision(row: DecisionRow) -> dict[str, Any]:
    names = ("sighting_id", "event_id", "subject_kind", "outcome", "person_id", "plate", "score", "threshold")
    return _columns(row, (*names, "engine", "engine_version", "at"))


def _columns(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _zip(files: dict[str, bytes], comment: str, at: dt.datetime) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in files.items():
            # A ZIP knows no years before 1980 and no seconds that are odd; the manifest has the time.
            archive.writestr(zipfile.ZipInfo(name, (at.year, at.month, at.day, 0, 0, 0)), file)
        archive.comment = comment.encode()
    return content.getvalue()
