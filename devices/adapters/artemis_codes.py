"""The event codes of Hikvision's iSecure Center (Artemis), in our words.

Source: the open platform's appendix of events, 2021, chapters D1 video, D2 cards, D3 vehicles,
D4 alarms, D5 faces.
"""

from typing import Final

from devices.adapters.hikvision_codes import (
    FAULT,
    HARMLESS,
    OVER,
    SETTING,
    TAMPER,
    TAMPER_OVER,
    Meaning,
    denied,
    event,
    granted,
)

DURESS: Final = Meaning("access.duress")
_INTRUSION: Final = event("alarm.intrusion")
_SMOKE: Final = event("alarm.smoke")
_FIRE_SEEN: Final = event("video.fire_smoke")

VIDEO: Final[dict[int, Meaning]] = {
    131329: event("video.lost"), 131330: event("video.occlusion"), 131331: HARMLESS,
    131585: event("video.line_crossing"), 131586: event("video.intrusion"),
    131587: event("video.line_crossing"),
    131588: event("video.intrusion"), 131590: event("video.loitering"), 131591: event("parking.overstay"),
    131592: event("video.fast_move"), 131593: event("video.crowd"), 131594: event("video.object_left"),
    131595: event("video.object_removed"), 131596: event("video.fight"), 131597: event("video.climb"),
    131603: event("video.absence_from_post"), 131604: event("video.tailgating"), 131605: event("video.fall"),
    131607: event("video.climb"), 131611: event("video.line_crossing"), 131664: event("video.person_count"),
    131612: TAMPER, 131613: FAULT, 589825: _INTRUSION,
    192513: _FIRE_SEEN, 192514: _FIRE_SEEN, 192515: _FIRE_SEEN, 192517: FAULT, 192518: FAULT,
    # Cash machines, cells, ships and noise: nothing that a compound has.
    131598: HARMLESS, 131599: HARMLESS, 131600: HARMLESS, 131601: HARMLESS, 131602: HARMLESS,
    131606: HARMLESS,
    131608: HARMLESS, 131609: HARMLESS, 131610: HARMLESS, 131665: HARMLESS, 131666: HARMLESS,
    131667: HARMLESS,
    192516: HARMLESS, 196355: HARMLESS, 851969: HARMLESS,
}  # fmt: skip

ACCESS: Final[dict[int, Meaning]] = {
    198913: granted(), 198914: granted("card"), 198915: granted("card"), 198918: granted("card"),
    198921: granted("card"), 196874: granted("card"), 196875: granted("card"), 196883: granted(),
    196884: granted("pin"), 196868: granted("card"), 196885: granted("card"), 196886: granted("card"),
    196887: granted("fingerprint"), 196888: granted("face"), 196889: granted("face"), 196890: granted("face"),
    196891: granted("face"), 196892: granted("face"), 196893: granted("face"), 196897: granted("pin"),
    197127: granted("fingerprint"), 197162: granted("face"),
    # Identified, and waiting for somebody to open from afar.
    197390: denied("refused"),
    197121: denied("wrong_pin", "pin"), 197122: denied("no_card", "card"),
    197123: denied("wrong_pin", "card"),
    197124: denied("no_card", "card"), 197125: denied("no_card", "card"),
    197128: denied("refused", "fingerprint"), 197134: denied("refused", "card"),
    197136: denied("refused", "card"),
    197137: denied("refused", "card"), 197138: denied("refused", "fingerprint"),
    197140: denied("not_registered", "fingerprint"), 197141: denied("refused", "face"),
    197142: denied("refused", "face"), 197143: denied("refused", "face"), 197144: denied("refused", "face"),
    197145: denied("refused", "face"), 197146: denied("refused", "face"), 197147: denied("refused", "face"),
    197148: denied("refused", "face"), 197149: denied("refused", "face"), 197150: denied("refused", "face"),
    197151: denied("face_mismatch", "face"), 197158: denied("wrong_pin", "pin"),
    197160: denied("face_mismatch", "face"), 197161: denied("face_mismatch", "face"),
    197163: denied("face_mismatch", "face"),
    197377: denied("no_right"), 197378: denied("no_right"), 197383: denied("anti_passback"),
    197384: denied("no_right"), 197391: denied("no_right", "card"), 197392: denied("no_right", "card"),
    197393: denied("wrong_pin", "pin"), 197394: denied("refused"), 197395: denied("no_right", "card"),
    197396: denied("no_right", "card"), 197397: denied("no_right", "card"),
    197399: denied("no_right", "card"),
    197400: denied("refused"), 197401: denied("refused"), 197633: denied("expired", "card"),
    197634: denied("no_card", "card"), 197635: denied("no_right", "card"), 197889: denied("blocked"),
    198145: denied("refused", "card"), 198146: denied("refused"), 198149: denied("anti_passback", "card"),
    198658: denied("refused"), 199429: denied("too_many_tries", "card"),
    199425: DURESS, 199428: DURESS,
    198400: event("door.held_open"), 198657: event("door.forced"),
    198916: event("door.opened", "button"), 198919: event("door.opened", "remote"),
    198922: event("door.opened", "remote"), 199169: event("door.closed"),
    199171: event("door.closed", "remote"),
    199941: event("door.opened", "lock"), 199942: event("door.closed", "lock"),
    199708: TAMPER, 200453: TAMPER, 199709: TAMPER_OVER, 200454: TAMPER_OVER, 200456: OVER, 199681: OVER,
    200455: FAULT, 199714: FAULT, 199712: OVER, 199713: SETTING, 199715: HARMLESS,
    198148: SETTING, 198150: SETTING, 198401: SETTING, 198402: SETTING, 198404: SETTING, 198405: SETTING,
    199172: SETTING,
}  # fmt: skip

