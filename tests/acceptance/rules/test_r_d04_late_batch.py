"""R-D04: a device was away and has read out what it had kept. The only rule that late records move."""

import dataclasses
import datetime as dt
from typing import ClassVar

import pytest
from histories import histories
from hypothesis import HealthCheck, given, settings
from telling import (
    MORNING,
    EveryRule,
    Happens,
    amended,
    at,
    door_opened,
    face_unknown,
    granted,
    offline,
    raised,
    rules_named,
    run,
    seen,
    standing,
    tell,
)

from alerts.rules import RULES, Mute

# What the batch is about happened this long before it came in.
AGO = -7200


def kept(
    count: int = 20, *, what=None, comes: float = 0, every: float = 1, since: float = AGO
) -> list[Happens]:
    """So many records of one device, half a minute apart when they happened, read out one after the other."""
    one = what or granted("hall-9")
    return [
        at(since + 30 * number, one, arrives=comes + every * number, late=True, name=f"kept-{comes}-{number}")
        for number in range(count)
    ]


def forced(seconds: float = AGO + 100, comes: float = 5.5, **facts: object) -> Happens:
    what = seen("door.forced", "hall-9", device="hall-9-reader", **facts)
    return at(seconds, what, arrives=comes, late=True, name=f"forced-{seconds}")


