"""R-E02: a visitor's time is over, and the visitor is still here."""

import dataclasses
import datetime as dt

import pytest
from telling import (
    MORNING,
    EveryRule,
    Seen,
    at,
    barrier_opened,
    cleared,
    granted,
    local,
    offline,
    online,
    plate,
    raised,
    seen,
    site,
    tell,
)

from alerts.rules import PassFacts, Site, SiteDevice

# The pass ends half an hour into the story; half an hour of grace, and five seconds for what is on its way.
ENDS = 1800.0
RAISED = ENDS + 1800 + 5
PLATE = "云M7K2P5"
VISIT = PassFacts(
    "visit-1",
    MORNING - dt.timedelta(hours=2),
    MORNING + dt.timedelta(seconds=ENDS),
    host_household="h-9",
    zones=frozenset({"gate", "drive", "square", "hall-9"}),
    uses=1,
)


def with_ways_out() -> Site:
    """The usual compound, with a reader beside the gate and a plate camera on the drive for who leaves."""
    plan = site()
    out = [
        SiteDevice("gate-reader-out", "gate", "turnstile", "gate-out", "out"),
        SiteDevice("drive-plate-out", "drive", "plate_camera", "drive-out", "out"),
    ]
    return Site(plan.zones, dict(plan.devices) | {device.id: device for device in out})


def comes(zone: str = "gate", direction: str | None = "in", visit: PassFacts = VISIT) -> Seen:
    return granted(zone, direction, visit=visit)


def leaves(zone: str = "gate") -> Seen:
    return seen("access.granted", zone, device=f"{zone}-reader-out", direction="out", visit=VISIT)


def expired(visit: PassFacts = VISIT, **facts: object) -> Seen:
    return seen("visitor.expired", "hall-9", device="hall-9", visit=visit, **facts)


def extended(until: float) -> Seen:
    longer = dataclasses.replace(VISIT, ends_at=MORNING + dt.timedelta(seconds=until))
    return seen("visitor.extended", "hall-9", device="hall-9", visit=longer)


def checked_out() -> Seen:
    return seen("visitor.checked_out", "gate", direction="out", visit=VISIT)


