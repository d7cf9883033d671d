"""R-E01: an unknown person passed an entrance, and nothing there let him in."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    at,
    crossing,
    door_opened,
    face_unknown,
    granted,
    offline,
    raised,
    seen,
    tell,
)


class TestUnknownPassed(EveryRule):
    rule = "R-E01"
    story = (at(0, face_unknown()), at(2, door_opened()), raised(11, severity=4))

    def test_by_night_it_is_a_warning(self) -> None:
        tell(self.rule, at(0, face_unknown()), at(2, door_opened()), raised(11, severity=3), begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, face_unknown()), at(2, door_opened()), at(8, granted())], id="card_after"),
            pytest.param([at(0, face_unknown())], id="looked_and_left"),
            pytest.param(
                [at(0, granted()), at(1, face_unknown()), at(2, door_opened())], id="refuser_with_card"
            ),
            pytest.param([at(0, face_unknown()), at(2, crossing(direction="out"))], id="turned_back"),
            pytest.param(
                [at(0, face_unknown()), at(2, door_opened()), at(5, seen("visitor.checked_in", "gate"))],
                id="visitor_checked_in",
            ),
            pytest.param([at(0, face_unknown()), at(2, door_opened(cause="manual_open"))], id="guard_opened"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        ("window_s", "card", "speaks"), [(10, 10, False), (10, 11, True), (11, 11, False)]
    )
    def test_boundary_of_the_window(self, window_s: int, card: int, *, speaks: bool) -> None:
        story = [at(0, face_unknown()), at(2, door_opened()), at(card, granted())]
        if speaks:
            story.append(raised(window_s + 1, severity=4))
        tell(self.rule, *story, values={"window_s": window_s})

    def test_blind_reader_is_no_proof_that_nobody_showed_a_card(self) -> None:
        tell(self.rule, at(-1, offline("gate-reader", "gate")), at(0, face_unknown()), at(2, door_opened()))
