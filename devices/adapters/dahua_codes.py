"""Dahua's event codes and numbers in our words.

Sources: the vendor's HTTP API and NetSDK headers as public integrations quote them
(`ALARM_ACCESS_CTL_EVENT_INFO`, `EVENT_IVS_*`), elad-bar/DahuaVTO2MQTT, rroller/dahua, and
integrators' captures of terminals, gate cameras and door stations. Intelbras and Imou devices are
Dahua's and speak the same.
"""

from collections.abc import Mapping
from typing import Final

# What `_code` finds by is the code in lower case.
EVENTS: Final[Mapping[str, str]] = {
    "crosslinedetection": "video.line_crossing",
    "crossregiondetection": "video.intrusion",
    "intrusiondetection": "video.intrusion",
    "crossfencedetection": "video.climb",
    "climbdetection": "video.climb",
    "leftdetection": "video.object_left",
    "takenawaydetection": "video.object_removed",
    "wanderdetection": "video.loitering",
    "staydetection": "video.loitering",
    "rioterdetection": "video.crowd",
    "crowddetection": "video.crowd",
    "fightdetection": "video.fight",
    "movedetection": "video.fast_move",
    "rundetection": "video.fast_move",
    "tumbledetection": "video.fall",
    "falldetection": "video.fall",
    "taildetection": "video.tailgating",
    "leavepostdetection": "video.absence_from_post",
    "psabsentdetection": "video.absence_from_post",
    "hightossdetect": "video.parabolic",
    "nonmotorentring": "video.ebike_in_lift",
    "elevatornonmotordetection": "video.ebike_in_lift",
    "firelanedetection": "video.fire_lane_blocked",
    "firewarning": "video.fire_smoke",
    "firedetection": "video.fire_smoke",
    "smokedetection": "video.fire_smoke",
    "numberstat": "video.person_count",
    "mannumdetection": "video.person_count",
    "parkingdetection": "parking.overstay",
    "videoblind": "video.occlusion",
    "videoabnormaldetection": "video.occlusion",
    "scenechange": "video.occlusion",
    "videoloss": "video.lost",
    "videounfocus": "device.fault",
    "storagenotexist": "device.fault",
    "storagefailure": "device.fault",
    "storagelowspace": "device.fault",
    "harddiskfailure": "device.fault",
    "powerfault": "device.fault",
    "fanfault": "device.fault",
    "ipconflict": "device.fault",
    "chassisintruded": "device.tamper",
    "tamperalarm": "device.tamper",
    # The wired zone of a terminal or camera. On a doorbell it is the button: leave it out there.
    "alarmlocal": "alarm.intrusion",
    "urgencyalarm": "alarm.sos",
    "emergencycall": "alarm.sos",
    "sosalarm": "alarm.sos",
    "breakin": "door.forced",
    "doornotclosed": "door.held_open",
    "duress": "access.duress",
    "repeatenter": "access.denied",
    "maliciousaccesscontrol": "access.denied",
}
PLATES: Final = frozenset(
    [
        "trafficjunction", "trafficgate", "traffictollgate", "trafficmanualsnap", "trafficparking",
        "trafficparkingspaceparking", "trafficparkingspacenoparking", "parkingspaceparking",
        "platedetection", "anpr", "trafficsnap", "trafficcarpass", "trafficallowlist", "trafficblacklist",
    ]
)  # fmt: skip
_NOT_SECURITY: Final = frozenset(
    [
        "videomotion", "videomotioninfo", "smartmotionhuman", "smartmotionvehicle", "humantrait",
        "audiomutation", "audioanomaly", "smokingdetection", "phonecalldetect", "callnoanswered",
        "ignoreinvite", "invite", "callsnap", "requestcallstate", "passivehungup", "hungup",
        "_dotalkaction_", "button", "buttonexit", "fingerprintcheck", "accesssnap", "loginfailure",
        "dooropenmethod", "addcard", "sendcard", "doorcard", "backkeylight", "objectdetection",
        "trafficflowstat", "trafficqueuestat", "intelliframe", "vehicledetection",
    ]
)  # fmt: skip
_CONFIGURATION: Final = frozenset(
    [
        "timechange", "ntpadjusttime", "keeplighton", "backlighton", "backlightoff", "apconnect",
        "rtspsessiondisconnect", "sipregisterresult", "dgserrorreport", "networkchange", "updatefile",
        "upgrade", "reboot", "shutdown", "newfile", "intervideoaccess", "remotelink", "configchange",
        "dispatchdata", "ledscreen", "upgradestate", "doorcontrol", "securityimexport",
    ]
)  # fmt: skip
IGNORED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_NOT_SECURITY, "not_security"),
    **dict.fromkeys(_CONFIGURATION, "configuration"),
    # Temperatures of a fire that FireWarning told of, several a second.
    "firewarninginfo": "no_change",
}

# How a way was opened, as (word, credential). On the wire these are one less than the constants
# of NetSDK (`NET_ACCESS_DOOROPEN_METHOD`), where 15 is a QR code and 16 a face.
METHODS: Final[Mapping[int, tuple[str, str | None]]] = {
    0: ("pin", "pin"), 1: ("card", "card"), 2: ("card_then_pin", "card"), 3: ("pin_then_card", "card"),
    4: ("remote", None), 5: ("button", None), 6: ("fingerprint", None), 7: ("pin_card_fingerprint", "card"),
    9: ("pin_fingerprint", "pin"), 10: ("card_fingerprint", "card"), 11: ("several_people", None),
    12: ("key", None), 13: ("duress_pin", "pin"), 14: ("qr", "qr"), 15: ("face", "face"),
    16: ("face", "face"),
}  # fmt: skip
DURESS_PIN: Final = 13

# NetSDK's `nErrorCode`, written in hexadecimal there and in decimal on the wire.
REASONS: Final[Mapping[int, str]] = {
    0x10: "no_right", 0x11: "blocked", 0x12: "no_right", 0x13: "refused", 0x14: "expired",
    0x15: "anti_passback", 0x17: "refused", 0x18: "refused", 0x1A: "refused", 0x20: "no_right",
    0x21: "no_right", 0x30: "refused", 0x40: "wrong_pin", 0x41: "refused", 0x42: "refused",
    0x43: "refused", 0x44: "wrong_pin", 0x45: "refused", 0x50: "refused", 0x51: "refused",
    0x60: "no_right", 0x61: "face_mismatch", 0x62: "refused", 0x63: "anti_passback", 0x64: "no_right",
}  # fmt: skip
UNAUTHORISED: Final = 0x10
UNDER_DURESS: Final = 0x16
PATROL_CARD: Final = 0x19

# What set off an alarm zone of an indoor station.
ZONES: Final[Mapping[str, str]] = {
    "smokingsensor": "alarm.smoke",
    "smokesensor": "alarm.smoke",
    "gassensor": "alarm.smoke",
    "urgencybutton": "alarm.sos",
    "emergencybutton": "alarm.sos",
}

COLORS: Final[Mapping[str, str]] = {
    "blue": "blue", "yellow": "yellow", "white": "white", "black": "black", "green": "green",
    "red": "red", "yellowgreen": "yellow_green", "shadowgreen": "green", "gradientgreen": "green",
    "yellowbottomblacktext": "yellow", "bluebottomwhitetext": "blue", "blackbottomwhitetext": "black",
}  # fmt: skip
NO_PLATE: Final = frozenset(
    ["unlicensed", "unknown", "unknow", "noplate", "no_plate", "无牌车", "无车牌", "无牌", "--", "-"]
)
