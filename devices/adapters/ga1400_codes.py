"""Code tables of GA/T 1400 (.3, as public implementations carry them), and which fields are kept."""

from typing import Final

COLORS: Final = {
    1: "black", 2: "white", 3: "grey", 4: "red", 5: "blue", 6: "yellow", 7: "orange", 8: "brown", 9: "green",
    10: "purple", 11: "cyan", 12: "pink",
}  # fmt: skip

ROLES: Final = {
    "01": "scene", "02": "plate", "03": "plate", "07": "scene", "08": "scene", "09": "vehicle", "10": "body",
    "11": "face", "12": "vehicle", "14": "scene", "100": "scene",
}  # fmt: skip

# Driver and passenger.
OCCUPANTS: Final = frozenset(["04", "05"])

# An image by itself is an event by what its analysis says it shows.
SORTS: Final = {
    3: "video.fight", 4: "video.fast_move", 10: "face.captured", 11: "face.captured",
    19: "video.line_crossing",
    20: "video.intrusion", 22: "video.loitering", 23: "video.object_left", 24: "video.object_removed",
    600: "video.parabolic", 602: "video.fight", 618: "video.absence_from_post", 619: "video.fire_smoke",
    624: "parking.overstay", 628: "video.crowd", 629: "video.ebike_in_lift", 646: "video.fire_lane_blocked",
    652: "video.absence_from_post", 656: "video.loitering", 658: "video.climb",
}  # fmt: skip

VEHICLE_KNOWN: Final = frozenset(
    [
        "MotorVehicleID", "NonMotorVehicleID", "InfoKind", "SourceID", "TollgateID", "DeviceID",
        "StorageUrl1", "StorageUrl2", "StorageUrl3", "StorageUrl4", "StorageUrl5", "MarkTime",
        "AppearTime", "DisappearTime", "PassTime", "HasPlate", "PlateColor", "PlateNo",
        "PlateReliability", "SubImageList", "InOut", "CommunityID",
    ]
)  # fmt: skip

# Where it was in the picture and what its driver did is no part of what passed.
VEHICLE_UNKEPT: Final = frozenset(
    [
        "LeftTopX", "LeftTopY", "RightBtmX", "RightBtmY", "SafetyBelt", "Calling", "Sunvisor",
        "NumOfPassenger", "IsSuspicious", "DrivingStatusCode",
    ]
)  # fmt: skip

PERSON_KEPT: Final = frozenset(
    [
        "FaceID", "PersonID", "InfoKind", "SourceID", "DeviceID", "TollgateID", "LocationMarkTime",
        "FaceAppearTime", "FaceDisAppearTime", "PersonAppearTime", "PersonDisAppearTime",
        "ShotTime", "SubImageList", "CommunityID", "DataSourceID", "LeftTopX", "LeftTopY",
        "RightBtmX", "RightBtmY",
    ]
)  # fmt: skip
