"""R-B09: somebody who asked to be looked after has not been heard of. Care, not security."""

import dataclasses
import datetime as dt

import pytest
from residents import HOUR
from telling import (
    MORNING,
    EveryRule,
    amended,
    at,
    cleared,
    face_of,
    granted,
    offline,
    online,
    raised,
    seen,
    site,
    tell,
)

from alerts.rules import DwellingFacts, Mode, PersonFacts, RuleBook, SiteDevice
from alerts.rules.building.elder_silent import ElderSilent

GRANNY = PersonFacts(
    id="granny", household_id="h-1", belongs=True, buildings=frozenset({"hall-9"}), cared_for=True
)
HER = {"person_id": "granny", "person": GRANNY}
HOME = {"dwelling": DwellingFacts("d-1801", "occupied", "hall-9")}
NOT_ANY_MORE = {"person_id": "granny", "person": dataclasses.replace(GRANNY, cared_for=False)}
QUIET = 24 * HOUR + 5
URGENT = QUIET + 2 * HOUR
# Long enough for whatever is still to be asked after the last step.
LONG = dt.timedelta(hours=60)

DOOR = seen("door.opened", "hall-9", device="hub-1801", **HER, **HOME)
STIRS = seen("care.activity", "hall-9", device="hub-1801", **HER, **HOME)


def water(m3: float):
    return seen("care.activity", "hall-9", device="meter-1801", attributes={"water_m3": m3}, **HER, **HOME)


def away(until_h: float):
    return seen("care.away", "hall-9", device="", until=MORNING + dt.timedelta(hours=until_h), **HER)


BACK = seen("care.away", "hall-9", device="", attributes={"ended": True}, **HER)


def plan():
    """The compound, with a hub and a meter in her dwelling."""
    here = site()
    sensors = {name: SiteDevice(name, "hall-9", "sensor") for name in ("hub-1801", "meter-1801")}
    return dataclasses.replace(here, devices={**here.devices, **sensors})


HOW = {"plan": plan(), "afterwards": LONG}