INTERCOM: Final[dict[int, Meaning]] = {
    983297: granted("pin"), 983298: DURESS, 983299: granted("card"), 983300: granted("phone"),
    983301: event("door.opened", "remote"), 983302: TAMPER, 983303: DURESS,
    983304: denied("wrong_pin", "pin"),
    983305: FAULT, 983306: event("door.held_open"), 983307: granted("phone"), 983308: granted("qr"),
    983309: granted("face"), 983310: granted("fingerprint"), 983553: event("alarm.sos"), 983554: HARMLESS,
    983555: _INTRUSION, 983556: _SMOKE, 983557: _SMOKE, 983558: _INTRUSION, 983559: _INTRUSION,
    983560: event("alarm.sos", "button"), 983561: DURESS, 983562: DURESS,
    983563: event("door.forced", "lock"),
    983564: denied("too_many_tries"), 983565: FAULT,
}  # fmt: skip

VISITORS: Final[dict[int, Meaning]] = {
    1392513025: event("visitor.checked_in"),
    1392513026: event("visitor.checked_out"),
}

# A plate that was read; what the platform did with it stands in `released` and `blocked`.
PARKING: Final = frozenset([771756034, 771760130, 771760131, 771760133, 771760134, 771764226, 771764227])
RELEASED: Final = frozenset([771760131, 771760134])
BLOCKED_CAR: Final = frozenset([771756034, 1157632002])
SPACE_TAKEN: Final = 771764225
SPACES: Final = {771764226: "parked", 771764227: "left"}
INBOUND: Final = frozenset([771760130, 771760131])
OUTBOUND: Final = frozenset([771760133, 771760134])
CHECKPOINTS: Final = {
    1157632001: None, 1157632002: None, 1157632003: "speeding", 1157632004: "wrong_way",
    1157632005: "parking",
}  # fmt: skip

FACES: Final = {
    # 132865: a face that is seen often, by no name.
    131614: "face.captured", 132865: "face.captured",
    131659: "face.identified", 1644175361: "face.identified", 1644171265: "face.unknown",
}  # fmt: skip

ALARMS: Final[dict[int, Meaning]] = {
    327681: _INTRUSION, 327687: event("alarm.sos", "button"), 327937: SETTING, 327938: SETTING,
    327939: SETTING,
    327940: SETTING, 327941: OVER,
    # Fire: what a camera sees, what a detector senses, what somebody presses.
    254098: event("video.absence_from_post"), 254101: event("video.ebike_in_lift"),
    254103: event("video.fire_lane_blocked"), 254097: event("video.fire_lane_blocked"),
    254102: event("video.object_removed"), 254211: event("video.intrusion"), 254100: _FIRE_SEEN,
    254104: _FIRE_SEEN,
    254138: _FIRE_SEEN, 254212: _FIRE_SEEN, 254099: HARMLESS, 254204: HARMLESS,
    254075: _SMOKE, 254022: _SMOKE, 254047: _SMOKE, 254069: _SMOKE, 254011: _SMOKE, 254043: _SMOKE,
    254166: _SMOKE,
    254005: event("alarm.smoke", "button"), 254014: event("alarm.smoke", "button"),
    254063: event("alarm.smoke", "button"), 254073: event("alarm.smoke", "button"),
    254108: TAMPER, 254119: TAMPER, 254174: TAMPER, 254112: event("video.occlusion"),
    254033: FAULT, 254034: FAULT, 254057: FAULT, 254080: FAULT, 254083: FAULT, 254207: FAULT, 254208: FAULT,
    253956: FAULT, 253999: FAULT, 254002: FAULT, 254021: FAULT, 254023: FAULT, 254046: FAULT, 254125: FAULT,
    254126: FAULT, 254164: FAULT, 254169: FAULT, 254170: FAULT, 254184: FAULT, 254185: FAULT,
    254064: FAULT, 254065: FAULT, 254066: FAULT, 254078: FAULT, 254109: FAULT, 254110: FAULT, 254111: FAULT,
    254171: FAULT, 254172: FAULT, 254173: FAULT, 254175: FAULT, 254030: FAULT, 254038: FAULT, 254086: FAULT,
    254116: FAULT, 254117: FAULT, 254118: FAULT, 254120: FAULT, 254178: FAULT, 254179: FAULT,
    254129: OVER, 254132: OVER, 254135: OVER, 254136: OVER, 254137: OVER, 254143: OVER, 254161: OVER,
    254180: OVER,
    254181: OVER, 254182: OVER,
    # Values as they stand, told all day.
    **dict.fromkeys(
        [
            253958, 254001, 254004, 254012, 254024, 254044, 254045, 254054, 254059, 254070, 254084, 254087,
            254090,
            254091, 254115, 254155, 254156, 254160, 254165, 254177, 254186, 254187, 254188, 254189, 254190,
            254191,
            254192, 254193, 254194, 254196, *range(459009, 459031),
        ],
        HARMLESS,
    ),
    **dict.fromkeys(range(459264, 459301), FAULT), 459309: _INTRUSION, 459537: FAULT,
}  # fmt: skip

MEANINGS: Final[dict[int, Meaning]] = VIDEO | ACCESS | INTERCOM | VISITORS | ALARMS

# Online or not: no events, but signs of life of what hangs on the platform.
GONE: Final = frozenset([199710, 889196545, 254114])
BACK: Final = frozenset([199711])
