"""R-D08: a face terminal does not recognise somebody who lives here and agreed to be recognised."""

import pytest
from telling import EveryRule, amended, at, denied, granted, offline, raised, seen, tell

from alerts.rules import PersonFacts

LIVES = PersonFacts("p-1", "h-1", belongs=True)


def refused(
    zone: str = "gate", cause: str | None = "face_mismatch", who: PersonFacts = LIVES, **facts: object
):
    return denied(zone, cause=cause, person_id=who.id, person=who, **facts)


def let_in(zone: str = "gate"):
    return granted(zone, person_id=LIVES.id, person=LIVES)


class TestRefusedResident(EveryRule):
    rule = "R-D08"
    story = (at(0, refused()), at(30, refused()), at(60, refused()), raised(65, severity=4))

    def test_is_a_service_and_no_suspicion(self) -> None:
        told = tell(self.rule, *self.story)
        assert not told.only.needs_comparison
        assert (told.only.subject_kind, told.only.subject) == ("person", "p-1")
        assert told.only.reason_args == {"lane": "gate", "count": 3}

    @pytest.mark.parametrize("cause", ["face_mismatch", "not_live", "refused", "not_registered"])
    def test_whatever_the_terminal_calls_it(self, cause: str) -> None:
        steps = [at(s, refused(cause=None, attributes={"reason": cause})) for s in (0, 30, 60)]
        tell(self.rule, *steps, raised(65, severity=4))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(s, refused()) for s in (0, 30)], id="twice"),
            pytest.param([at(s, refused(who=PersonFacts("p-2"))) for s in (0, 30, 60)], id="does_not_belong"),
            pytest.param([at(s, denied(cause="face_mismatch")) for s in (0, 30, 60)], id="nobody_known"),
            pytest.param([at(s, refused(cause="expired")) for s in (0, 30, 60)], id="no_right_any_more"),
            pytest.param([at(s, refused(cause="wrong_pin")) for s in (0, 30, 60)], id="wrong_pin"),
            pytest.param(
                [at(s, refused(cause=None, attributes={"shown": "card"})) for s in (0, 30, 60)], id="a_card"
            ),
            pytest.param(
                [at(0, refused()), at(30, refused()), at(40, let_in()), at(60, refused())],
                id="let_in_between",
            ),
            pytest.param(
                [at(s, refused(z)) for s, z in ((0, "gate"), (30, "side-gate"), (60, "hall-9"))],
                id="three_doors",
            ),
            pytest.param([at(s, refused(), late=s == 30) for s in (0, 30, 60)], id="one_of_them_is_history"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        ("window_s", "third", "speaks"), [(300, 300, True), (300, 301, False), (301, 301, True)]
    )
    def test_boundary_of_the_window(self, window_s: int, third: int, *, speaks: bool) -> None:
        steps = [at(0, refused()), at(30, refused()), at(third, refused())]
        changes = [raised(third + 5, severity=4)] if speaks else []
        tell(self.rule, *steps, *changes, values={"window_s": window_s})

    @pytest.mark.parametrize(("times", "speaks"), [(3, True), (4, False)])
    def test_boundary_of_the_count(self, times: int, *, speaks: bool) -> None:
        steps = [step for step in self.story if not hasattr(step, "change")]
        tell(self.rule, *steps, *([raised(65, severity=4)] if speaks else []), values={"times": times})

    def test_goes_on_trying_and_is_one_incident(self) -> None:
        tell(self.rule, *self.story, at(90, refused()), amended(95, severity=4))

    def test_let_in_afterwards_was_refused_all_the_same(self) -> None:
        tell(self.rule, *self.story, at(64, let_in()))

    def test_somebody_else_at_the_same_door_is_another(self) -> None:
        other = PersonFacts("p-3", "h-3", belongs=True)
        two = [at(s, refused(who=other)) for s in (1, 31)]
        tell(self.rule, *self.story, *two)
        third = at(61, refused(who=other))
        told = tell(self.rule, *self.story, *two, third, raised(66, severity=4))
        assert {case.first.subject for case in told.cases} == {"p-1", "p-3"}

    def test_blind_camera_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), *self.story)

    def test_silent_about_a_face_that_was_only_seen(self) -> None:
        tell(
            self.rule,
            *(at(s, seen("face.uncertain", "gate", person_id="p-1", person=LIVES)) for s in (0, 30, 60)),
        )
