"""Subjects on the bus and topics of the native MQTT protocol. No personal data in either.

One JetStream stream carries everything, so that a position in it orders all changes.
"""

STREAM = "ringward"
STREAM_SUBJECTS = ["event.>", "sighting.>", "incident.>", "dispatch.>", "device.>", "command.>"]

MQTT_ROOT = "rw/v1"
# Everything a device may say under its own branch; topics that are not part of the protocol
# end as dead letters with their bytes rather than in silence.
MQTT_UPLINK = "rw/v1/+/+/up/#"


def event(compound: str, ring: str, event_type: str) -> str:
    """Where a committed event goes, e.g. `event.honghua.entrance.face.captured`.

    The ring stands in it so that pictures of gates can be taken before others. It did not
    always: `event.honghua.face.captured` may be in the stream until it is seven days old.
    """
    return f"event.{compound}.{ring}.{event_type}"


def sighting(compound: str, kind: str, outcome: str) -> str:
    """Where a recognition result goes, e.g. `sighting.honghua.face.unknown`."""
    return f"sighting.{compound}.{kind}.{outcome}"


def incident(compound: str) -> str:
    """Where every change of an incident goes."""
    return f"incident.{compound}.changed"


def dispatch(compound: str) -> str:
    """Where every change of a dispatch goes."""
    return f"dispatch.{compound}.changed"


def device(compound: str) -> str:
    """Where a device's changes of state go."""
    return f"device.{compound}.changed"


def uplink(compound: str, device_id: str, leaf: str) -> str:
    """The MQTT topic a device publishes to; `leaf` is `event` or `state`."""
    return f"{MQTT_ROOT}/{compound}/{device_id}/up/{leaf}"


def downlink(compound: str, device_id: str, leaf: str) -> str:
    """The MQTT topic a device listens to; `leaf` is `command` or `ack`."""
    return f"{MQTT_ROOT}/{compound}/{device_id}/down/{leaf}"
