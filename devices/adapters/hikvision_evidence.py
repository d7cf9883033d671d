"""What Hikvision's cameras and its platform say alike: pictures, faces, plates, references."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bus.messages import DeviceMatch, PlateReading
from devices.adapters.canonical import MAX_DEPTH
from devices.adapters.contract import RefusedError
from devices.adapters.fields import fraction, number, percentage, text
from devices.adapters.hikvision_codes import NO_PLATE, PLATE_COLORS

_LONGEST_URL: Final = 2000
# An identity card's number: 17 digits and a check character.
_IDENTITY: Final = re.compile(r"\d{17}[\dXx]")
# Where a picture's address stands → what it shows. The order matters: "platePicUrl" is a plate.
_ROLES: Final = (
    ("plate", "plate"), ("vehicle", "vehicle"), ("car", "vehicle"), ("bkg", "scene"), ("background", "scene"),
    ("face", "face"), ("capture", "face"), ("body", "body"), ("human", "body"),
)  # fmt: skip
# Pictures of whom the system knows, not of what happened: they stay where they are.
_ENROLLED: Final = frozenset(
    ["facepicurl", "exteventidcardpictureurl", "photourl", "idcardpictureurl", "modelpicurl"]
)
# What describes a person under names that only these systems use.
_PERSONAL: Final = frozenset(
    [
        "exteventidentitycardinfo", "identitycardinfo", "reservefield", "humandata", "person", "personinfo",
        "faceinfoname", "faceinfosex", "facegroupname", "certificate", "certificatetype", "idtype", "signorg",
        "bevisitedpersonname", "bevisitedpersonorg", "visitorworkuint", "visitorworkunit", "visitorcode",
        "phoneno", "ownername", "ownerphone", "smile", "helmet", "uids", "qrcodeinfo", "temperature",
        "pilotsafebelt", "vicepilotsafebelt", "pilotmask", "vicepilotmask", "uphone", "smoking", "helmettype",
        "pilotsunvisor", "vicepilotsunvisor",
    ]
)  # fmt: skip


def spelled(name: str) -> str:
    return name.strip().lower().replace("_", "")


def one(value: Any) -> dict[str, Any]:
    """The object itself, or the first of a list of them; empty where there is none."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return value if isinstance(value, dict) else {}


def many(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the one that stands where a list is expected."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def reference(value: Any) -> str | None:
    """A card's number or a person's reference; 0 is none, and an identity card's number is not taken."""
    found = text(value)
    if found is None or found.strip("0") == "" or _IDENTITY.fullmatch(found):
        return None
    return found


def impersonal(value: Any, path: str = "", dropped: list[str] | None = None, depth: int = 0) -> Any:
    """The value without what describes a person under these systems' own names.

    Names of `canonical` are not repeated here: `fields.remainder` takes them out.
    """
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [impersonal(item, f"{path}[]", dropped, depth + 1) for item in value]
    if not isinstance(value, dict):
        # A card number may be the number of the identity card that was read.
        return None if isinstance(value, str) and _IDENTITY.fullmatch(value.strip()) else value
    kept = {}
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if spelled(name) in _PERSONAL or spelled(name) in _ENROLLED:
            if dropped is not None and item not in (None, "", [], {}):
                dropped.append(here)
            continue
        kept[name] = impersonal(item, here, dropped, depth + 1)
    return kept


def picture_urls(value: Any, depth: int = 0) -> Iterator[dict[str, str]]:
    """Every picture's address as {"role", "url"}, enrolled pictures left out."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from picture_urls(item, depth + 1)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        plain = spelled(name)
        if plain in _ENROLLED or plain in _PERSONAL:
            continue
        if is_url(plain) and isinstance(item, str):
            url = item.replace("\0", "").strip()[:_LONGEST_URL]
            if url:
                yield {"role": _role(plain), "url": url}
        else:
            yield from picture_urls(item, depth + 1)


def is_url(plain: str) -> bool:
    """Whether a field, as `spelled`, holds a picture's address."""
    return plain.endswith(("url", "uri"))


def without_urls(value: Any, depth: int = 0) -> Any:
    """The value without the addresses that `picture_urls` tells, and without what is empty."""
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [without_urls(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: without_urls(item, depth + 1)
        for name, item in value.items()
        if not (is_url(spelled(name)) and isinstance(item, str | None))
    }
    return {name: item for name, item in kept.items() if item not in (None, "", {})}


def picture_role(name: str, otherwise: str = "scene") -> str:
    """What a picture shows, by the name of its part or field."""
    plain = spelled(name)
    return next((role for part, role in _ROLES if part in plain), otherwise)


def _role(plain: str) -> str:
    # A bare "URL" stands beside a face's box; "imageUrl" and "picUrl" are the whole picture.
    return "face" if plain in {"url", "exteventpictureurl"} else picture_role(plain)


def best_match(data: Mapping[str, Any]) -> DeviceMatch | None:
    """The most similar of those whom a face was compared with; None where nobody was found.

    Shapes: `alarmResult[].faces[].identify[].candidate[]` of cameras and of the platform,
    `faceRecognitionResult.faceMatch[]` of the platform. References only, never names.
    """
    found = [
        DeviceMatch(person, similarity(candidate.get("similarity")))
        for candidate in _candidates(data, 0)
        for person in [_person(candidate)]
        if person is not None
    ]
    return max(found, key=lambda match: match.score or 0.0, default=None)


def _candidates(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _candidates(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if spelled(name) in {"candidate", "facematch"}:
                yield from many(item)
            else:
                yield from _candidates(item, depth + 1)


def _person(candidate: Mapping[str, Any]) -> str | None:
    for name in ("human_id", "humanId", "faceInfoCode", "PID", "employeeNo", "personId"):
        found = reference(candidate.get(name))
        if found is not None:
            return found
    return None


def similarity(value: Any) -> float | None:
    """A similarity in 0…1, also where a camera gives it in percent."""
    found = number(value)
    return fraction(found) if found is not None and found <= 1 else percentage(found)


def confidence(value: Any) -> float | None:
    """A plate's confidence: whole numbers are percent (1 is 0.01), 0.95 is itself."""
    found = number(value)
    return found if found is not None and 0 < found < 1 else percentage(found)


def plate_reading(number_plate: Any, believed: Any, color: Any) -> PlateReading:
    """A plate as it was read; without text where the camera says that there is none."""
    read = (text(number_plate) or "").replace(" ", "")[:32]
    plate = None if read.lower() in NO_PLATE or not read.strip("_-") or read == "_无_" else read
    colored = PLATE_COLORS.get((text(color) or "").lower())
    return PlateReading(plate, confidence(believed) if plate else None, colored)
