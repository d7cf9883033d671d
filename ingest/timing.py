"""Which of three clocks to believe: the device's, its drift, and ours."""

import datetime as dt
from typing import Final

import msgspec

# An event that is older than this on arrival is history, not news (domain §5: live ≤ 15 s).
LIVE_WINDOW: Final = dt.timedelta(seconds=15)
# A clock may be this far off before we say so (R-D05).
SKEW_LIMIT: Final = dt.timedelta(seconds=5)
# What lies further back is no time that anybody can rely on, unless the device knows it to be
# history and its clock has been measured.
TRUSTED_BEHIND: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)


class Timing(msgspec.Struct, frozen=True):
    """When it happened as far as we can tell, whether it is late, and what was odd."""

    device_time: dt.datetime
    corrected_time: dt.datetime
    late: bool
    marks: tuple[str, ...]


def settle(
    device_time: dt.datetime | None,
    received_at: dt.datetime,
    *,
    flagged_late: bool,
    known_offset: dt.timedelta | None,
    zone_assumed: bool = False,
) -> Timing:
    """Decides an event's time.

    `known_offset` is device clock minus ours as its heartbeats showed it; heartbeats are
    never buffered, so they tell a wrong clock from an old event. `zone_assumed` where the
    device named no zone: then whole hours that it is off say which zone it is in.
    """
    if device_time is None:
        return Timing(received_at, received_at, flagged_late, ())
    corrected = device_time
    marks: tuple[str, ...] = ()
    if known_offset is not None and abs(known_offset) > SKEW_LIMIT:
        corrected = device_time - known_offset
        marks = ("clock_skew",)
        if not _is_now(corrected, received_at) and _is_now(device_time, received_at):
            # The heartbeats spoke of an older mistake, and the clock has been set since.
            corrected = device_time
    elif zone_assumed and not flagged_late and _whole_hours(device_time, received_at):
        marks = ("wrong_zone",)
    if corrected - received_at > SKEW_LIMIT:
        # Nothing happens in the future: the clock is wrong, whatever the heartbeats said. So
        # nothing that is a minute ahead is believed either.
        return Timing(device_time, received_at, flagged_late, _with_skew(marks))
    if received_at - corrected > TRUSTED_BEHIND and not (flagged_late and known_offset is not None):
        return Timing(device_time, received_at, True, _with_skew(marks))
    behind = received_at - corrected > LIVE_WINDOW
    if behind and not flagged_late:
        # Either the clock is behind or the device kept it back without saying so: both
        # mean that nobody can still be met there.
        marks = _with_skew(marks)
    return Timing(device_time, corrected, flagged_late or behind, marks)


def _with_skew(marks: tuple[str, ...]) -> tuple[str, ...]:
    return marks if "clock_skew" in marks else (*marks, "clock_skew")


def _is_now(moment: dt.datetime, received_at: dt.datetime) -> bool:
    return -SKEW_LIMIT <= received_at - moment <= LIVE_WINDOW


def _whole_hours(device_time: dt.datetime, received_at: dt.datetime) -> bool:
    """Whether it would be now, were the device in another time zone."""
    hours = round((received_at - device_time) / _HOUR)
    return 1 <= abs(hours) <= 14 and _is_now(device_time + hours * _HOUR, received_at)
