"""Uniview's alarm words and numbers in our words.

Sources: the vendor's LightAPI documents as integrators quote them, NETDEV SDK headers, and captures
of NVRs, cameras and terminals in public projects.
"""

from collections.abc import Mapping
from typing import Final

# MatchStatus of a verification: whether the terminal let in, and why not.
GRANTED: Final = frozenset([1, 7])
DENIED: Final[Mapping[int, str]] = {
    2: "face_mismatch",
    3: "no_right",
    4: "expired",
    5: "refused",
    6: "refused",
    8: "face_mismatch",
    9: "refused",
    10: "refused",
    11: "refused",
}
NOT_ALIVE: Final = 6
# 21…26: somebody's picture was enrolled at the terminal, or was not.
ENROLMENT: Final = frozenset(range(21, 27))
NO_VERDICT: Final = frozenset([0, 27])
BLOCK_LIST: Final = 1
STRANGERS: Final = 2

# `AlarmType` without its On, Off, Alarm, Detection, in lower case.
ALARMS: Final[Mapping[str, str]] = {
    "crossline": "video.line_crossing",
    "linedetectorcrossed": "video.line_crossing",
    "intrusion": "video.intrusion",
    "fielddetectorobjectsinside": "video.intrusion",
    "enterarea": "video.intrusion",
    "accesszone": "video.intrusion",
    "leavearea": "video.intrusion",
    "leavezone": "video.intrusion",
    "loiter": "video.loitering",
    "loitering": "video.loitering",
    "wander": "video.loitering",
    "fastmove": "video.fast_move",
    "fastmoving": "video.fast_move",
    "gather": "video.crowd",
    "peoplegather": "video.crowd",
    "crowddensity": "video.crowd",
    "crowd": "video.crowd",
    "objectleft": "video.object_left",
    "articleleft": "video.object_left",
    "remainarticle": "video.object_left",
    "objectremoved": "video.object_removed",
    "articlemove": "video.object_removed",
    "movearticle": "video.object_removed",
    "climb": "video.climb",
    "fight": "video.fight",
    "falldown": "video.fall",
    "fall": "video.fall",
    "absence": "video.absence_from_post",
    "offduty": "video.absence_from_post",
    "highaltitudethrow": "video.parabolic",
    "parabolic": "video.parabolic",
    "elevatorentryofbicycle": "video.ebike_in_lift",
    "electricbicycle": "video.ebike_in_lift",
    "firelaneoccupied": "video.fire_lane_blocked",
    "fire": "video.fire_smoke",
    "smoke": "video.fire_smoke",
    "smokefire": "video.fire_smoke",
    "firesmoke": "video.fire_smoke",
    "parking": "parking.overstay",
    "illegalparking": "parking.overstay",
    # On a camera a tamper is a covered lens; on a terminal it is the housing.
    "tamper": "video.occlusion",
    "videotamper": "video.occlusion",
    "occlusion": "video.occlusion",
    "scenechange": "video.occlusion",
    "videoloss": "video.lost",
    "defocus": "device.fault",
    "diskabnormal": "device.fault",
    "diskoffline": "device.fault",
    "storagefull": "device.fault",
    "storagereadwriteerror": "device.fault",
    "ipconflict": "device.fault",
    "devicetamper": "device.tamper",
    "disassemble": "device.tamper",
    "dooropentimeout": "door.held_open",
    "doortimeout": "door.held_open",
    "doorforced": "door.forced",
    "doorforcedopen": "door.forced",
    "duress": "access.duress",
    "inputswitch": "alarm.intrusion",
    "alarminput": "alarm.intrusion",
    "input": "alarm.intrusion",
    "sos": "alarm.sos",
    "manual": "alarm.sos",
    "emergencybell": "alarm.sos",
}
LEAVING: Final = frozenset(["leavearea", "leavezone"])
NOT_SECURITY: Final = frozenset(
    [
        "motion", "motiondetect", "smartmotion", "smartmotiondetect", "humanshape", "humanshapedetect",
        "audio", "peoplecount", "facedetect", "bodydetect", "vehicledetect", "mixtarget",
        "objectisrecognized", "shortcircuit", "networkoffline", "networkonline", "channelonline",
        "channeloffline", "pirmotion",
    ]
)  # fmt: skip

# NETDEV_PLATE_COLOR_E. Not the numbers of GA/T 1400, which the same maker's view library uses.
COLORS: Final[Mapping[int, str]] = {
    0: "black", 1: "white", 2: "gray", 3: "red", 4: "blue", 5: "yellow", 6: "orange", 7: "brown", 8: "green",
    17: "yellow_green",
}  # fmt: skip
NO_PLATE: Final = frozenset(["unknown", "none", "无牌", "无牌车", "无车牌", "车牌", "-"])
# `ObjectType` of an alarm's related objects.
OBJECTS: Final[Mapping[int, str]] = {1: "vehicle", 2: "person", 3: "non_motor_vehicle", 4: "face"}