class TestLateBatch(EveryRule):
    rule = "R-D04"
    about_late = True
    how: ClassVar = {"begins": MORNING}
    story = (*kept(), raised(79, severity=4))

    def test_says_what_came_back(self) -> None:
        told = tell(self.rule, *self.story)
        args = told.only.reason_args
        assert told.only.reason == "late_batch"
        assert (args["count"], args["grave"], args["would_have"]) == (20, 0, [])
        assert args["since"] == (MORNING - dt.timedelta(hours=2)).isoformat()
        assert told.only.window == (
            MORNING - dt.timedelta(hours=2),
            MORNING - dt.timedelta(hours=2) + dt.timedelta(seconds=570),
        )

    def test_silent_about_live_events(self) -> None:
        tell(self.rule, *(at(number, granted("hall-9")) for number in range(40)))

    def test_silent_about_records_of_many_devices(self) -> None:
        zones = ("hall-3", "hall-4", "hall-9", "gate")
        steps = [
            at(AGO, granted(zone), arrives=number, late=True, name=f"{zone}-{number}")
            for zone in zones
            for number in range(10)
        ]
        tell(self.rule, *steps)

    def test_old_that_is_not_marked_counts_as_well(self) -> None:
        steps = [dataclasses.replace(step, late=False) for step in kept()]
        tell(self.rule, *steps, raised(79, severity=4))

    @pytest.mark.parametrize(("least", "speaks"), [(20, True), (21, False)])
    def test_boundary_of_the_number(self, least: int, *, speaks: bool) -> None:
        tell(self.rule, *kept(), *([raised(79, severity=4)] if speaks else []), values={"least": least})

    @pytest.mark.parametrize(("quiet_s", "speaks"), [(60, True), (59, False)])
    def test_boundary_of_the_pause(self, quiet_s: int, *, speaks: bool) -> None:
        """Ten records, a pause of a minute, ten records: one batch, or two that are too small."""
        steps = [*kept(10), *kept(10, comes=69)]
        changes = [raised(69 + 9 + quiet_s, severity=4)] if speaks else []
        tell(self.rule, *steps, *changes, values={"quiet_s": quiet_s})

    def test_batch_that_does_not_end_is_told_of_part_by_part(self) -> None:
        told = tell(
            self.rule,
            *kept(120, every=30),
            # Every half hour by the clock, and when it is over.
            raised(1830, severity=4),
            amended(3570 + 60, severity=4),
        )
        assert [signal.reason_args["count"] for signal in told.cases[0].signals] == [60, 61]

    def test_record_that_is_pushed_again_is_one_record(self) -> None:
        again = [dataclasses.replace(step, arrives=step.arrives + 40) for step in kept(19)]
        tell(self.rule, *kept(19), *again)

    def test_next_outage_is_another_incident(self) -> None:
        steps = [*kept(), *kept(comes=4000, since=0)]
        tell(self.rule, *steps, raised(79, severity=4), raised(4079, severity=4))

    def test_blind_device_is_what_it_is_about(self) -> None:
        tell(self.rule, at(-3600, offline("hall-9-reader", "hall-9")), *self.story)

    # ── what would have been ─────────────────────────────────────────────────

    def test_lists_what_would_have_been_urgent(self) -> None:
        (case,) = run(RULES, [*kept(), forced()]).cases
        assert case.rule == self.rule
        assert case.severity == 4, "to be looked at, not to be sent to"
        (line,) = case.first.reason_args["would_have"]
        assert (line["rule"], line["kind"], line["severity"], line["place"]) == (
            "R-B05", "door.forced", 2, "hall-9",
        )  # fmt: skip
        assert line["at"] == "2026-11-23T00:01:40+00:00"
        assert case.first.reason == "late_batch_grave"
        assert case.first.reason_args["grave"] == 1

    def test_notices_and_warnings_are_not_listed(self) -> None:
        stranger = [
            at(AGO + 100, face_unknown("gate", device="hall-9-reader"), arrives=5.5, late=True, name="s"),
            at(AGO + 101, door_opened("gate", device="hall-9-reader"), arrives=5.6, late=True, name="d"),
        ]
        (case,) = run(
            RULES, [*kept(what=seen("patrol.checkin", "gate", device="hall-9-reader")), *stranger]
        ).cases
        assert case.first.reason_args["would_have"] == []

    def test_gravest_is_listed_first_and_an_incident_once(self) -> None:
        steps = [
            *kept(),
            forced(AGO + 100, 5.5),
            forced(AGO + 160, 6.5),
            at(
                AGO + 200,
                seen("access.duress", "hall-9", device="hall-9-reader"),
                arrives=7.5,
                late=True,
                name="du",
            ),
        ]
        (case,) = run(RULES, steps).cases
        lines = case.first.reason_args["would_have"]
        assert [(line["rule"], line["severity"]) for line in lines] == [("R-E12", 1), ("R-B05", 2)]

    def test_opening_that_another_reader_explains_is_not_listed(self) -> None:
        """Both lost their line; the other reader's card comes in with its own batch."""
        opened = at(
            AGO + 100, door_opened("hall-9", device="hall-9-door"), arrives=5.5, late=True, name="opened"
        )
        card = at(AGO + 99, granted("hall-9", device="hall-9-reader"), arrives=6, late=True, name="card")
        doors = kept(what=seen("door.closed", "hall-9", device="hall-9-door"))
        with_card = run(RULES, [*doors, opened, card]).cases[0].first
        without = run(RULES, [*doors, opened]).cases[0].first
        assert [line["rule"] for line in without.reason_args["would_have"]] == ["R-B05"]
        assert with_card.reason_args["would_have"] == []

    def test_list_raises_nothing_and_dispatches_nobody(self) -> None:
        told = run(RULES, [*kept(), forced()])
        assert {case.rule for case in told.cases} == {self.rule}
        assert not [
            one for one in told.engine.view.signals(MORNING.replace(hour=0), MORNING) if one.rule != self.rule
        ]

    @pytest.mark.parametrize(("place", "listed"), [("hall-9", []), (None, []), ("hall-3", ["R-B05"])])
    def test_what_would_have_been_muted_is_not_listed(self, place: str | None, listed: list[str]) -> None:
        """Works at the door while its reader was away: nobody would have heard of it then either."""
        works = Mute("R-B05", place, MORNING.replace(hour=0), MORNING + dt.timedelta(seconds=AGO + 101))
        (case,) = run(RULES, [*kept(), forced()], mutes=[works]).cases
        assert [line["rule"] for line in case.first.reason_args["would_have"]] == listed

    def test_mute_that_was_over_before_it_happened_hides_nothing(self) -> None:
        works = Mute("R-B05", "hall-9", MORNING.replace(hour=0), MORNING + dt.timedelta(seconds=AGO + 100))
        (case,) = run(RULES, [*kept(), forced()], mutes=[works]).cases
        assert [line["rule"] for line in case.first.reason_args["would_have"]] == ["R-B05"]

    def test_muted_elsewhere_is_not_muted_here(self) -> None:
        mute = Mute(self.rule, "gate", MORNING.replace(year=2025), MORNING.replace(year=2027))
        tell(self.rule, *self.story, mutes=[mute])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(RULES), histories(RULES, most=20))
def test_it_is_the_only_rule_that_late_records_move(live: list[Happens], old: list[Happens]) -> None:
    late = [dataclasses.replace(step, late=True, name=f"late-{step.name}") for step in old]
    late += kept(25, comes=30)
    moved = run(RULES, [*live, *late])
    others = [case for case in standing(moved.cases) if not case[0][0].startswith("R-D04:")]
    assert others == standing(run(RULES, live).cases)
    assert any(case.rule == "R-D04" for case in moved.cases)


def test_only_this_rule_asks_for_late_records() -> None:
    assert [rule.id for rule in RULES if rule.hears_late] == ["R-D04"]


def test_rehearsal_leaves_the_engine_as_it_was() -> None:
    live = [at(0, granted("hall-9")), at(1, door_opened("hall-9"))]
    before, after = (
        run(rules_named("R-B05", *more), [*live, *kept(), forced()]).engine for more in ((), ("R-D04",))
    )
    assert [one.id for one in before.view.observations()] == [one.id for one in after.view.observations()]
    assert after.muted == before.muted == []
