"""R-X01: somebody whom nobody vouches for goes deeper, ring by ring: one incident, which climbs."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    amended,
    at,
    barrier_opened,
    denied,
    door_opened,
    face_of,
    face_unknown,
    granted,
    plate,
    raised,
    rules_named,
    run,
    seen,
    tell,
)

from alerts.rules import PersonFacts, RuleBook, with_values

RULES_OF_THE_WAY = ("R-X01", "R-E01", "R-C01", "R-B05")
RESIDENT = {"person": PersonFacts("p-1", belongs=True)}
GUARD = {"person": PersonFacts("p-2", staff=True)}


def loitering(zone: str = "bike-shed", dwell_s: float = 185):
    return seen("video.loitering", zone, attributes={"dwell_s": dwell_s})


def forced(zone: str = "hall-9"):
    return seen("door.forced", zone)


def slips_in(second: float = 0, zone: str = "gate") -> tuple:
    return at(second, face_unknown(zone)), at(second + 2, door_opened(zone))


IN = raised(15, severity=4, rule="R-E01")
# The step joins, and then the rule of the ring has its own word in the same incident.
LOITERS = (amended(185, severity=3, rule="R-E01"), amended(185, severity=3, rule="R-E01"))
BREAKS_IN = (amended(480, severity=1, rule="R-E01"), amended(480, severity=1, rule="R-E01"))


class TestRingEscalation(EveryRule):
    rule = "R-X01"
    how = {"beside": ("R-E01", "R-C01", "R-B05")}  # noqa: RUF012 - as the mixin reads it
    story = (
        *slips_in(),
        at(180, loitering()),
        at(480, forced()),
        IN,
        *LOITERS,
        *BREAKS_IN,
    )

    def told(self, *steps, **how):
        return run(rules_named(*RULES_OF_THE_WAY), steps, **how)

    def test_one_incident_with_the_evidence_of_all_steps_and_a_warning_that_it_is_probable(self) -> None:
        (case,) = self.told(*slips_in(), at(180, loitering()), at(480, forced())).cases
        last = next(signal for signal in reversed(case.signals) if signal.rule == "R-X01")
        assert [one.type for one in last.evidence] == [
            "face.unknown",
            "door.opened",
            "video.loitering",
            "door.forced",
        ]
        assert last.probable
        assert last.reason == "ring_escalation_probable"
        assert case.severity == 1

    def test_by_night_it_begins_as_a_warning(self) -> None:
        changes = self.told(*slips_in(), at(180, loitering()), at(480, forced()), begins=NIGHT).changes
        levels = [change.severity for change in changes]
        assert levels[0] == 3
        assert levels[-1] == 1
        assert levels == sorted(levels, reverse=True)

    def test_a_door_that_is_only_tried_is_urgent(self) -> None:
        told = self.told(*slips_in(), at(180, loitering()), at(480, denied("hall-9")))
        assert [case.severity for case in told.cases] == [2]

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([*slips_in(), at(480, forced())], id="nobody_in_between"),
            pytest.param([at(180, loitering()), at(480, forced())], id="nobody_came_in"),
            pytest.param([at(0, loitering()), *slips_in(180)], id="the_other_way_round"),
            pytest.param(
                [*slips_in(), at(150, face_of("p-1", "bike-shed", **RESIDENT)), at(180, loitering())],
                id="a_resident_stands_there",
            ),
            pytest.param(
                [*slips_in(), at(150, face_of("p-2", "bike-shed", **GUARD)), at(180, loitering())],
                id="a_guard_stands_there",
            ),
            pytest.param([*slips_in(), at(40, loitering())], id="nobody_runs_so_fast"),
            pytest.param([*slips_in(), at(5, granted("gate")), at(180, loitering())], id="came_in_properly"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        told = self.told(*steps)
        assert not [one for case in told.cases for one in case.signals if one.rule == "R-X01"]

    def test_silent_where_the_operator_has_closed_the_entrance(self) -> None:
        told = self.told(*slips_in())
        (case,) = told.cases
        told.engine.settle(case.key, case.first.anchor.at)
        again = run(rules_named("R-C01", "R-X01"), [at(180, loitering())])
        told.engine.feed(again.only.anchor)
        said = told.engine.advance(again.only.anchor.at + (case.first.dedupe_window * 10))
        assert [one.rule for one in said] == ["R-C01"]

    @pytest.mark.parametrize(("minutes", "joins"), [(3, True), (2, False)])
    def test_boundary_of_what_is_likely(self, minutes: int, *, joins: bool) -> None:
        told = run(
            rules_named(*RULES_OF_THE_WAY),
            [*slips_in(), at(180, loitering())],
            book=values(likely_min=minutes),
        )
        assert len(told.cases) == (1 if joins else 2)

    @pytest.mark.parametrize(("speed", "joins"), [(2, True), (1, False)])
    def test_boundary_of_the_speed(self, speed: float, *, joins: bool) -> None:
        # Three hundred and sixty metres in three minutes.
        told = run(
            rules_named(*RULES_OF_THE_WAY),
            [*slips_in(), at(180, loitering())],
            book=values(speed_m_s=speed),
        )
        assert len(told.cases) == (1 if joins else 2)

    @pytest.mark.parametrize(("borders", "joins"), [(2, True), (1, False)])
    def test_boundary_of_the_borders(self, borders: int, *, joins: bool) -> None:
        told = run(
            rules_named(*RULES_OF_THE_WAY),
            [*slips_in(zone="side-gate"), at(240, loitering())],
            book=values(borders=borders),
        )
        assert len(told.cases) == (1 if joins else 2)

    @pytest.mark.parametrize(("window", "joins"), [(21, True), (20, False)])
    def test_boundary_of_the_time_of_one_subject(self, window: int, *, joins: bool) -> None:
        told = run(
            rules_named("R-X01", "R-E04"),
            [
                at(0, plate("云M00001")),
                at(2, barrier_opened()),
                at(21 * 60, plate("云M00001", "garage", direction=None)),
            ],
            book=values(window_min=window),
        )
        (case,) = told.cases
        assert [signal.rule for signal in case.signals] == ["R-E04", *(["R-X01"] if joins else [])]

    def test_the_same_plate_is_certain(self) -> None:
        told = tell(
            ("R-X01", "R-E04"),
            at(0, plate("云M00001")),
            at(2, barrier_opened()),
            at(600, plate("云M00001", "garage", direction=None)),
            raised(65, severity=4, rule="R-E04"),
            amended(605, severity=3, rule="R-E04"),
        )
        joined = told.cases[0].signals[-1]
        assert not joined.probable
        assert (joined.subject_kind, joined.subject) == ("plate", "云M00001")

    def test_another_plate_is_another_car(self) -> None:
        tell(
            ("R-X01", "R-E04"),
            at(0, plate("云M00001")),
            at(2, barrier_opened()),
            at(300, plate("云M00002", "garage", direction=None)),
            raised(65, severity=4, rule="R-E04"),
        )

    def test_of_two_strangers_the_nearer_is_taken_and_the_other_stays_by_himself(self) -> None:
        told = self.told(*slips_in(0), *slips_in(90, "side-gate"), at(300, loitering()))
        joined = {case.key: {one.rule for one in case.signals} for case in told.cases}
        assert joined == {"R-E01:gate": {"R-E01"}, "R-E01:side-gate": {"R-E01", "R-X01", "R-C01"}}

    def test_two_strangers_who_part_do_not_become_one(self) -> None:
        told = self.told(
            *slips_in(0),
            *slips_in(20, "side-gate"),
            at(300, loitering("bike-shed")),
            at(302, loitering("playground")),
            begins=NIGHT,
        )
        assert sorted(len({one.rule for one in case.signals}) for case in told.cases) == [3, 3]
        assert len(told.cases) == 2

    def test_who_was_refused_at_the_gate_is_not_who_loiters_inside(self) -> None:
        refusals = [at(second, denied(credential_id="c-9")) for second in (0, 10, 20)]
        told = run(rules_named("R-X01", "R-E10", "R-C01"), [*refusals, at(180, loitering())])
        assert sorted(case.rule for case in told.cases) == ["R-C01", "R-E10"]

    def test_who_forces_a_door_elsewhere_is_somebody_else(self) -> None:
        told = self.told(*slips_in(), at(180, loitering()), at(200, forced("hall-3")))
        assert len(told.cases) == 2


def values(**given: float) -> RuleBook:
    return with_values({"R-X01": given})
