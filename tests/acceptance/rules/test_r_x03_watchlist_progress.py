"""R-X03: who is looked for has come a ring further: the same incident, said anew."""

import pytest
from telling import EveryRule, amended, at, face_of, plate, raised, rules_named, run, tell

from alerts.rules import WatchHit, with_values

EVERYWHERE = frozenset({"entrance", "common", "building"})


def hit(entry: str = "w-1", priority: int = 3) -> dict:
    return {"watch": (WatchHit(entry, EVERYWHERE, priority),)}


def wanted(zone: str, **more: object):
    return face_of("wanted", zone, **(hit(**more)))


class TestWatchProgress(EveryRule):
    rule = "R-X03"
    how = {"beside": ("R-E09",)}  # noqa: RUF012 - as the mixin reads it
    story = (
        at(0, wanted("gate")),
        at(1200, wanted("square")),
        at(3000, wanted("hall-9")),
        raised(0, severity=3, rule="R-E09"),
        # The step, and the hit itself.
        amended(1200, severity=2, rule="R-E09"),
        amended(1200, severity=2, rule="R-E09"),
        amended(3000, severity=1, rule="R-E09"),
        amended(3000, severity=1, rule="R-E09"),
    )

    def test_without_it_each_would_be_an_incident_of_its_own(self) -> None:
        steps = [at(0, wanted("gate")), at(1200, wanted("square")), at(3000, wanted("hall-9"))]
        assert len(run(rules_named("R-E09"), steps).cases) == 3

    def test_a_person_compares_before_anybody_is_sent(self) -> None:
        told = run(rules_named("R-X03", "R-E09"), [at(0, wanted("gate")), at(600, wanted("square"))])
        assert all(signal.needs_comparison for signal in told.cases[0].signals)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, wanted("gate")), at(1200, wanted("side-gate"))], id="the_same_ring"),
            pytest.param([at(0, wanted("hall-9")), at(1200, wanted("square"))], id="on_the_way_out"),
            pytest.param(
                [at(0, wanted("gate")), at(1200, wanted("square", entry="w-2"))], id="another_entry"
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        told = run(rules_named("R-X03", "R-E09"), steps)
        assert len(told.cases) == 2
        assert {one.rule for case in told.cases for one in case.signals} == {"R-E09"}

    @pytest.mark.parametrize(("minutes", "joins"), [(20, True), (19, False)])
    def test_boundary_of_the_window(self, minutes: int, *, joins: bool) -> None:
        told = run(
            rules_named("R-X03", "R-E09"),
            [at(0, wanted("gate")), at(1200, wanted("square"))],
            book=with_values({"R-X03": {"window_min": minutes}}),
        )
        assert len(told.cases) == (1 if joins else 2)

    def test_an_entry_of_little_weight_stays_a_warning_and_is_said_anew_all_the_same(self) -> None:
        tell(
            ("R-X03", "R-E09"),
            at(0, wanted("gate", priority=4)),
            at(1200, wanted("square", priority=4)),
            raised(0, severity=3, rule="R-E09"),
            amended(1200, severity=3, rule="R-E09"),
            amended(1200, severity=3, rule="R-E09"),
        )

    def test_a_plate_is_followed_as_a_face_is(self) -> None:
        car = [at(0, plate("云M00001", **hit())), at(600, plate("云M00001", "garage", **hit()))]
        (case,) = run(rules_named("R-X03", "R-E09"), car).cases
        assert case.severity == 2

    def test_a_deeper_hit_that_overtakes_the_first_is_the_same_visit(self) -> None:
        steps = [at(0, wanted("gate"), arrives=4), at(3, wanted("square"), arrives=3)]
        (case,) = run(rules_named("R-X03", "R-E09"), steps).cases
        assert case.severity == 2
