"""What Hikvision's devices say by name and by number, in our words.

Event types are those of ISAPI's `eventType`; major and minor codes those of
`AccessControllerEvent`, in the numbers of the vendor's device network SDK
(MAJOR_ALARM 1, MAJOR_EXCEPTION 2, MAJOR_OPERATION 3, MAJOR_EVENT 5, MINOR_…).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What one code means: an event of a canonical type, or `ignored`, a code for why it is none."""

    type: str = ""
    # Of an access event: card, pin, qr, face, phone, fingerprint.
    credential: str | None = None
    # Of access.denied.
    reason: str | None = None
    # What opened or closed a door, or pressed the alarm: lock, button, remote, contact.
    via: str | None = None
    ignored: str | None = None
    # It says that what lasted is over.
    ended: bool = False


def granted(credential: str | None = None) -> Meaning:
    return Meaning("access.granted", credential)


def denied(reason: str, credential: str | None = None) -> Meaning:
    return Meaning("access.denied", credential, reason)


def event(kind: str, via: str | None = None) -> Meaning:
    return Meaning(kind, via=via)


def silent(code: str) -> Meaning:
    return Meaning(ignored=code)


def ended(kind: str) -> Meaning:
    return Meaning(kind, ended=True)


FAULT: Final = event("device.fault")
TAMPER: Final = event("device.tamper")
OVER: Final = silent("no_change")
TAMPER_OVER: Final = ended("device.tamper")
SETTING: Final = silent("configuration")
HARMLESS: Final = silent("not_security")

# ISAPI eventType in lower case → meaning; plates, faces, access and alarm panels are read apart.
EVENTS: Final[Mapping[str, Meaning]] = {
    "linedetection": event("video.line_crossing"),
    "fielddetection": event("video.intrusion"),
    "regionentrance": event("video.intrusion"),
    # Whoever leaves an area intrudes no more; a line was crossed all the same.
    "regionexiting": event("video.line_crossing"),
    "loitering": event("video.loitering"),
    "group": event("video.crowd"),
    "rapidmove": event("video.fast_move"),
    "running": event("video.fast_move"),
    "parking": event("parking.overstay"),
    "unattendedbaggage": event("video.object_left"),
    "attendedbaggage": event("video.object_removed"),
    "falldown": event("video.fall"),
    "faildown": event("video.fall"),
    "violentmotion": event("video.fight"),
    "physicalconfrontation": event("video.fight"),
    "reachheight": event("video.climb"),
    "reachhight": event("video.climb"),
    "foldlinereachheight": event("video.climb"),
    "foldlinereachhight": event("video.climb"),
    "leaveposition": event("video.absence_from_post"),
    "tailgating": event("video.tailgating"),
    "tailing": event("video.tailgating"),
    "trailing": event("video.tailgating"),
    "highaltitudeparabolic": event("video.parabolic"),
    "hightossdetection": event("video.parabolic"),
    "objectsthrowndetection": event("video.parabolic"),
    "takingelevatordetection": event("video.ebike_in_lift"),
    "fireescapedetection": event("video.fire_lane_blocked"),
    "firedetection": event("video.fire_smoke"),
    "smokedetection": event("video.fire_smoke"),
    "smokeandfiredetection": event("video.fire_smoke"),
    "peoplenumchange": event("video.person_count"),
    "peoplecounting": event("video.person_count"),
    "personqueuecounting": event("video.person_count"),
    "videoloss": event("video.lost"),
    # The camera's word for a covered lens; its other one claims that somebody meant it.
    "shelteralarm": event("video.occlusion"),
    "tamperdetection": TAMPER,
    "scenechangedetection": TAMPER,
    "io": event("alarm.intrusion"),
    "pir": event("alarm.intrusion"),
    "defocus": FAULT,
    "defocusdetection": FAULT,
    "badvideo": FAULT,
    "videomismatch": FAULT,
    "videoexception": FAULT,
    "recordingfailure": FAULT,
    "recordexception": FAULT,
    "diskfull": FAULT,
    "hdfull": FAULT,
    "diskerror": FAULT,
    "hderror": FAULT,
    "diskunformat": FAULT,
    "hdbadblock": FAULT,
    "hdimpact": FAULT,
    "severehdfailure": FAULT,
    "highhdtemperature": FAULT,
    "lowhdtemperature": FAULT,
    "storagedetection": FAULT,
    "raidexception": FAULT,
    "spareexception": FAULT,
    "nicbroken": FAULT,
    "ipconflict": FAULT,
    "illaccess": FAULT,
    "poepowerexception": FAULT,
    "temperaturealarm": FAULT,
    "thermometry": FAULT,
    "tma": FAULT,
    "tmpa": FAULT,
    # Anything that moves, rain among it: no news of security by itself.
    "vmd": HARMLESS,
    "audioexception": HARMLESS,
    "duration": HARMLESS,
    "shipsdetection": HARMLESS,
    "voicetalkevent": HARMLESS,
    "facetemperaturemeasurementevent": HARMLESS,
    # An identity card that was read: a person's data and no more.
    "idcardinfoevent": HARMLESS,
    "mixedtargetdetection": HARMLESS,
}

