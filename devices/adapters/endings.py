"""The end of what lasts: an event of the same type that says `ended`.

A crowd disperses, a lens is wiped, a vehicle drives on. Where a device says so, whoever waits for
the end need not guess. What happens in a moment (a line that is crossed, a fall, a press of a
button) has no end, and neither has an intrusion: that somebody has left the picture says nothing
of where they are.

Only a word that is said once is an end. A state that is told again and again is one where it
differs from the state before, which is the intake's to see: see `Reading.point`.
"""

from typing import Final

import msgspec

from devices.adapters.contract import Reading

LASTING: Final = frozenset(
    [
        "door.held_open",
        "vehicle.stranded",
        "parking.overstay",
        "video.loitering",
        "video.crowd",
        "video.object_left",
        "video.absence_from_post",
        "video.fire_lane_blocked",
        "video.fire_smoke",
        "video.occlusion",
        "video.lost",
        "alarm.smoke",
        "alarm.intrusion",
        "device.tamper",
    ]
)
"""Types of what goes on until a device says that it is over."""

_MOST: Final = 200
# Of pictures that were taken when it began.
_PICTURES: Final = frozenset(["picture_urls", "picture_path"])


def over(began: Reading) -> Reading | None:
    """The end of what `began` would tell of; None where that has no end.

    `began` is the message read as if it told of the beginning. Devices write both under one record
    id, and often under one time: the end gets an id of its own. Whose plate or face it was and what
    it looked like has been told; here it would pass for somebody who is seen now.
    """
    if began.type not in LASTING:
        return None
    record = began.record_id
    kept = {name: value for name, value in began.attributes.items() if name not in _PICTURES}
    return msgspec.structs.replace(
        began,
        record_id=None if record is None else f"over:{record}"[:_MOST],
        credential=None,
        plate=None,
        match=None,
        pictures=(),
        attributes=kept | {"ended": True},
        revision=None,
        as_of=None,
    )
