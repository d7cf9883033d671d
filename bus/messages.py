"""The messages that travel on the bus: typed, versioned, without personal data.

A field may be added with a default; anything else is a new version beside the old one.
Times are aware UTC. Identifiers are those of the database, which is the truth: a
message tells what changed, its reader looks up the rest.
"""

import datetime as dt
from typing import Any

import msgspec


class Picture(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture in the media store; `role` is face, plate, body, scene or vehicle."""

    role: str
    media_id: str
    size: int


class PlateReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device itself read on a plate; a confidence in 0…1 it did not give is None."""

    text: str | None = None
    confidence: float | None = None
    color: str | None = None


class CredentialUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """A credential that was presented: its kind (card, pin, qr, face, phone, pass) and reference."""

    kind: str
    ref: str | None = None


class DeviceMatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a terminal itself matched; asserted by the device, never by us."""

    person_ref: str | None = None
    score: float | None = None
    liveness: bool | None = None
    # Whom we put on that terminal under this reference; None where we put nobody.
    person_id: str | None = None


class EventStored(msgspec.Struct, frozen=True, omit_defaults=True, tag="event", tag_field="kind"):
    """A device's event was committed. Ring, zone and lane are the registry's, not the device's."""

    id: str
    compound: str
    device_id: str
    type: str
    ring: str
    zone: str
    device_time: dt.datetime
    # Device time less the device's known drift: the time rules reason on.
    at: dt.datetime
    received_at: dt.datetime
    lane: str | None = None
    direction: str | None = None
    late: bool = False
    track: str | None = None
    credential: CredentialUse | None = None
    plate: PlateReading | None = None
    match: DeviceMatch | None = None
    pictures: tuple[Picture, ...] = ()
    attributes: dict[str, Any] = {}
    marks: tuple[str, ...] = ()
    # Set where a thing is told of more than once: a message of the same id and a higher
    # revision amends what was said before.
    revision: int | None = None
    # The message amends an event that was told of before.
    amends: bool = False
    v: int = 1


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True, tag="sighting", tag_field="kind"):
    """A recognition decision on one event.

    `subject_kind` is face or plate. `outcome` is identified, household, unknown, uncertain,
    no_face, no_usable_face, no_plate, no_usable_picture or unprocessed. `score` is a distance
    for faces (smaller is nearer) and a confidence for plates; None when nothing was compared.
    """

    id: str
    event_id: str
    compound: str
    device_id: str
    subject_kind: str
    outcome: str
    ring: str
    zone: str
    at: dt.datetime
    received_at: dt.datetime
    lane: str | None = None
    direction: str | None = None
    late: bool = False
    person_id: str | None = None
    household_id: str | None = None
    vehicle_id: str | None = None
    plate: str | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
    # Decided again, because more became known of the event: takes the place of what was said before.
    amends: bool = False
    # Until when a door or barrier may be opened because of it; None: never.
    valid_until: dt.datetime | None = None
    # The same for two sightings of one stranger within some minutes: a random number, of nothing.
    token: str | None = None
    v: int = 1


class IncidentChanged(msgspec.Struct, frozen=True, omit_defaults=True, tag="incident", tag_field="kind"):
    """An incident was raised, amended or moved to another state; `version` counts its changes."""

    id: str
    compound: str
    version: int
    state: str
    severity: int
    ring: str
    at: dt.datetime
    v: int = 1


class DispatchChanged(msgspec.Struct, frozen=True, omit_defaults=True, tag="dispatch", tag_field="kind"):
    """A responder was asked, or answered."""

    id: str
    incident_id: str
    compound: str
    responder_id: str
    state: str
    at: dt.datetime
    v: int = 1


class DeviceChanged(msgspec.Struct, frozen=True, omit_defaults=True, tag="device", tag_field="kind"):
    """A device came, went or was changed."""

    device_id: str
    compound: str
    online: bool
    at: dt.datetime
    v: int = 1


Message = EventStored | Sighting | IncidentChanged | DispatchChanged | DeviceChanged

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """The message as JSON, tagged with its kind and version."""
    return _encoder.encode(message)


def decode(payload: bytes) -> Message:
    """Raises `msgspec.ValidationError` for what is none of ours."""
    return _decoder.decode(payload)