# A camera's plates. A violation is an observation of the plate like any other.
PLATES: Final = frozenset(["anpr", "vehicleviolation", "vehiclematchresult", "tfs", "vehicledetection"])
# A face in the picture that nobody was asked about.
FACES: Final = frozenset(
    [
        "facedetection", "facesnap", "facecapture", "captureresult", "facesnapmatch", "hfpd",
    ]
)  # fmt: skip
# A face that the camera compared with its own library.
COMPARISONS: Final = frozenset(["alarmresult", "facematch", "facerecognition", "facecontrast"])

# Minor codes of MAJOR_EVENT, 5. A second factor in the name does not change what was shown first.
_EVENT: Final[dict[int, Meaning]] = {
    1: granted("card"), 2: granted("card"), 16: granted(), 34: granted("pin"),
    38: granted("fingerprint"), 40: granted("card"), 43: granted("card"), 46: granted("fingerprint"),
    54: granted("face"), 57: granted("face"), 60: granted("face"), 63: granted("face"), 66: granted("face"),
    69: granted("fingerprint"), 72: granted("fingerprint"), 75: granted("face"), 77: granted("face"),
    101: granted("pin"), 105: granted("face"), 114: granted("phone"), 153: granted(), 156: granted("qr"),
    158: granted("phone"), 159: granted("phone"), 181: granted("pin"),
    3: denied("wrong_pin", "card"), 4: denied("refused", "card"), 5: denied("too_many_tries", "card"),
    6: denied("no_right", "card"), 7: denied("no_right", "card"), 8: denied("expired", "card"),
    9: denied("no_card", "card"), 10: denied("anti_passback"), 11: denied("refused"),
    12: denied("no_right", "card"), 13: denied("no_right", "card"), 14: denied("no_right", "card"),
    15: denied("refused", "card"), 35: denied("refused"), 36: denied("refused"),
    39: denied("refused", "fingerprint"), 41: denied("refused", "card"), 42: denied("refused", "card"),
    44: denied("refused", "card"), 45: denied("refused", "card"),
    47: denied("refused", "fingerprint"), 48: denied("refused", "fingerprint"),
    49: denied("not_registered", "fingerprint"),
    55: denied("refused", "face"), 56: denied("refused", "face"), 58: denied("refused", "face"),
    59: denied("refused", "face"), 61: denied("refused", "face"), 62: denied("refused", "face"),
    64: denied("refused", "face"), 65: denied("refused", "face"), 67: denied("refused", "face"),
    68: denied("refused", "face"), 70: denied("refused", "fingerprint"), 71: denied("refused", "fingerprint"),
    73: denied("refused", "fingerprint"), 74: denied("refused", "fingerprint"),
    76: denied("face_mismatch", "face"), 78: denied("face_mismatch", "face"), 79: denied("refused", "face"),
    80: denied("face_mismatch", "face"), 94: denied("no_right", "card"), 102: denied("wrong_pin", "pin"),
    103: denied("refused", "pin"), 104: denied("face_mismatch", "face"), 112: denied("face_mismatch", "face"),
    113: denied("blocked"), 115: denied("refused", "phone"), 117: denied("refused"),
    119: denied("refused", "card"), 120: denied("anti_passback"), 139: denied("refused"),
    148: denied("too_many_tries", "pin"), 150: denied("wrong_pin", "pin"), 151: denied("wrong_pin", "pin"),
    152: denied("not_registered"), 154: denied("refused"), 155: denied("refused"),
    157: denied("refused", "qr"),
    160: denied("refused", "phone"), 161: denied("refused"), 162: denied("refused", "card"),
    163: denied("refused", "card"), 164: denied("refused", "card"), 195: denied("expired", "pin"),
    # Identified, and waiting for somebody to open from afar.
    33: denied("refused"), 50: denied("refused", "card"),
    21: event("door.opened", "lock"), 22: event("door.closed", "lock"), 23: event("door.opened", "button"),
    24: OVER, 25: event("door.opened", "contact"), 26: event("door.closed", "contact"),
    27: event("door.forced", "contact"), 28: event("door.held_open", "contact"),
    92: event("door.forced", "lock"), 93: event("door.held_open", "lock"),
    # The fire alarm's relay holds the doors open.
    52: event("alarm.smoke", "relay"), 53: ended("alarm.smoke"),
    17: SETTING, 18: SETTING, 19: SETTING, 20: SETTING, 31: SETTING, 32: SETTING, 81: SETTING, 82: SETTING,
    29: HARMLESS, 30: HARMLESS, 37: HARMLESS, 51: HARMLESS, 116: HARMLESS,
    83: FAULT, 84: FAULT, 85: FAULT, 86: FAULT, 87: FAULT, 88: FAULT, 89: FAULT, 90: FAULT, 91: FAULT,
    95: OVER, 96: OVER, 97: OVER, 98: OVER, 99: OVER, 100: OVER,
    # A turnstile with sensors of its own.
    133: event("video.tailgating"), 134: event("video.intrusion"), 135: event("door.forced"),
    136: event("video.climb"), 137: OVER, 138: event("video.intrusion"), 140: FAULT, 141: OVER, 142: FAULT,
    143: event("video.loitering"), 165: OVER, 166: FAULT, 167: SETTING,
    182: HARMLESS, 183: HARMLESS, 184: HARMLESS, 185: HARMLESS, 186: HARMLESS,
    1024: event("door.opened", "remote"),
}  # fmt: skip
# Minor codes of MAJOR_ALARM, 1. A detector's line that is cut or bridged is tampering.
_ALARM: Final[dict[int, Meaning]] = {
    # A line that is whole again (1027) says nothing of the housing: no end.
    1024: TAMPER, 1025: TAMPER, 1026: TAMPER, 1027: OVER, 1028: TAMPER, 1029: TAMPER_OVER,
    1030: TAMPER, 1031: TAMPER_OVER,
    1032: event("alarm.intrusion"), 1033: ended("alarm.intrusion"),
    1034: Meaning("access.duress"), 1035: FAULT,
    1036: denied("too_many_tries", "card"), 1037: FAULT, 1038: OVER, 1039: TAMPER, 1040: TAMPER_OVER,
    1041: HARMLESS, 1042: HARMLESS, 1043: HARMLESS, 1044: HARMLESS, 1045: FAULT, 1046: FAULT, 1047: OVER,
    1048: event("alarm.smoke", "button"), 1049: ended("alarm.smoke"), 1050: HARMLESS, 1051: OVER,
    1052: event("alarm.sos", "button"), 1053: OVER, 1054: TAMPER, 1055: TAMPER_OVER,
}  # fmt: skip
# Minor codes of MAJOR_EXCEPTION, 2, that tell of an end or of a start of the device itself.
_RECOVERED: Final = frozenset(
    [
        59, 1024, 1028, 1030, 1031, 1034, 1036, 1038, 1040, 1042, 1044, 1046, 1048, 1050, 1051, 1054, 1056,
        1058, 1060, 1062, 1065,
    ]
)  # fmt: skip
_FAULTS: Final = frozenset([39, 58, *range(1024, 1066)])
# Minor codes of MAJOR_OPERATION, 3, that move a door; the rest is somebody at the settings.
_OPERATION: Final[dict[int, Meaning]] = {
    1024: event("door.opened", "remote"),
    1025: event("door.closed", "remote"),
    1026: event("door.opened", "remote"),
    1039: granted("pin"),
}


