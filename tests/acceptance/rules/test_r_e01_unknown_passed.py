"""R-E01: an unknown person passed an entrance, and nothing there let him in."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    amended,
    at,
    crossing,
    door_closed,
    door_opened,
    face_unknown,
    granted,
    offline,
    online,
    raised,
    seen,
    tell,
)


class TestUnknownPassed(EveryRule):
    rule = "R-E01"
    story = (at(0, face_unknown()), at(2, door_opened()), raised(15, severity=4))

    def test_by_night_it_is_a_warning(self) -> None:
        tell(self.rule, at(0, face_unknown()), at(2, door_opened()), raised(15, severity=3), begins=NIGHT)

    def test_strangers_within_a_minute_are_one_incident(self) -> None:
        tell(
            self.rule,
            at(0, face_unknown()),
            at(1, crossing()),
            at(60, face_unknown()),
            at(61, crossing()),
            raised(15, severity=4),
            amended(75, severity=4),
        )

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
            pytest.param(
                [at(0, face_unknown()), at(2, door_opened(cause="remote_open"))], id="control_room_opened"
            ),
            pytest.param(
                [at(0, face_unknown()), at(2, door_opened(cause="intercom"))], id="household_answered"
            ),
            pytest.param(
                [at(0, door_opened(cause="schedule")), at(3600, face_unknown()), at(3601, crossing())],
                id="door_open_for_everybody",
            ),
            pytest.param(
                [at(0, face_unknown()), at(1, crossing()), at(9.9, granted(), arrives=14.8)],
                id="card_that_is_told_late",
            ),
            pytest.param(
                [at(0, door_opened()), at(0.4, granted()), at(1, face_unknown()), at(1.2, door_closed())],
                id="door_tells_before_its_reader",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_scheduled_opening_is_over_when_the_door_closes(self) -> None:
        tell(
            self.rule,
            at(0, door_opened(cause="schedule")),
            at(3000, door_closed()),
            at(3600, face_unknown()),
            at(3601, crossing()),
            raised(3615, severity=4),
        )

    @pytest.mark.parametrize(
        ("window_s", "card", "speaks"), [(10, 10, False), (10, 11, True), (11, 11, False), (9, 10, True)]
    )
    def test_boundary_of_the_window(self, window_s: int, card: int, *, speaks: bool) -> None:
        story = [at(0, face_unknown()), at(2, door_opened()), at(card, granted())]
        if speaks:
            story.append(raised(window_s + 5, severity=4))
        tell(self.rule, *story, values={"window_s": window_s})

    def test_blind_reader_is_no_proof_that_nobody_showed_a_card(self) -> None:
        tell(self.rule, at(-1, offline("gate-reader", "gate")), at(0, face_unknown()), at(2, door_opened()))

    def test_reader_that_is_back_is_believed_again(self) -> None:
        tell(
            self.rule,
            at(-60, offline("gate-reader", "gate")),
            at(-30, online("gate-reader", "gate")),
            at(0, face_unknown()),
            at(2, door_opened()),
            raised(15, severity=4),
        )

    def test_blind_scene_camera_lets_nobody_in(self) -> None:
        tell(
            self.rule,
            at(-1, offline("gate-camera", "gate")),
            at(0, face_unknown()),
            at(2, door_opened()),
            raised(15, severity=4),
        )
