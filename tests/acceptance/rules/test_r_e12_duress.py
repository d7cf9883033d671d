"""R-E12: somebody was made to open a door, and told the door so."""

import pytest
from telling import NIGHT, EveryRule, amended, at, offline, raised, seen, tell

from alerts.rules import Mode, RuleBook, Signal


def duress(zone: str = "gate", **facts: object):
    return seen("access.duress", zone, **facts)


class TestDuress(EveryRule):
    rule = "R-E12"
    safety = True
    story = (at(0, duress()), raised(0, severity=1))

    @pytest.mark.parametrize("zone", ["gate", "garage", "hall-9"])
    def test_is_critical_wherever_it_is(self, zone: str) -> None:
        tell(self.rule, at(0, duress(zone)), raised(0, severity=1))
        tell(self.rule, at(0, duress(zone)), raised(0, severity=1), begins=NIGHT)

    def test_names_the_holder_where_the_register_knows_them(self) -> None:
        told = tell(self.rule, at(0, duress(person_id="p-1")), raised(0, severity=1))
        assert (told.only.subject_kind, told.only.subject) == ("person", "p-1")
        assert told.only.kind == "duress"
        assert not told.only.needs_comparison

    def test_silent_about_an_ordinary_opening(self) -> None:
        tell(self.rule, at(0, seen("access.granted", "gate")))

    def test_boundary_of_one_incident(self) -> None:
        steps = [at(0, duress()), at(300, duress())]
        tell(self.rule, *steps, raised(0, severity=1), amended(300, severity=1))
        tell(self.rule, at(0, duress()), at(301, duress()), raised(0, severity=1), raised(301, severity=1))

    def test_two_doors_are_two_incidents(self) -> None:
        tell(
            self.rule, at(0, duress()), at(1, duress("hall-9")), raised(0, severity=1), raised(1, severity=1)
        )

    @pytest.mark.parametrize("mode", list(Mode))
    def test_no_mode_makes_it_any_milder(self, mode: Mode) -> None:
        tell(self.rule, *self.story, book=RuleBook(mode=mode))

    def test_blind_devices_beside_it_change_nothing(self) -> None:
        tell(
            self.rule,
            at(-5, offline("gate-camera", "gate")),
            at(-5, offline("gate-door", "gate")),
            *self.story,
        )

    def test_rule_does_nothing_but_say_it(self) -> None:
        """What a rule returns is all that it does: one signal, no order to a device and nothing to clear."""
        told = tell(self.rule, *self.story)
        assert [type(signal) for case in told.cases for signal in case.signals] == [Signal]
        assert told.engine.next_due is None