def access_meaning(major: int, minor: int) -> tuple[Meaning | None, bool]:
    """What major and minor mean, and whether the vendor documents it; None where nobody knows."""
    match major:
        case 5:
            return _EVENT.get(minor), True
        case 1:
            return _ALARM.get(minor), True
        case 2:
            return (OVER if minor in _RECOVERED else FAULT), minor in _FAULTS
        case 3:
            return _OPERATION.get(minor, SETTING), True
        case _:
            return None, False


# Contact ID (SIA DC-05) as an alarm panel reports it: the three digits of the kind of event.
def panel_meaning(code: int) -> Meaning | None:
    """An event code of an alarm panel: 1130 is a burglary's start, 3130 its end."""
    qualifier, kind = divmod(code, 1000)
    if qualifier == 3:
        return SETTING if 400 <= kind < 500 else OVER
    if 100 <= kind <= 109 or kind in {120, 123}:
        return event("alarm.sos")
    if kind == 121:
        return Meaning("access.duress")
    if 110 <= kind <= 118:
        return event("alarm.smoke")
    if kind in {137, 144, 145, 383}:
        return TAMPER
    if 122 <= kind <= 149:
        return event("alarm.intrusion")
    if 300 <= kind < 400:
        return FAULT
    return SETTING if 400 <= kind < 700 else None


# Plate colours by name (ISAPI) and by number (the platform's dictionary of plate colours).
PLATE_COLORS: Final[Mapping[str, str]] = {
    "blue": "blue",
    "yellow": "yellow",
    "white": "white",
    "black": "black",
    "green": "green",
    "red": "red",
    "newenergygreen": "green",
    "newenergyyellowgreen": "yellow_green",
    "yellowgreen": "yellow_green",
    "civilaviationblack": "black",
    "civilaviationgreen": "green",
    "0": "blue",
    "1": "yellow",
    "2": "white",
    "3": "black",
    "4": "green",
    "5": "black",
}
NO_PLATE: Final = frozenset(
    [
        "unknown", "noplate", "none", "null", "未识别", "未知", "无车牌", "车牌", "无牌",
    ]
)  # fmt: skip