class TestVisitorOverstayed(EveryRule):
    rule = "R-E02"
    how = {"plan": with_ways_out()}  # noqa: RUF012
    story = (
        at(0, comes()),
        at(60, comes("hall-9")),
        at(ENDS, expired()),
        raised(RAISED, severity=4),
        at(RAISED + 600, leaves()),
        cleared(RAISED + 605, severity=4),
    )

    def tell(self, *story: object, **how: object) -> None:
        tell(self.rule, *story, **({"plan": with_ways_out()} | how))

    def test_by_night_it_is_a_warning_whenever_the_pass_ended(self) -> None:
        # It ends at 22:29:55; half an hour and 5 s later it is eleven at night, or a second short of it.
        for second, severity in [(55, 3), (54, 4)]:
            begins = local(21, 59) + dt.timedelta(seconds=second)
            self.tell(at(0, comes()), at(ENDS, expired()), raised(RAISED, severity=severity), begins=begins)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, comes()), at(600, leaves())], id="left_long_before"),
            pytest.param([at(0, comes()), at(ENDS + 1800, leaves())], id="left_in_the_last_second_of_grace"),
            pytest.param(
                [at(0, comes()), at(ENDS + 1799, leaves(), arrives=ENDS + 1804)], id="exit_that_is_told_late"
            ),
            pytest.param([at(0, comes()), at(900, checked_out())], id="guard_saw_them_leave"),
            pytest.param([at(0, comes()), at(900, extended(7200))], id="extended_before_the_end"),
            pytest.param([at(0, comes()), at(ENDS + 900, extended(7200))], id="extended_after_the_end"),
            pytest.param([], id="never_came"),
            pytest.param([at(0, comes(visit=dataclasses.replace(VISIT, id="visit-2")))], id="another_came"),
            pytest.param(
                [at(0, comes(direction=None)), at(900, comes(direction=None))], id="gate_tells_no_direction"
            ),
            pytest.param(
                [at(0, comes()), at(0.6, comes()), at(1, comes()), at(600, leaves()), at(601, leaves())],
                id="each_passage_told_more_than_once",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        self.tell(*steps, at(ENDS, expired()))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, comes(direction=None))], id="only_passage_of_a_gate_without_directions"),
            pytest.param([at(0, comes()), at(300, leaves()), at(900, comes())], id="went_out_and_came_back"),
            pytest.param(
                [at(0, comes()), at(300, leaves()), at(900, comes("hall-9"))], id="seen_inside_since"
            ),
            pytest.param([at(0, comes()), at(300, comes("hall-9", "out"))], id="left_the_building_only"),
            pytest.param([at(0, seen("visitor.checked_in", "gate", visit=VISIT))], id="let_in_by_the_guard"),
            pytest.param([at(0, comes()), at(900, extended(ENDS - 600))], id="shortened"),
            pytest.param([at(0, comes()), at(600, leaves(), late=True)], id="left_as_a_late_record_says"),
        ],
    )
    def test_raises(self, steps: list) -> None:
        self.tell(*steps, at(ENDS, expired()), raised(RAISED, severity=4))

    @pytest.mark.parametrize(("exit_at", "speaks"), [(0, False), (1, True), (4.9, True)])
    def test_boundary_of_the_grace_does_not_depend_on_what_comes_in_first(
        self, exit_at: float, *, speaks: bool
    ) -> None:
        gone = ENDS + 1800 + exit_at
        for arrives in (gone, gone + 4.9):
            after = max(gone + 5, arrives)
            said = [raised(RAISED, severity=4), cleared(after, severity=4)] if speaks else []
            self.tell(at(0, comes()), at(ENDS, expired()), at(gone, leaves(), arrives=arrives), *said)

    @pytest.mark.parametrize(
        ("grace_min", "minutes", "speaks"), [(30, 30, False), (29, 30, True), (31, 31, False)]
    )
    def test_boundary_of_the_parameter(self, grace_min: int, minutes: int, *, speaks: bool) -> None:
        gone = ENDS + 60 * minutes
        said = (
            [raised(ENDS + 60 * grace_min + 5, severity=4), cleared(gone + 5, severity=4)] if speaks else []
        )
        self.tell(
            at(0, comes()), at(ENDS, expired()), at(gone, leaves()), *said, values={"grace_min": grace_min}
        )

    def test_clears_when_the_pass_is_extended_afterwards(self) -> None:
        self.tell(
            at(0, comes()),
            at(ENDS, expired()),
            raised(RAISED, severity=4),
            at(RAISED + 300, extended(14400)),
            cleared(RAISED + 305, severity=4),
        )

    def test_new_end_of_an_extended_pass_is_asked_for_by_itself(self) -> None:
        later = dataclasses.replace(VISIT, ends_at=MORNING + dt.timedelta(seconds=5400))
        self.tell(
            at(0, comes()),
            at(900, extended(5400)),
            at(ENDS, expired()),
            at(5400, expired(later)),
            raised(5400 + 1805, severity=4),
        )

    def test_visitor_by_car_has_left_when_the_car_has(self) -> None:
        comes_by_car = at(0, plate(PLATE, plate_welcome=True, visit=VISIT))
        drives_out = seen(
            "plate.recognised", "drive", device="drive-plate-out", direction="out", plate=PLATE, score=0.97
        )
        by_car = expired(plate=PLATE)
        self.tell(comes_by_car, at(3, barrier_opened()), at(600, drives_out), at(ENDS, by_car))
        self.tell(
            comes_by_car,
            at(ENDS, by_car),
            raised(RAISED, severity=4),
            at(RAISED + 900, drives_out),
            cleared(RAISED + 905, severity=4),
        )

    @pytest.mark.parametrize("device", ["gate-reader-out", "drive-plate-out"])
    def test_blind_way_out_may_have_let_them_out(self, device: str) -> None:
        zone = device.partition("-")[0]
        self.tell(
            at(0, comes()), at(300, offline(device, zone)), at(500, online(device, zone)), at(ENDS, expired())
        )

    def test_blind_way_out_says_nothing_of_somebody_seen_inside_afterwards(self) -> None:
        self.tell(
            at(0, comes()),
            at(300, offline("gate-reader-out", "gate")),
            at(500, online("gate-reader-out", "gate")),
            at(900, comes("hall-9")),
            at(ENDS, expired()),
            raised(RAISED, severity=4),
        )

    def test_blind_way_in_lets_nobody_out(self) -> None:
        self.tell(
            at(0, comes()),
            at(300, offline("gate-reader", "gate")),
            at(ENDS, expired()),
            raised(RAISED, severity=4),
        )

    def test_where_nobodys_leaving_is_told_nothing_follows_from_not_seeing_it(self) -> None:
        """A button opens these gates from inside; but guards who check visitors out make it known."""
        tell(self.rule, at(0, comes()), at(ENDS, expired()))
        another = seen("visitor.checked_out", "side-gate", visit=dataclasses.replace(VISIT, id="visit-2"))
        tell(self.rule, at(0, comes()), at(900, another), at(ENDS, expired()), raised(RAISED, severity=4))

    def test_what_it_stands_on(self) -> None:
        told = tell(
            self.rule, at(0, comes()), at(ENDS, expired()), raised(RAISED, severity=4), plan=with_ways_out()
        )
        signal = told.only
        assert (signal.kind, signal.subject_kind, signal.subject) == ("visitor.overstayed", "pass", "visit-1")
        assert [one.type for one in signal.evidence] == ["visitor.expired", "access.granted"]
        assert signal.reason_args == {"pass": "visit-1", "grace_min": 30, "night": False}
