"""Which of three clocks to believe: the device's, its drift, and ours."""

import datetime as dt

import msgspec

# An event that is older than this on arrival is history, not news (domain §5: live ≤ 15 s).
LIVE_WINDOW = dt.timedelta(seconds=15)
# A clock may be this far off before we say so (R-D05).
SKEW_LIMIT = dt.timedelta(seconds=5)


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
) -> Timing:
    """Decides an event's time.

    `known_offset` is device clock minus ours as its heartbeats showed it; heartbeats are
    never buffered, so they tell a wrong clock from an old event.
    """
    if device_time is None:
        return Timing(received_at, received_at, flagged_late, ())
    corrected = device_time
    marks: tuple[str, ...] = ()
    if known_offset is not None and abs(known_offset) > SKEW_LIMIT:
        corrected = device_time - known_offset
        marks = ("clock_skew",)
    if corrected - received_at > SKEW_LIMIT:
        # Nothing happens in the future: the clock is wrong, whatever the heartbeats said.
        return Timing(device_time, received_at, flagged_late, ("clock_skew",))
    behind = received_at - corrected > LIVE_WINDOW
    if behind and not flagged_late and not marks:
        # Either the clock is behind or the device kept it back without saying so: both
        # mean that nobody can still be met there.
        marks = ("clock_skew",)
    return Timing(device_time, corrected, flagged_late or behind, marks)
