"""Devices that were there and zones that were seen, as shares of a day."""

import datetime as dt

from alerts.reporting.sight import by_device, by_ring, dark_s, outages
from alerts.rules.coverage import ZoneCoverage
from alerts.rules.rule import Blind

DAY = 86_400.0
MIDNIGHT = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def after(hours: float) -> dt.datetime:
    return MIDNIGHT + dt.timedelta(hours=hours)


ZONE = ZoneCoverage(
    "garden",
    "common",
    ("cam-1", "cam-2"),
    (
        Blind("cam-1", after(0), after(6), "offline"),
        Blind("cam-1", after(10), after(11), "offline"),
        Blind("cam-2", after(5), after(7), "occluded"),
    ),
    0.8,
    ((after(5), after(6)),),
)


def test_longest_outage_comes_first_and_a_covered_camera_is_online() -> None:
    assert [(one.device, one.seconds / 3600) for one in outages([ZONE])] == [("cam-1", 6), ("cam-1", 1)]


def test_device_away_for_seven_hours_was_there_for_seventeen() -> None:
    worst, other = by_device([ZONE], DAY)
    assert (worst.key, worst.outages, worst.lost_s) == ("cam-1", 2, 7 * 3600)
    assert round(worst.share, 4) == round(17 / 24, 4)
    assert (other.key, other.share) == ("cam-2", 1.0)


def test_ring_is_its_devices_together() -> None:
    [ring] = by_ring(by_device([ZONE], DAY), DAY)
    assert (ring.key, ring.devices, ring.outages) == ("common", 2, 2)
    assert round(ring.share, 6) == round(1 - 7 / 48, 6)


def test_dark_is_when_none_saw() -> None:
    assert dark_s(ZONE) == 3600
