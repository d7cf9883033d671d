"""What devices, and recognition for them, may tell (domain §2.8), for rules that look at all of it."""

from typing import Final

PASSAGES: Final = frozenset(
    {
        *("access.granted", "door.opened", "door.closed", "barrier.opened", "barrier.closed"),
        *("face.identified", "face.unknown", "face.uncertain"),
        *("plate.recognised", "plate.uncertain", "plate.none"),
        *("video.line_crossing", "video.person_count", "care.activity"),
    }
)
"""What people do one after the other: a school run is not a storm."""
OTHERS: Final = frozenset(
    {
        *("access.denied", "access.duress", "door.forced", "door.held_open"),
        *("vehicle.stranded", "vehicle.turned_back", "parking.overstay"),
        *("video.intrusion", "video.loitering", "video.crowd", "video.tailgating", "video.fast_move"),
        *("video.fall", "video.climb", "video.object_left", "video.object_removed", "video.fight"),
        *("video.absence_from_post", "video.parabolic", "video.ebike_in_lift", "video.fire_lane_blocked"),
        *("video.fire_smoke", "video.occlusion", "video.lost"),
        *("alarm.sos", "alarm.smoke", "alarm.intrusion", "device.tamper", "device.fault"),
    }
)
