"""R-C12: a guest came in, was seen at no building and no exit since, and the pass is over."""

import dataclasses
import datetime as dt
from typing import ClassVar

import pytest
from telling import MORNING, EveryRule, at, cleared, granted, offline, online, plate, raised, seen, site, tell

from alerts.rules import PassFacts

GUEST = "R-C12"
HOUR = 3600


def guest(ends_h: float = 3, zones: frozenset = frozenset({"gate", "hall-9"})) -> PassFacts:
    return PassFacts(
        "v-1", MORNING - dt.timedelta(hours=1), MORNING + dt.timedelta(hours=ends_h), zones=zones
    )


def enters(visit: PassFacts | None = None, zone: str = "gate"):
    return granted(zone, "in", visit=visit or guest())


def leaves(visit: PassFacts | None = None):
    return granted("gate", "out", visit=visit or guest())


def at_building(zone: str = "hall-9"):
    return granted(zone, "in", visit=guest())


def extended(ends_h: float):
    return seen("visitor.extended", "gate", device="", visit=guest(ends_h))


class TestUnaccounted(EveryRule):
    rule = GUEST
    how: ClassVar = {"afterwards": dt.timedelta(hours=6)}
    story = (
        at(0, enters()),
        # The pass ends at the third hour.
        raised(3 * HOUR + 5, severity=4),
        at(4 * HOUR, leaves()),
        cleared(4 * HOUR + 5, severity=4),
    )

    def _tell(self, *story, **more: object):
        return tell(GUEST, *story, **(self.how | more))

    def test_two_hours_where_the_pass_ended_before(self) -> None:
        told = self._tell(at(0, enters(guest(1))), raised(2 * HOUR + 5, severity=4))
        assert told.only.reason_args == {"hours": 2}
        assert (told.only.subject_kind, told.only.subject) == ("pass", "v-1")

    @pytest.mark.parametrize(
        "entry",
        [
            pytest.param(seen("visitor.checked_in", "gate", visit=guest()), id="checked_in_by_the_guard"),
            pytest.param(plate("云M1A234", visit=guest()), id="by_car"),
        ],
    )
    def test_ways_in(self, entry) -> None:
        self._tell(at(0, entry), raised(3 * HOUR + 5, severity=4))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, enters()), at(600, at_building())], id="went_to_the_host"),
            pytest.param([at(0, enters()), at(600, at_building("hall-3"))], id="went_to_some_building"),
            pytest.param([at(0, enters()), at(HOUR, leaves())], id="left"),
            pytest.param(
                [at(0, enters()), at(HOUR, seen("visitor.checked_out", "gate", visit=guest()))],
                id="checked_out",
            ),
            pytest.param(
                [at(0, enters()), at(3 * HOUR - 1, leaves(), arrives=3 * HOUR + 3)], id="told_a_little_late"
            ),
            pytest.param(
                [at(0, plate("云M1A234", visit=guest())), at(HOUR, plate("云M1A234", "far-drive", "out"))],
                id="drove_out_and_only_the_plate_was_read",
            ),
            pytest.param([at(0, granted("gate", "in"))], id="no_pass"),
            pytest.param([at(0, leaves())], id="only_an_exit"),
            pytest.param([at(0, granted("garage", "in", visit=guest()))], id="never_at_a_gate"),
            pytest.param(
                [at(0, seen("visitor.checked_in", "gate", direction="out", visit=guest()))],
                id="on_the_way_out",
            ),
            pytest.param([at(0, at_building())], id="never_seen_to_come_in"),
            pytest.param([at(0, enters(guest(30)))], id="a_pass_for_longer_than_is_remembered"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        self._tell(*steps, afterwards=dt.timedelta(hours=36))

    @pytest.mark.parametrize("direction", [None, "in", "out"])
    def test_seen_on_the_square_is_seen_but_not_gone(self, direction: str | None) -> None:
        self._tell(
            at(0, enters()),
            at(HOUR, granted("square", direction, visit=guest())),
            raised(3 * HOUR + 5, severity=4),
        )

    @pytest.mark.parametrize(
        "what",
        [
            pytest.param(seen("video.line_crossing", "gate", direction="in", visit=guest()), id="a_line"),
            pytest.param(granted("gate", None, visit=guest()), id="neither_in_nor_out"),
            pytest.param(granted("garage", "in", visit=guest()), id="into_the_garage"),
        ],
    )
    def test_what_is_no_second_entry(self, what) -> None:
        self._tell(at(0, enters()), at(2.5 * HOUR, what), raised(3 * HOUR + 5, severity=4))

    @pytest.mark.parametrize(("ends_h", "raises"), [(24, True), (24.01, False)])
    def test_boundary_of_what_is_remembered(self, ends_h: float, *, raises: bool) -> None:
        told = [raised(24 * HOUR + 5, severity=4)] if raises else []
        self._tell(at(0, enters(guest(ends_h))), *told, afterwards=dt.timedelta(hours=30))

    def test_who_comes_in_again_is_asked_of_from_then_on(self) -> None:
        self._tell(
            at(0, enters(guest(1))),
            at(1800, leaves(guest(1))),
            at(3000, enters(guest(1))),
            raised(3000 + 2 * HOUR + 5, severity=4),
        )

    @pytest.mark.parametrize(("hours", "when"), [(2, 3 * HOUR), (3, 3 * HOUR), (4, 4 * HOUR)])
    def test_boundary_of_the_hours_and_the_end(self, hours: int, when: int) -> None:
        self._tell(at(0, enters()), raised(when + 5, severity=4), values={"unseen_h": hours})

    @pytest.mark.parametrize(("leaves_at", "raises"), [(3 * HOUR, False), (3 * HOUR + 1, True)])
    def test_boundary_of_the_exit(self, leaves_at: int, *, raises: bool) -> None:
        told = [raised(3 * HOUR + 5, severity=4), cleared(leaves_at + 5, severity=4)] if raises else []
        self._tell(at(0, enters()), at(leaves_at, leaves()), *told)

    def test_an_extended_pass_is_not_over(self) -> None:
        self._tell(at(0, enters()), at(2 * HOUR, extended(5)), raised(5 * HOUR + 5, severity=4))

    def test_who_still_shows_the_old_pass_has_the_new_one(self) -> None:
        self._tell(
            at(0, enters()),
            at(HOUR, extended(5)),
            at(2 * HOUR, granted("square", None, visit=guest(3))),
            raised(5 * HOUR + 5, severity=4),
        )

    def test_extended_afterwards_ends_it_until_it_is_over_again(self) -> None:
        self._tell(
            at(0, enters()),
            raised(3 * HOUR + 5, severity=4),
            at(3 * HOUR + 600, extended(5)),
            cleared(3 * HOUR + 605, severity=4),
            raised(5 * HOUR + 5, severity=4),
        )

    @pytest.mark.parametrize(
        "device", [("gate-reader", "gate"), ("far-drive-plate", "far-drive"), ("hall-9-reader", "hall-9")]
    )
    def test_blind_exits_and_the_hosts_building_are_no_proof(self, device: tuple) -> None:
        self._tell(at(0, enters()), at(HOUR, offline(*device)), at(HOUR + 60, online(*device)))

    @pytest.mark.parametrize("device", [("hall-3-reader", "hall-3"), ("gate-camera", "gate")])
    def test_blind_where_the_guest_would_not_be_seen_anyway(self, device: tuple) -> None:
        self._tell(at(0, enters()), at(HOUR, offline(*device)), raised(3 * HOUR + 5, severity=4))

    def test_blind_building_of_a_pass_that_names_none(self) -> None:
        self._tell(at(0, enters(guest(zones=frozenset()))), at(HOUR, offline("hall-3-reader", "hall-3")))

    def test_blind_way_in_is_no_way_out(self) -> None:
        plan = site()
        out = {
            name: dataclasses.replace(device, direction="out" if device.zone == "side-gate" else "in")
            for name, device in plan.devices.items()
        }
        with_exit = dataclasses.replace(plan, devices=out)
        gone = [at(HOUR, offline("gate-reader", "gate"))]
        self._tell(at(0, enters()), *gone, raised(3 * HOUR + 5, severity=4), plan=with_exit)
        self._tell(at(0, enters()), at(HOUR, offline("side-gate-reader", "side-gate")), plan=with_exit)
