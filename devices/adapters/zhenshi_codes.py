"""The numbers of 臻识 plate cameras in our words, and what becomes of each field of a record.

Source: the code tables of the vendor's HTTP push document; see `zhenshi`.
"""

from collections.abc import Mapping
from typing import Final

NO_PLATE: Final = frozenset(["_无_", "无", "无牌", "无牌车"])
COLORS: Final = {1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow_green"}
COLOR_NAMES: Final = {
    "蓝": "blue", "黄": "yellow", "白": "white", "黑": "black", "绿": "green", "黄绿": "yellow_green",
}  # fmt: skip
PLATE_TYPES: Final = {
    1: "small", 2: "black", 3: "yellow", 4: "yellow_double", 5: "police", 6: "armed_police",
    7: "personal", 8: "military", 9: "military_double", 10: "embassy", 11: "hong_kong", 12: "farm",
    13: "learner", 14: "macau", 15: "armed_police_double", 16: "armed_police_corps",
    17: "armed_police_corps_double", 18: "aviation", 19: "new_energy", 20: "new_energy_large",
    21: "emergency", 22: "consulate", 23: "new_standard_fuel", 24: "new_standard_new_energy",
    25: "airport", 26: "overseas", 29: "fake", 30: "logo", 31: "none",
}  # fmt: skip
# 0 is white, and what stands there where no car was looked at: not believed.
CAR_COLORS: Final = {
    1: "silver", 2: "yellow", 3: "pink", 4: "red", 5: "green", 6: "blue", 7: "brown", 8: "black",
}  # fmt: skip
# Across the picture: which of them leads in is a matter of how the camera hangs.
MOVING: Final = {1: "left", 2: "right", 3: "up", 4: "down"}
TRIGGERS: Final = {
    1: "automatic",
    2: "input",
    4: "software",
    8: "virtual_loop",
    64: "stranded",
    65: "stranded_over",
    66: "turned_back",
}
CLEARED: Final = 65
# Who made an output pulse: nobody (0), our command (1), the camera's own list (2).
OPENED_BY: Final = {1: "server", 2: "device_list"}
# Lane events: (type, what). Source: an integrator's table; the vendor's page names none.
LANE_EVENTS: Final = {
    81: ("video.loitering", "person_stranded"), 82: ("vehicle.stranded", "vehicle_stranded"),
    83: (None, "vehicle_passed"), 84: ("vehicle.turned_back", "vehicle_turned_back"),
    85: ("video.tailgating", "tailgating"), 96: ("video.crowd", "crowd"),
    112: ("vehicle.stranded", "non_motor_stranded"),
}  # fmt: skip
# What is over → what began it. 73 ends what no table names.
LANE_OVER: Final = {97: 96, 113: 112}
LANE_CLEARED: Final = 73

RESULT: Final[Mapping[str, str]] = {
    "license": "plate.text",
    "confidence": "plate.confidence",
    "colorType": "plate.color",
    "plateid": "record_id",
    "timeStamp": "device_time",
    "isoffline": "late",
    "triggerType": "type, attributes.trigger",
    "type": "attributes.plate_type",
    "direction": "attributes.moving",
    "carColor": "attributes.vehicle_color",
    "is_fake_plate": "attributes.fake_plate",
    "is_encrypted": "plate.text is left out, attributes.encrypted",
    "gioouts": "attributes.outputs; a second event barrier.opened where the camera's own list opened",
    "plates": "attributes.plates where there are several",
    "car_brand": "attributes.car_brand",
    "full_image_content": "pictures (scene)",
    "imageFile": "pictures (scene)",
    "small_image_content": "pictures (plate)",
    "imageFragmentFile": "pictures (plate)",
    "imagePath": "attributes.picture_path, without its query: it may be a signature",
} | dict.fromkeys(
    [
        "bright", "carBright", "colorValue", "clean_time", "timeUsed", "feature_code", "location",
        "car_location", "carlocation", "plate_distance", "plate_true_width", "license_ext_type",
        "imageFileLen", "imageFragmentFileLen", "imageFragmentPath", "imageFragmentAbsolutePath",
        "imageFragmentRelativePath", "imageAbsolutePath", "imageRelativePath", "bucket", "oss_type",
        "pos", "color",
    ],
    "not kept",
)  # fmt: skip
ALARM: Final[Mapping[str, str]] = {
    "serialno": "sender over HTTP",
    "user_data": "attributes.user_data",
    "heartbeat": "sign of life",
    "ipaddr": "facts.ip",
    "deviceName": "facts.name",
    "result": "the event",
    "channel": "not kept",
    "rule_id": "not kept",
}
