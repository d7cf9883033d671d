"""What a message shows of a device that nobody believes yet: for the installer, not for the event log."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from devices.adapters.contract import Decoded, Reading, SignOfLife
from devices.directory import DeviceDirectory, DeviceFacts
from devices.models import Stage
from devices.observations import Heard
from devices.rights import proves
from devices.standing import telling
from ingest.arrival import Arrival

# No clock is off by more than dates can say; of one that is, only that much is kept.
_FAR: Final = dt.timedelta(days=36500)


def watched(
    directory: DeviceDirectory, arrival: Arrival, sender: DeviceFacts, decoded: Decoded
) -> Iterator[Heard]:
    """What the message shows of each device in it that is being put into service."""
    if _is_watched(sender):
        yield _heard(arrival, sender, sender, decoded, None)
        # Nobody is heard through a gateway that is not believed itself.
        return
    said: list[Reading | SignOfLife] = [*decoded.readings, *decoded.signs]
    for name in dict.fromkeys(one.device for one in said if one.device is not None):
        device = directory.behind(sender.device_id, name)
        if device is not None and _is_watched(device):
            yield _heard(arrival, device, sender, decoded, name)


def _is_watched(device: DeviceFacts) -> bool:
    return device.enabled and device.stage != Stage.APPROVED


def _heard(
    arrival: Arrival, device: DeviceFacts, sender: DeviceFacts, decoded: Decoded, name: str | None
) -> Heard:
    readings = [one for one in decoded.readings if one.device == name]
    signs = [one for one in decoded.signs if one.device == name]
    late = arrival.retained or arrival.late or any(one.late for one in readings)
    times: list[SignOfLife | Reading] = [*signs, *readings]
    offset = next((found for one in times if (found := _offset(one, device, arrival)) is not None), None)
    facts = {key: value for one in signs for key, value in telling(one.facts).items()}
    return Heard(
        device.device_id,
        arrival.received_at,
        live=not late,
        sign_of_life=any(one.online for one in signs),
        directions=tuple((one.type, one.direction) for one in readings),
        picture=any(one.pictures for one in readings),
        clock_offset=offset,
        # By HTTP it has signed in with a secret of its own; over MQTT the broker held it to its topics.
        proved=arrival.signed_in is not None or proves(sender, arrival.topic),
        facts=facts,
    )


def _offset(said: SignOfLife | Reading, device: DeviceFacts, arrival: Arrival) -> dt.timedelta | None:
    moment = said.device_time
    if moment is None or (isinstance(said, SignOfLife) and not said.online):
        return None
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=device.time_zone).astimezone(dt.UTC)
        return max(-_FAR, min(_FAR, moment - arrival.received_at))
    except OverflowError:
        return _FAR
