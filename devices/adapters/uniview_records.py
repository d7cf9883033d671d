"""Uniview terminals: who came, and whether they were let in."""

from collections.abc import Mapping
from typing import Any

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import Decoded, Reading, RefusedError
from devices.adapters.fields import integer, mark, percentage, picture, section, text
from devices.adapters.leftovers import leftovers
from devices.adapters.uniview_codes import (
    BLOCK_LIST,
    DENIED,
    ENROLMENT,
    GRANTED,
    NO_VERDICT,
    NOT_ALIVE,
    STRANGERS,
)
from devices.adapters.uniview_told import PRIVATE, confirmed, first_of, numbered, sender_of, time_of


def verified(data: Mapping[str, Any]) -> Decoded:
    """A terminal's record of who came. Raises `RefusedError`."""
    face, card, gate = (first_of(data, f"{name}InfoList") for name in ("Face", "Card", "Gate"))
    match = first_of(data, "LibMatInfoList")
    seq = integer(data.get("Seq"))
    reply = confirmed(seq)
    when, marks = time_of(
        face.get("Timestamp"), card.get("Timestamp"), gate.get("Timestamp"), data.get("Timestamp")
    )
    known = ["Reference", "Seq", "DeviceCode", "DeviceID", "Timestamp", "NotificationType", "FaceInfoNum",
             "CardInfoNum", "GateInfoNum", "LibMatInfoNum", "FaceInfoList", "CardInfoList", "GateInfoList",
             "LibMatInfoList"]  # fmt: skip
    kept, dropped = leftovers(data, known, PRIVATE)
    _, of_people = leftovers({name: data.get(name) for name in known[-4:]}, (), PRIVATE)
    dropped = (*dropped, *of_people)
    status = integer(match.get("MatchStatus"))
    if status in ENROLMENT:
        return Decoded(sender_of(data), reply=reply, dropped=dropped, ignored="configuration")
    # 0 is an identity card: its number is nobody's to keep, and it opened nothing by itself.
    is_card = bool(card) and integer(card.get("CardType")) != 0
    kind, reason = _verdict(match, status, card if is_card else {}, face, gate, marks)
    if kind is None:
        raise RefusedError("missing_field", "neither face nor card, gate or verdict")
    pictures: list[tuple[str, bytes]] = []
    picture(section(face, "FaceImage").get("Data"), "face", pictures, marks)
    picture(section(face, "PanoImage").get("Data"), "scene", pictures, marks)
    person = text(match.get("MatchPersonID"))
    person = None if person in {None, "0"} else person
    credential = None
    if kind.startswith("access."):
        number = text(card.get("CardID")) if is_card else None
        credential = CredentialUse("card", number) if is_card else CredentialUse("face") if face else None
    found = {
        "reason": reason,
        "library": text(match.get("LibID")),
        "list": {1: "blocked", 2: "strangers", 3: "staff", 4: "visitors"}.get(
            integer(match.get("LibType")) or 0
        ),
        "entered": integer(gate.get("InPersonCnt")),
        "left": integer(gate.get("OutPersonCnt")),
        "verify_mode": integer(match.get("VerifyMode")),
    }
    score = percentage(match.get("MatchFaceConfidence"))
    alive = False if status == NOT_ALIVE else None
    reading = Reading(
        kind,
        numbered("record", seq),
        when,
        late=integer(data.get("NotificationType")) == 1,
        credential=credential,
        match=DeviceMatch(person, score, alive) if person is not None or alive is not None else None,
        pictures=tuple(pictures),
        attributes=kept | {name: value for name, value in found.items() if value is not None},
        marks=(*marks, "unknown_fields") if kept else tuple(marks),
    )
    return Decoded(sender_of(data), (reading,), reply=reply, dropped=dropped)


def _verdict(
    match: Mapping[str, Any],
    status: int | None,
    card: Mapping[str, Any],
    face: Mapping[str, Any],
    gate: Mapping[str, Any],
    marks: list[str],
) -> tuple[str | None, str | None]:
    """The type, and for a refusal why. An unknown verdict is never taken for a yes."""
    of_list = integer(match.get("LibType"))
    if status in GRANTED:
        return ("access.denied", "blocked") if of_list == BLOCK_LIST else ("access.granted", None)
    if status is not None and status in DENIED:
        stranger = of_list == STRANGERS or text(match.get("MatchPersonID")) in {None, "0"}
        reason = DENIED[status]
        return "access.denied", "not_registered" if stranger and reason == "face_mismatch" else reason
    if status is not None and status not in NO_VERDICT:
        mark(marks, "undocumented_code")
    elif card:
        valid = integer(card.get("CardStatus"))
        return ("access.granted", None) if valid == 1 else ("access.denied", "not_registered")
    if face:
        return "face.captured", None
    return ("video.person_count", None) if gate else (None, None)