class TestElderSilent(EveryRule):
    rule = "R-B09"
    story = (at(0, STIRS), raised(QUIET, severity=3), amended(URGENT, severity=2))
    how = HOW

    def test_first_a_call_then_somebody_goes(self) -> None:
        told = tell(self.rule, *self.story, **HOW)
        call, visit = told.cases[0].signals
        assert (call.reason, visit.reason) == ("care_quiet", "care_unanswered")
        assert (call.subject, call.reason_args) == ("granny", {"hours": 24.0})

    def test_is_care_and_never_security(self) -> None:
        told = tell(self.rule, *self.story, **HOW)
        assert ElderSilent.care
        assert not ElderSilent.safety
        assert told.only.kind == "care.silent"
        assert not told.only.needs_comparison

    @pytest.mark.parametrize(
        "sign",
        [
            pytest.param(STIRS, id="sensor"),
            pytest.param(DOOR, id="her_door"),
            pytest.param(granted("hall-9", **HER), id="her_card"),
            pytest.param(granted("gate", direction="out", **HER), id="goes_for_a_walk"),
        ],
    )
    def test_any_sign_of_life_ends_it(self, sign) -> None:
        told = tell(
            self.rule,
            at(0, STIRS),
            at(25 * HOUR, sign),
            raised(QUIET, severity=3),
            cleared(25 * HOUR + 5, severity=3),
            plan=plan(),
            afterwards=dt.timedelta(hours=20),
        )
        assert len(told.cases) == 1

    def test_closed_call_is_not_urgent_any_more(self) -> None:
        told = tell(
            self.rule, at(0, STIRS), raised(QUIET, severity=3), plan=plan(), afterwards=dt.timedelta(hours=25)
        )
        told.engine.settle("R-B09:granny", MORNING + dt.timedelta(hours=25))
        assert told.engine.advance(MORNING + dt.timedelta(hours=30)) == []

    def test_no_emergency_makes_it_graver(self) -> None:
        book = dataclasses.replace(RuleBook(), mode=Mode.EMERGENCY)
        tell(self.rule, *self.story, **HOW, book=book)

    @pytest.mark.parametrize(
        ("quiet", "sign", "speaks"), [(20, 20, False), (20, 20.001, True), (21, 20.001, False)]
    )
    def test_boundary_of_the_silence(self, quiet: int, sign: float, *, speaks: bool) -> None:
        later = round(sign * HOUR)
        changes = [raised(quiet * HOUR + 5, severity=3), cleared(later + 5, severity=3)] if speaks else []
        tell(
            self.rule,
            at(0, STIRS),
            at(later, STIRS),
            *changes,
            plan=plan(),
            afterwards=dt.timedelta(hours=3),
            values={"quiet_h": quiet},
        )

    @pytest.mark.parametrize(("answer", "severity"), [(1, 2), (2, 3)])
    def test_boundary_of_the_answer(self, answer: int, severity: int) -> None:
        told = tell(
            self.rule,
            at(0, STIRS),
            raised(QUIET, severity=3),
            *([amended(QUIET + HOUR, severity=2)] if severity == 2 else []),
            plan=plan(),
            afterwards=dt.timedelta(hours=25.5),
            values={"answer_h": answer},
        )
        assert told.cases[0].severity == severity

    # ── water ─────────────────────────────────────────────────────────────────

    def test_meter_that_counts_nothing_says_it_after_twelve_hours(self) -> None:
        told = tell(
            self.rule,
            at(0, STIRS),
            *(at(n * HOUR, water(0.0)) for n in range(1, 16)),
            raised(12 * HOUR + 5, severity=3),
            amended(14 * HOUR + 5, severity=2),
            plan=plan(),
            afterwards=dt.timedelta(hours=1),
        )
        assert told.only.reason == "care_no_water"

    @pytest.mark.parametrize(("used", "speaks"), [(0.01, False), (0.009, True), (0.011, False)])
    def test_boundary_of_the_water(self, used: float, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, STIRS),
            at(11 * HOUR, water(used)),
            *([raised(12 * HOUR + 5, severity=3)] if speaks else []),
            plan=plan(),
            afterwards=dt.timedelta(hours=2),
        )

    def test_a_little_water_again_and_again_is_somebody_at_home(self) -> None:
        tell(
            self.rule,
            at(0, STIRS),
            *(at(n * 3 * HOUR, water(0.004)) for n in range(1, 16)),
            plan=plan(),
            afterwards=dt.timedelta(hours=5),
        )

    def test_without_a_meter_twelve_hours_say_nothing(self) -> None:
        tell(self.rule, at(0, STIRS), plan=plan(), afterwards=dt.timedelta(hours=23))

    # ── consent and absence ───────────────────────────────────────────────────

    def test_consent_begins_a_count(self) -> None:
        tell(
            self.rule,
            at(0, seen("care.began", "hall-9", device="", **HER)),
            raised(QUIET, severity=3),
            amended(URGENT, severity=2),
            **HOW,
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, seen("care.activity", "hall-9", **NOT_ANY_MORE))], id="never_agreed"),
            pytest.param(
                [at(0, STIRS), at(HOUR, seen("care.ended", "hall-9", device="", **NOT_ANY_MORE))],
                id="withdrawn",
            ),
            pytest.param([at(0, STIRS), at(HOUR, granted("gate", **NOT_ANY_MORE))], id="register_says_no"),
            pytest.param([at(0, face_of("granny", "hall-9"))], id="face_tells_nothing"),
            pytest.param([at(0, STIRS), at(HOUR, away(200))], id="away"),
            pytest.param([at(0, away(200)), at(HOUR, STIRS)], id="somebody_waters_the_plants"),
            pytest.param([at(0, water(0.0))], id="meter_alone"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps, **HOW)

    def test_after_an_absence_the_count_begins_anew(self) -> None:
        tell(
            self.rule,
            at(0, STIRS),
            at(HOUR, away(10)),
            at(10 * HOUR, BACK),
            raised(10 * HOUR + QUIET, severity=3),
            amended(10 * HOUR + URGENT, severity=2),
            **HOW,
        )

    def test_absence_that_is_told_every_day_is_one(self) -> None:
        told = tell(
            self.rule,
            at(0, away(10)),
            at(HOUR, away(10)),
            at(10 * HOUR, BACK),
            raised(10 * HOUR + QUIET, severity=3),
            amended(10 * HOUR + URGENT, severity=2),
            **HOW,
        )
        assert len(told.cases[0].signals) == 2

    def test_who_is_back_early_is_looked_after_again(self) -> None:
        tell(
            self.rule,
            at(0, away(200)),
            at(2 * HOUR, BACK),
            at(3 * HOUR, STIRS),
            raised(3 * HOUR + QUIET, severity=3),
            amended(3 * HOUR + URGENT, severity=2),
            **HOW,
        )

    # ── blind sensors ─────────────────────────────────────────────────────────

    def test_blind_sensors_are_told_and_nobody_is_alarmed(self) -> None:
        told = tell(
            self.rule,
            at(0, STIRS),
            at(HOUR, offline("hub-1801", "hall-9")),
            raised(QUIET, severity=4),
            **HOW,
        )
        assert told.only.reason == "care_unwatched"
        assert {one.device for one in told.only.blind} == {"hub-1801"}

    @pytest.mark.parametrize(("minutes", "allowed", "severity"), [(30, 30, 3), (31, 30, 4), (31, 31, 3)])
    def test_boundary_of_the_blindness(self, minutes: int, allowed: int, severity: int) -> None:
        told = tell(
            self.rule,
            at(0, STIRS),
            at(HOUR, offline("hub-1801", "hall-9")),
            at(HOUR + 60 * minutes, online("hub-1801", "hall-9")),
            raised(QUIET, severity=severity),
            plan=plan(),
            afterwards=dt.timedelta(hours=24),
            values={"blind_min": allowed},
        )
        assert told.only.blind

    def test_sensors_of_others_that_are_blind_make_no_difference(self) -> None:
        tell(self.rule, at(-HOUR, offline("meter-1801", "hall-9")), *self.story, **HOW)
