"""R-E11: a credential was shown that opens nothing any more."""

import pytest
from telling import MORNING, EveryRule, amended, at, denied, granted, offline, raised, seen, tell

from alerts.rules import CredentialFacts, PassFacts


def card(status: str = "lost", *, expired: bool = False, name: str = "c-1"):
    return {"credential_id": name, "credential": CredentialFacts(name, "card", status, expired)}


class TestDeadCredential(EveryRule):
    rule = "R-E11"
    story = (at(0, denied(**card())), raised(5, severity=3))

    @pytest.mark.parametrize(
        ("facts", "severity", "reason"),
        [
            (card("lost"), 3, "credential_lost"),
            (card("lost", expired=True), 3, "credential_lost"),
            (card("ended"), 4, "credential_ended"),
            (card("suspended"), 4, "credential_suspended"),
            (card("active", expired=True), 4, "credential_expired"),
        ],
    )
    def test_each_state_is_as_grave_as_it_is(self, facts: dict, severity: int, reason: str) -> None:
        told = tell(self.rule, at(0, denied(**facts)), raised(5, severity=severity))
        assert told.only.reason == reason
        assert (told.only.subject_kind, told.only.subject) == ("credential", "c-1")

    def test_lost_card_that_opened_all_the_same_says_so(self) -> None:
        told = tell(self.rule, at(0, granted(**card())), raised(5, severity=3))
        assert told.only.reason_args["opened"] is True

    @pytest.mark.parametrize(
        ("cause", "severity"), [("lost", 3), ("expired", 4), ("revoked", 4), ("suspended", 4)]
    )
    def test_reader_is_believed_where_the_register_knows_nothing(self, cause: str, severity: int) -> None:
        tell(self.rule, at(0, denied(cause=cause)), raised(5, severity=severity))
        tell(self.rule, at(0, denied(attributes={"reason": cause})), raised(5, severity=severity))

    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(granted(**card("active")), id="good_card"),
            pytest.param(denied(**card("active"), cause="expired"), id="the_register_knows_better"),
            pytest.param(denied(cause="wrong_pin"), id="refused_for_another_reason"),
            pytest.param(granted(cause="expired"), id="let_in_by_a_device_that_says_odd_things"),
            pytest.param(
                denied(cause="expired", visit=PassFacts("v-1", MORNING, MORNING)), id="a_visitors_pass"
            ),
            pytest.param(seen("door.opened", "gate", **card()), id="not_shown"),
        ],
    )
    def test_silent(self, step) -> None:
        tell(self.rule, at(0, step))

    @pytest.mark.parametrize(
        ("dedupe_s", "again", "change"), [(600, 600, amended), (600, 601, raised), (601, 601, amended)]
    )
    def test_boundary_of_one_incident(self, dedupe_s: int, again: int, change) -> None:
        steps = [at(0, denied(**card())), at(again, denied(**card()))]
        changes = [raised(5, severity=3), change(again + 5, severity=3)]
        tell(self.rule, *steps, *changes, values={"dedupe_s": dedupe_s})

    def test_two_cards_are_two_matters(self) -> None:
        steps = [at(0, denied(**card())), at(1, denied(**card(name="c-2")))]
        tell(self.rule, *steps, raised(5, severity=3), raised(6, severity=3))

    def test_everywhere_in_the_compound(self) -> None:
        for zone in ("gate", "garage", "hall-9"):
            tell(self.rule, at(0, denied(zone, **card())), raised(5, severity=3))

    def test_blind_camera_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), *self.story)
