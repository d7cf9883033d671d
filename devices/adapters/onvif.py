"""ONVIF events over MQTT (Profile M, payload prefix `onvif-ej`): Bosch, Hanwha, Hikvision and others.

Quirks, each with a test:
- the prefix has as many levels as its installer liked, a MAC with colons among them;
- behind the ONVIF topic come `&` and the source's tokens, with spaces and `&` in them; a topic may
  end in a slash; namespaces are written or not;
- two shapes of one payload: `{"Source": {"Rule": …}}` and `{"Source": {"SimpleItem": [{"Name", "Value"}]}}`;
- values are text, numbers or booleans;
- an empty payload is legal: a topic that is cleared, or a signal whose arrival is all it says;
- `Initialized` tells how things stand when the camera connects, which is no news;
- `Changed` comes with a change and never else: a state that holds no more is then the end of what
  lasts. Without that word it may be a report of how things stand, and is none.

Sources: ONVIF Core specification, "MQTT"; public captures of Bosch IVA and Hanwha cameras.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse, PlateReading
from devices.adapters.contract import Adapter, Decoded, Incoming, Reading, RefusedError, Rights, SignOfLife
from devices.adapters.endings import over
from devices.adapters.fields import fraction, integer, moment, picture, section, text
from devices.adapters.leftovers import leftovers
from devices.adapters.lenient import read_object
from devices.adapters.onvif_topics import Meaning, levelled, meaning

MARKER: Final = "onvif-ej"
# How a person looks, and the holder's name where a token is meant.
PRIVATE: Final = frozenset(
    [
        "HumanFace", "HumanBody", "CredentialHolderName", "Appearance", "Behaviour", "PIN", "Password",
        "IdData", "OwnerName",
    ]
)  # fmt: skip
_READ: Final = frozenset(
    [
        "Object", "LicensePlateInfo", "VehicleInfo", "Image", "State", "Count", "Rule", "IsInside", "Status",
        "VideoSource", "Source", "VideoSourceToken", "VideoSourceConfigurationToken", "Reason", "Card",
        "VideoAnalyticsConfigurationToken", "AnalyticsConfigurationToken", "Likelihood", "SimpleItem",
        "ElementItem", "AccessPointToken", "DoorToken", "CredentialToken", "PlateNumber", "ObjectId",
    ]
)  # fmt: skip


class OnvifAdapter(Adapter):
    """One device a topic prefix; what hangs on a recorder publishes under prefixes of its own."""

    name = "onvif"
    title = "ONVIF over MQTT"
    aliases = ("onvif-ej", "bosch", "hanwha")
    topics = (f"+/{MARKER}/#", f"+/+/{MARKER}/#")
    gateway = True
    # The topic prefix is the installer's to choose.
    root = "onvif"
    fields: ClassVar[Mapping[str, str]] = {
        "UtcTime": "device_time",
        "Topic": "type where the MQTT topic does not tell",
        "PropertyOperation": "late where Initialized, attributes.ended where it Changed to no; "
        "Deleted is no event",
        "Source.Rule": "attributes.rule",
        "Source.VideoSource": "attributes.source",
        "Source.SimpleItem[].Name": "as Source.{Name}",
        "Source.SimpleItem[].Value": "as Source.{Name}",
        "Source.AccessPointToken": "attributes.access_point",
        "Source.DoorToken": "attributes.door",
        "Data.State": "the event where it holds; door.opened, door.closed",
        "Data.IsInside": "the event where it holds",
        "Data.Count": "attributes.count",
        "Data.Reason": "attributes.reason",
        "Data.Card": "credential.ref",
        "Data.CredentialToken": "attributes.credential_token",
        "Data.Object.Object.@ObjectId": "track",
        "Data.Object.Object.Appearance.Class.Type.#text": "attributes.object",
        "Data.Object.Object.Appearance.Class.Type.@Likelihood": "attributes.likelihood",
        "Data.Object.Object.Appearance.Image": "pictures (scene)",
        "Data.LicensePlateInfo.LicensePlateInfo.PlateNumber.#text": "plate.text",
        "Data.LicensePlateInfo.LicensePlateInfo.PlateNumber.@Likelihood": "plate.confidence",
        "Data.VehicleInfo.VehicleInfo.Brand.#text": "attributes.brand",
        "Key": "attributes",
    }

    def decode(self, message: Incoming) -> Decoded:
        levels = message.topic.split("/")
        if MARKER not in levels:
            return _signal(levels, message)
        cut = levels.index(MARKER)
        sender = "/".join(levels[:cut]) or None
        said, tokens = _split(levels[cut + 1 :])
        path = levelled(said)
        if not message.body.strip():
            return Decoded(sender, ignored="cleared_state")
        data = read_object(message.body)
        operation = (text(data.get("PropertyOperation")) or "").lower()
        if operation == "deleted":
            return Decoded(sender, ignored="cleared_state")
        source, key, values = (items(data.get(name)) for name in ("Source", "Key", "Data"))
        simple = {name.lower(): value for name, value in (source | key | values).items()}
        what = meaning(path, simple)
        if what is None and text(data.get("Topic")) is not None:
            # A broker's bridge may cut the topic short and write it into the message.
            path = levelled(str(data["Topic"]).split("/"))
            what = meaning(path, simple)
        if what is None:
            raise RefusedError("unknown_type", "/".join(said)[:200] or "no topic")
        if what.kind is None or (what.rests and operation != "changed"):
            # A camera that says nothing of note is there all the same.
            signs = (SignOfLife(True),) if what.ignored == "keep_alive" else ()
            return Decoded(sender, signs=signs, ignored=what.ignored)
        kept, dropped = leftovers(source | key | values, _READ, PRIVATE)
        when, marks = time_of(data.get("UtcTime"))
        reading = _reading(what, path, tokens, source | key, values, kept, when, marks)
        if reading is None:
            return Decoded(sender, ignored="not_security", dropped=dropped)
        if what.rests:
            end = over(reading)
            return Decoded(sender, () if end is None else (end,), dropped=dropped)
        if operation == "initialized":
            reading = msgspec.structs.replace(reading, late=True)
        return Decoded(sender, (reading,), dropped=dropped)

    def rights(self, external_id: str) -> Rights:
        return Rights(publish=(f"{external_id}/{MARKER}/#",))


def _split(levels: list[str]) -> tuple[list[str], list[str]]:
    """The ONVIF topic, and the tokens behind its `&`, without empty levels at the end."""
    for position, level in enumerate(levels):
        if level.startswith("&"):
            tokens = [level[1:], *levels[position + 1 :]]
            return levels[:position], [token for token in tokens if token]
    return levels, []


def _signal(levels: list[str], message: Incoming) -> Decoded:
    """A topic that an installer gave a camera to fire: that it comes is all it says.

    Raises `RefusedError`.
    """
    *prefix, last = [level for level in levels if level] or [""]
    sender = "/".join(prefix) or None
    if prefix and last.lower() == "heartbeat":
        return Decoded(sender, signs=(SignOfLife(True),), ignored="keep_alive")
    if prefix and last.lower() in {"firealarm", "fire"} and not message.body.strip():
        return Decoded(sender, (Reading("video.fire_smoke", marks=("time_missing",)),))
    raise RefusedError("wrong_topic", f"expected …/{MARKER}/…")


def items(part: Any) -> dict[str, Any]:
    """The values of `Source`, `Key` or `Data` by name, in whichever shape they came."""
    if isinstance(part, list):
        return _named(part)
    if not isinstance(part, dict):
        return {}
    listed = part.get("SimpleItem")
    rest = {name: value for name, value in part.items() if name != "SimpleItem"}
    return rest | _named(listed if isinstance(listed, list) else [listed])


def _named(listed: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in listed:
        if isinstance(item, dict):
            name = text(item.get("Name")) or text(item.get("@Name"))
            if name is not None:
                found[name] = item.get("Value", item.get("@Value"))
    return found


def time_of(given: Any) -> tuple[dt.datetime | None, list[str]]:
    """The time, aware: ONVIF means UTC where it names no zone."""
    if text(given) is None:
        return None, ["time_missing"]
    when = moment(given)
    if when is None:
        return None, ["time_unreadable"]
    return when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC), []


def _reading(
    what: Meaning,
    path: tuple[str, ...],
    tokens: list[str],
    source: Mapping[str, Any],
    values: Mapping[str, Any],
    kept: dict[str, Any],
    when: dt.datetime | None,
    marks: list[str],
) -> Reading | None:
    """The event; None where the message is of a kind that needs a plate or a face and has none."""
    assert what.kind is not None
    pictures: list[tuple[str, bytes]] = []
    thing = _thing(values.get("Object"))
    appearance = section(thing, "Appearance")
    word, likelihood = _classified(section(appearance, "Class"))
    for image in (appearance.get("Image"), values.get("Image")):
        content = image.get("Data", image.get("#text")) if isinstance(image, dict) else image
        picture(content, "face" if what.kind == "face.captured" else "scene", pictures, marks)
    kind, plate = what.kind, None
    if kind == "plate.recognised":
        plate = _plate(values, pictures, marks)
        kind = "plate.recognised" if plate is not None else "plate.none"
    if kind == "face.captured" and not pictures:
        return None
    card = text(values.get("Card"))
    found = {
        "topic": "/".join(path),
        "rule": text(source.get("Rule")),
        "source": text(source.get("VideoSource")) or text(source.get("VideoSourceToken")) or _last(tokens),
        "object": word,
        "likelihood": likelihood,
        "count": integer(values.get("Count")),
        "brand": _inner(values, "VehicleInfo", "Brand"),
        "access_point": text(source.get("AccessPointToken")),
        "door": text(source.get("DoorToken")),
        "credential_token": text(values.get("CredentialToken")),
    } | what.attributes
    return Reading(
        kind,
        device_time=when,
        track=text(thing.get("@ObjectId", thing.get("ObjectId"))),
        plate=plate,
        credential=CredentialUse("card", card) if card is not None and kind.startswith("access.") else None,
        pictures=tuple(pictures),
        attributes=kept | {name: value for name, value in found.items() if value is not None},
        marks=(*marks, "unknown_fields") if kept else tuple(marks),
        point=what.point,
    )


def _last(tokens: list[str]) -> str | None:
    return text(tokens[0]) if tokens else None


def _thing(given: Any) -> dict[str, Any]:
    """The object that was seen: `Object.Object` of the standard, or one level less; the first of several."""
    for _ in range(2):
        if isinstance(given, dict) and "Object" in given:
            given = given["Object"]
        if isinstance(given, list):
            given = given[0] if given else None
    return given if isinstance(given, dict) else {}


def _classified(given: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """The likeliest class, as (word, likelihood)."""
    listed = given.get("Type")
    best: tuple[str | None, float | None] = (None, None)
    for one in listed if isinstance(listed, list) else [listed]:
        word = text(one.get("#text")) if isinstance(one, dict) else text(one)
        likelihood = fraction(one.get("@Likelihood")) if isinstance(one, dict) else None
        if word is not None and (best[0] is None or (likelihood or 0.0) > (best[1] or 0.0)):
            best = (word.lower(), likelihood)
    return best


def _inner(values: Mapping[str, Any], outer: str, name: str) -> str | None:
    """`VehicleInfo.VehicleInfo.Brand.#text`, or the same with a level or the wrapping less."""
    whole = section(values, outer)
    found = section(whole, outer).get(name, whole.get(name))
    return text(found.get("#text")) if isinstance(found, dict) else text(found)


def _plate(
    values: Mapping[str, Any], pictures: list[tuple[str, bytes]], marks: list[str]
) -> PlateReading | None:
    whole = section(values, "LicensePlateInfo")
    inner = section(whole, "LicensePlateInfo") or whole
    for name in ("Snapshot", "Image"):
        image = inner.get(name, whole.get(name))
        picture(image.get("Data") if isinstance(image, dict) else image, "plate", pictures, marks)
    number = inner.get("PlateNumber", values.get("PlateNumber"))
    said = text(number.get("#text")) if isinstance(number, dict) else text(number)
    if said is None or len(said) > 32 or said.lower() in {"unknown", "none", "no plate"}:
        return None
    given = number.get("@Likelihood") if isinstance(number, dict) else None
    score = fraction(values.get("Likelihood") if given is None else given)
    return PlateReading(said, score)
