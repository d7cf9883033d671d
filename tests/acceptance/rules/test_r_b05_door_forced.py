"""R-B05: a building's door opened and nothing had released it."""

import datetime as dt

import pytest
from telling import (
    NIGHT,
    EveryRule,
    at,
    denied,
    door_opened,
    granted,
    local,
    offline,
    online,
    raised,
    seen,
    tell,
)

from alerts.rules import Entry, Hours, RuleBook


class TestDoorForced(EveryRule):
    rule = "R-B05"
    story = (at(0, door_opened("hall-9")), raised(6, severity=2))

    def test_by_night_it_is_critical(self) -> None:
        tell(self.rule, at(0, door_opened("hall-9")), raised(6, severity=1), begins=NIGHT)

    def test_what_the_door_itself_reports_is_believed_at_once(self) -> None:
        tell(self.rule, at(0, granted("hall-9")), at(1, seen("door.forced", "hall-9")), raised(1, severity=2))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-1, granted("hall-9")), at(0, door_opened("hall-9"))], id="card"),
            pytest.param(
                [at(0, door_opened("hall-9")), at(1, granted("hall-9"))], id="reader_whose_clock_is_ahead"
            ),
            pytest.param(
                [at(0, door_opened("hall-9")), at(-1, granted("hall-9"), arrives=4)], id="card_comes_in_later"
            ),
            pytest.param(
                [at(-1, seen("visitor.checked_in", "hall-9")), at(0, door_opened("hall-9"))], id="visitor"
            ),
            pytest.param([at(0, door_opened("hall-9", cause="exit_button"))], id="exit_button"),
            pytest.param([at(0, door_opened("hall-9", cause="fire_release"))], id="fire"),
            pytest.param(
                [at(-1, seen("door.released", "hall-9", cause="exit_button")), at(0, door_opened("hall-9"))],
                id="button_told_by_another",
            ),
            pytest.param([at(0, door_opened("hall-9", cause="schedule"))], id="schedule"),
            pytest.param([at(0, door_opened("hall-9", cause="remote_open"))], id="control_room"),
            pytest.param([at(0, door_opened("hall-9", cause="manual_open"))], id="guards_key"),
            pytest.param([at(0, door_opened("hall-9", cause="intercom"))], id="household_answered"),
            pytest.param(
                [at(-1, seen("command.done", "hall-9", cause="intercom")), at(0, door_opened("hall-9"))],
                id="household_answered_told_by_another",
            ),
            pytest.param([at(0, door_opened("gate"))], id="no_building"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-1, denied("hall-9")), at(0, door_opened("hall-9"))], id="refused"),
            pytest.param([at(-1, granted("hall-3")), at(0, door_opened("hall-9"))], id="card_elsewhere"),
            pytest.param(
                [at(0, door_opened("hall-9")), at(1.5, granted("hall-9"))], id="card_only_afterwards"
            ),
            pytest.param(
                [at(-1, granted("hall-9"), late=True), at(0, door_opened("hall-9"))], id="replayed_card"
            ),
            pytest.param([at(0, door_opened("hall-9", cause="wind"))], id="cause_that_releases_nothing"),
        ],
    )
    def test_raises(self, steps: list) -> None:
        tell(self.rule, *steps, raised(6, severity=2))

    @pytest.mark.parametrize(
        ("window", "card", "speaks"), [(3, -3, False), (3, -4, True), (4, -4, False), (2, -3, True)]
    )
    def test_boundary_of_the_window(self, window: int, card: int, *, speaks: bool) -> None:
        changes = [raised(6, severity=2)] if speaks else []
        tell(
            self.rule,
            at(card, granted("hall-9")),
            at(0, door_opened("hall-9")),
            *changes,
            values={"window_s": window},
        )

    @pytest.mark.parametrize("reader", ["hall-9-reader", "hall-9-face"])
    def test_blind_reader_may_have_let_somebody_in(self, reader: str) -> None:
        tell(self.rule, at(-60, offline(reader, "hall-9")), at(0, door_opened("hall-9")))

    def test_blind_reader_makes_no_difference_to_what_the_door_reports(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-9-reader", "hall-9")),
            at(0, seen("door.forced", "hall-9")),
            raised(0, severity=2),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-60, offline("hall-9-camera", "hall-9"))], id="camera_releases_nothing"),
            pytest.param([at(-60, offline("hall-3-reader", "hall-3"))], id="another_door"),
            pytest.param(
                [at(-60, offline("hall-9-reader", "hall-9")), at(-4, online("hall-9-reader", "hall-9"))],
                id="back_in_time",
            ),
        ],
    )
    def test_other_blindness_excuses_nothing(self, steps: list) -> None:
        tell(self.rule, *steps, at(0, door_opened("hall-9")), raised(6, severity=2))

    def test_hours_of_maintenance_silence_it(self) -> None:
        works = Hours("works", frozenset({0}), dt.time(9), dt.time(12), frozenset({"hall-9"}), enabled=False)
        book = RuleBook(entries={"R-B05": Entry(hours=(works,))})
        tell(self.rule, at(0, door_opened("hall-9")), book=book)
        tell(self.rule, at(0, door_opened("hall-3")), raised(6, severity=2), book=book)
        tell(self.rule, at(0, door_opened("hall-9")), raised(6, severity=2), book=book, begins=local(12))
