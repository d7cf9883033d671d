"""What face terminals of the facesluice family tell of: one function for each kind of push.

The vendor's word for the kind is `operator`; see `devices.adapters.facesluice` for the sources.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bus.messages import CredentialUse, DeviceMatch, PlateReading
from devices.adapters.contract import Reading, RefusedError
from devices.adapters.fields import integer, mark, moment, number, percentage, picture, text
from devices.adapters.leftovers import leftovers

# Body temperature is health data (L-13); notes and native tell of a person, username is a login.
PRIVATE: Final = (
    "temperature", "temperatur", "isTemperatureAlarm", "notes", "native", "username", "telnum2", "helmet",
)  # fmt: skip

TIMES: Final = ("time", "snapTime", "CreateTime", "startTime")
# Each kind of record has a counter of its own: 389 may be a recognition and a stranger at once.
# (field, type in PushAck, prefix of our record id); the documents misspell the last in three ways.
_COUNTERS: Final = (
    ("RecordID", 2, "rec"),
    ("SnapID", 1, "snap"),
    ("SnapOrRecordID", 3, "push"),
    ("SnapOrRecordIDe", 3, "push"),
    ("SnapOrRecordlD", 3, "push"),
    ("SnapOrRecordlDe", 3, "push"),
)
_LONGEST_RECORD: Final = 64
# carplateColor of V1.25. The vendor's HTTP protocol numbers the same colours otherwise.
_PLATE_COLORS: Final[Mapping[int, str]] = {
    1: "yellow", 2: "blue", 3: "black", 4: "white", 5: "green", 6: "yellow_green", 7: "green",
}  # fmt: skip
_HTTP_PLATE_COLORS: Final[Mapping[int, str]] = {
    1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow_green", 7: "green",
}  # fmt: skip
_NO_PLATE: Final = frozenset(["无", "无牌", "无牌车", "无车牌", "未识别", "未知", "unknown", "none", "null"])
_MOVEMENTS: Final[Mapping[int, str]] = {
    0: "left_to_right", 1: "right_to_left", 2: "enters_area", 3: "leaves_area",
}  # fmt: skip
# What FireSmokeSnapPush says of fire and of smoke.
_SIGHTS: Final[Mapping[int, str]] = {0: "none", 1: "present", 2: "unsure"}


class Said:
    """A message's fields, asked for by all their spellings in any case, and what nobody asked for.

    Identity and values stand under `info` on real firmware, on top in some documents, and the
    pictures beside `info` where a push was translated from the vendor's HTTP protocol.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        under = next((name for name in data if name.casefold() == "info"), "info")
        info = data.get(under)
        if isinstance(info, list):
            info = next((item for item in info if isinstance(item, dict)), {})
        self._info: dict[str, Any] = info if isinstance(info, dict) else {}
        self._top = {name: value for name, value in data.items() if name != under}
        self._names: dict[str, list[tuple[str, Any]]] = {}
        for part in (self._info, self._top):
            for name, value in part.items():
                self._names.setdefault(name.casefold(), []).append((name, value))
        self._asked: set[str] = set()

    def get(self, *names: str) -> Any:
        """The first value that is not blank under any of the names."""
        found = None
        for name in names:
            for spelled, value in self._names.get(name.casefold(), ()):
                self._asked.add(spelled)
                blank = value is None or (isinstance(value, str) and not value.strip())
                if found is None and not blank:
                    found = value
        return found

    def rest(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What is kept of the fields that nobody asked for, and the paths that are taken out."""
        top, top_dropped = leftovers(self._top, self._asked, PRIVATE)
        inner, inner_dropped = leftovers(self._info, self._asked, PRIVATE, "info")
        return top | inner, (*top_dropped, *inner_dropped)


class Draft:
    """A reading as it is put together."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self.attributes: dict[str, Any] = {}
        self.marks: list[str] = []
        self.pictures: list[tuple[str, bytes]] = []

    def keep(self, name: str, value: Any) -> None:
        if value is not None:
            self.attributes[name] = value

    def add_pictures(self, role: str) -> None:
        picture(self.said.get("pic", "SanpPic", "PlatePic"), role, self.pictures, self.marks)
        for scene in (self.said.get("scene", "ScenePic"), self.said.get("tempic")):
            picture(scene, "scene", self.pictures, self.marks)

    def add_box(self) -> None:
        # A replay sends four zeros for a box that it no longer knows.
        box = self.said.get("targetPosInScene")
        if isinstance(box, list) and len(box) == 4:
            corners = [integer(corner) for corner in box]
            if any(corners) and None not in corners:
                self.attributes["box"] = corners

    def done(self, kind: str, **more: Any) -> Reading:
        """The reading, with what every kind has: time, lateness, record id."""
        when = text(self.said.get(*TIMES))
        device_time = moment(when)
        if device_time is None:
            mark(self.marks, "time_missing" if when is None else "time_unreadable")
        counted = record_of(self.said)
        # Not within ten seconds of it; pushed again because somebody asked for the period.
        kept_back, replayed = (
            integer(self.said.get("Sendintime")) == 0,
            integer(self.said.get("PushType")) == 2,
        )
        return Reading(
            kind,
            None if counted is None else f"{counted[1]}:{counted[2]}",
            device_time,
            late=kept_back or replayed,
            pictures=tuple(self.pictures),
            attributes=self.attributes,
            marks=tuple(self.marks),
            **more,
        )


def _recognised(draft: Draft) -> Reading | str:
    """RecPush: what the terminal itself decided on a face that it compared."""
    said = draft.said
    status, listed = integer(said.get("VerifyStatus")), integer(said.get("PersonType"))
    custom = _reference(said.get("customId", "CustomizeID", "PersonUUID"))
    own = _reference(said.get("personId"))
    if custom is not None:
        draft.keep("terminal_person", own)
    elif own is not None:
        # Somebody enrolled at the terminal: its own number, which is no reference of ours.
        draft.keep("enrolled_at_terminal", True)
    draft.keep("verify_status", status)
    draft.keep("verify_type", integer(said.get("VerfyType", "VerifyType")))
    if listed is not None:
        draft.keep("list", {0: "allow", 1: "block"}.get(listed, listed))
    draft.add_box()
    draft.add_pictures("face")
    reference = custom or own
    score = percentage(said.get("similarity1", "similarity"))
    match = None if reference is None and score is None else DeviceMatch(reference, score)
    kind, reason = _verdict(status, listed, reference, draft.marks)
    draft.keep("reason", reason)
    used = CredentialUse("face") if kind.startswith("access.") else None
    return draft.done(kind, match=match, credential=used)


def _verdict(
    status: int | None, listed: int | None, reference: str | None, marks: list[str]
) -> tuple[str, str | None]:
    """The type of a recognition and, where it was refused, why."""
    if listed == 1:
        # Somebody on the block list whom the terminal says it let in: the list weighs more,
        # and the contradiction stays visible.
        if status == 1:
            mark(marks, "undocumented_code")
        return "access.denied", "blocked"
    if status == 1:
        return "access.granted", None
    if status == 2:
        return "access.denied", "refused"
    if status == 3:
        return "access.denied", "not_registered"
    if status not in {0, None}:
        # 22 and 24 are seen and nowhere explained: nothing tells that a door opened.
        mark(marks, "undocumented_code")
    return ("face.captured" if reference is None else "face.identified"), None


def _reference(value: Any) -> str | None:
    found = text(value)
    return None if found == "0" else found


def _stranger(draft: Draft) -> Reading | str:
    """StrSnapPush: a face without a verdict, for our own recognition to look at."""
    draft.add_box()
    draft.add_pictures("face")
    return draft.done("face.captured")


def _structured(draft: Draft) -> Reading | str:
    """FullStrSnapPush: whatever moved. A body is nobody, and neither is a bicycle without a plate."""
    said = draft.said
    what = integer(said.get("objectType"))
    draft.add_box()
    if what == 0:
        draft.add_pictures("face")
        return draft.done("face.captured")
    if what == 1:
        return "not_security"
    held = said.get("objectAttr")
    own = held if isinstance(held, dict) else {}
    draft.keep("object", {2: "vehicle", 3: "non_motor"}.get(what or -1))
    if what not in {2, 3}:
        mark(draft.marks, "undocumented_code")
    plate = next((text(value) for name, value in own.items() if name.casefold() == "carplate"), None)
    kept, _ = leftovers(own, {name for name in own if name.casefold() == "carplate"}, PRIVATE)
    if kept:
        draft.keep("object_attributes", kept)
    if what == 3 and not _is_plate(plate):
        return "not_security"
    return _vehicle(draft, plate, None)


def _vehicle_attributes(draft: Draft) -> Reading | str:
    """CatAttrSnapPush: a vehicle that crossed a line or an area, with its plate."""
    said = draft.said
    if integer(said.get("objectType")) == 0:
        return _behaviour(draft)
    draft.keep("movement", _MOVEMENTS.get(integer(said.get("behaviorDirection", "behaviourDirection")) or 0))
    for name, spellings in (
        ("vehicle_color", ("carClolr", "carColor")),
        ("vehicle_class", ("carClass",)),
        ("plate_type", ("carplateType",)),
        ("plate_flag", ("carplateFlag",)),
        ("vehicle_duty", ("carSpecial",)),
        ("spare_wheel", ("carBackup",)),
        ("seen_from", ("carViewpoint",)),
    ):
        draft.keep(name, integer(said.get(*spellings)))
    said.get("behaviorType", "behaviourType")
    plate = text(said.get("carplate", "plate"))
    return _vehicle(draft, plate, _color(said.get("carplateColor"), _PLATE_COLORS))


def _plate(draft: Draft) -> Reading | str:
    """PlateSnapPush of the HTTP protocol, which numbers colours in its own way."""
    said = draft.said
    plate = text(said.get("LicencePlate", "carplate", "plate"))
    return _vehicle(draft, plate, _color(said.get("PlateColour"), _HTTP_PLATE_COLORS))


def _color(value: Any, colors: Mapping[int, str]) -> str | None:
    return colors.get(integer(value) or 0)


def _is_plate(plate: str | None) -> bool:
    return plate is not None and len(plate) <= 32 and plate.strip("_-. ").casefold() not in {"", *_NO_PLATE}


def _vehicle(draft: Draft, plate: str | None, color: str | None) -> Reading:
    draft.add_pictures("vehicle")
    if _is_plate(plate):
        return draft.done("plate.recognised", plate=PlateReading(plate, color=color))
    return draft.done("plate.none")


def _behaviour(draft: Draft) -> Reading | str:
    """BehaviorSnapPush: over a line or into an area; the documents spell it both ways."""
    said = draft.said
    what, how = integer(said.get("objectType")), integer(said.get("behaviourType", "behaviorType"))
    moved = integer(said.get("behaviourDirection", "behaviorDirection"))
    draft.keep("object", {0: "person", 1: "vehicle"}.get(-1 if what is None else what, what))
    draft.keep("movement", None if moved is None else _MOVEMENTS.get(moved))
    draft.add_box()
    draft.add_pictures("scene")
    if how not in {0, 1}:
        # Rather an intrusion too many than one that nobody was told of.
        mark(draft.marks, "undocumented_code")
    return draft.done("video.line_crossing" if how == 0 else "video.intrusion")


def _thrown(draft: Draft) -> Reading | str:
    """ParabolicSnapPush: something fell or was thrown from a window."""
    draft.keep("started_at", text(draft.said.get("startTime")))
    draft.keep("ended_at", text(draft.said.get("endTime")))
    draft.add_pictures("scene")
    return draft.done("video.parabolic")


def _fire(draft: Draft) -> Reading | str:
    """FireSmokeSnapPush. 2 is "not sure": still an alarm, and it says so."""
    seen = {name: integer(draft.said.get(name)) for name in ("fire", "smoke")}
    if set(seen.values()) == {0}:
        return "below_threshold"
    for name, value in seen.items():
        if value is not None:
            draft.keep(name, _SIGHTS.get(value, value))
            if value not in _SIGHTS:
                mark(draft.marks, "undocumented_code")
    draft.add_pictures("scene")
    return draft.done("video.fire_smoke")


def _heat(draft: Draft) -> Reading | str:
    """TemHighSnapPush: a spark, or an area of a thermal camera that is hot or grows hot."""
    said = draft.said
    spark = integer(said.get("sparkAlarm"))
    areas = said.get("message")
    told = [item for item in areas if isinstance(item, dict)][:64] if isinstance(areas, list) else []
    draft.keep("spark", None if spark is None else spark != 0)
    # Here the temperature is a thing's and may stay.
    draft.keep("areas", [leftovers(area, ())[0] for area in told] or None)
    alarmed = any(number(area.get(name)) for area in told for name in ("alarmType", "temRise", "AlarmType"))
    if not spark and not alarmed:
        # No field says what the alarm is about. It was pushed as one, so it counts as one.
        mark(draft.marks, "undocumented_code")
    draft.add_pictures("scene")
    return draft.done("video.fire_smoke")


def _count(draft: Draft) -> Reading | str:
    """CountInRegionPush: how many people are in an area."""
    for name, field in (
        ("count", "realtimeCount"),
        ("average", "averageCount"),
        ("most", "maxCount"),
        ("fewest", "minCount"),
    ):
        draft.keep(name, integer(draft.said.get(field)))
    draft.add_pictures("scene")
    return draft.done("video.person_count")


def _ride(draft: Draft) -> Reading | str:
    """SafetyRidePush: somebody on an e-bike. Whether with a helmet is the rider's own business."""
    plate = text(draft.said.get("plate"))
    draft.keep("object", "non_motor")
    return _vehicle(draft, plate, None) if _is_plate(plate) else "not_security"


def _presented(draft: Draft) -> Reading | str:
    """QRCodePush, CardPush: shown to a terminal that knows no answer and kept its door shut."""
    said = draft.said
    held = said.get("CardInfo")
    card = held.get("CardNum") if isinstance(held, dict) else said.get("CardNum")
    code = text(said.get("QRCodeInfo"))
    used = CredentialUse("card", text(card)) if code is None else CredentialUse("qr", code)
    if used.ref is None:
        raise RefusedError("missing_field", "QRCodeInfo or CardInfo.CardNum")
    draft.keep("reason", "not_registered")
    return draft.done("access.denied", credential=used)


def _pictured(kind: str) -> Callable[[Draft], Reading | str]:
    """A kind that says all by its name and a picture."""

    def read(draft: Draft) -> Reading | str:
        draft.add_box()
        draft.add_pictures("scene")
        return draft.done(kind)

    return read


def _named(read: Callable[[Draft], Reading | str]) -> Callable[[Draft], Reading | str]:
    """The same, with the camera's own name for itself, which some pushes carry."""

    def with_name(draft: Draft) -> Reading | str:
        draft.keep("device_name", text(draft.said.get("deviceName", "facesluiceName")))
        return read(draft)

    return with_name


def _ignored(draft: Draft) -> Reading | str:
    """Hygiene in kitchens, helmets on building sites: nothing that a compound's guard acts on."""
    _ = draft
    return "not_security"


KINDS: Final[Mapping[str, Callable[[Draft], Reading | str]]] = {
    kind: _named(read)
    for kind, read in {
        "recpush": _recognised,
        "verifypush": _recognised,
        "strsnappush": _stranger,
        "snappush": _stranger,
        "fullstrsnappush": _structured,
        "catattrsnappush": _vehicle_attributes,
        "platesnappush": _plate,
        "behaviorsnappush": _behaviour,
        "behavioursnappush": _behaviour,
        "leavesnappush": _pictured("video.absence_from_post"),
        "parabolicsnappush": _thrown,
        "firesmokesnappush": _fire,
        "electricalbicyclesnappush": _pictured("video.ebike_in_lift"),
        "safetyridepush": _ride,
        "countinregionpush": _count,
        "temhighsnappush": _heat,
        "qrcodepush": _presented,
        "cardpush": _presented,
        "clothhelmetsnappush": _ignored,
        "clothhelmetverifypush": _ignored,
        "visiblekitchensnappush": _ignored,
    }.items()
}


def record_of(said: Said) -> tuple[int, str, str] | None:
    """(type in PushAck, prefix, number) of the record that a message is."""
    for field, kind, prefix in _COUNTERS:
        found = text(said.get(field))
        if found is not None and len(found) <= _LONGEST_RECORD:
            return kind, prefix, found
    return None
