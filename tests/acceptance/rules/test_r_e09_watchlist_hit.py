"""R-E09: on the watch-list, and seen where the entry allows to look. See also tests/alerts/rules."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    amended,
    at,
    denied,
    face_of,
    face_unknown,
    offline,
    plate,
    raised,
    seen,
    tell,
)

from alerts.rules import RULES, WatchHit

EVERYWHERE = frozenset({"entrance", "common", "building"})
ENTRY = WatchHit("entry-1", EVERYWHERE)


def hit(zone: str = "gate", entry: WatchHit = ENTRY, **facts: object):
    return face_of("p-7", zone, watch=(entry,), **facts)


class TestWatchlistHit(EveryRule):
    rule = "R-E09"
    story = (
        at(0, hit()),
        at(100, hit("square")),
        at(200, hit("hall-9")),
        at(250, hit()),
        raised(0, severity=3),
        amended(100, severity=2),
        amended(200, severity=1),
        amended(250, severity=1),
    )

    def test_person_compares_before_anybody_is_sent(self) -> None:
        told = tell(self.rule, at(0, hit()), raised(0, severity=3))
        assert told.only.needs_comparison
        (rule,) = [rule for rule in RULES if rule.id == self.rule]
        assert rule.confirms

    def test_card_is_the_card_and_needs_no_comparison(self) -> None:
        shown = denied("gate", credential_id="card-1", watch=(ENTRY,))
        told = tell(self.rule, at(0, shown), raised(0, severity=3))
        assert not told.only.needs_comparison
        assert told.only.subject == "card-1"

    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(at(0, face_of("p-7")), id="entry_expired_or_not_started"),
            pytest.param(at(0, hit(entry=WatchHit("e", frozenset({"building"})))), id="ring_not_allowed"),
            pytest.param(at(0, hit(), late=True), id="replayed"),
            pytest.param(at(0, hit(), arrives=15.5), id="too_old"),
            pytest.param(at(0, face_unknown()), id="nobody_known"),
            pytest.param(at(0, seen("face.uncertain", "gate", watch=(ENTRY,))), id="uncertain"),
        ],
    )
    def test_silent(self, step) -> None:
        tell(self.rule, step)

    @pytest.mark.parametrize(
        ("threshold", "score", "speaks"),
        [(0.31, 0.31, True), (0.30, 0.31, False), (0.30, None, True), (None, 0.9, True)],
    )
    def test_boundary_of_what_an_entry_asks_of_a_face(
        self, threshold: float | None, score: float | None, *, speaks: bool
    ) -> None:
        entry = WatchHit("entry-1", EVERYWHERE, threshold=threshold)
        seen_ = seen("face.identified", "gate", person_id="p-7", score=score, watch=(entry,))
        tell(self.rule, at(0, seen_), *([raised(0, severity=3)] if speaks else []))

    @pytest.mark.parametrize(("score", "speaks"), [(0.95, True), (0.94, False), (None, True)])
    def test_boundary_of_what_an_entry_asks_of_a_plate(self, score: float | None, *, speaks: bool) -> None:
        entry = WatchHit("entry-1", EVERYWHERE, threshold=0.95)
        story = [at(0, plate("云M11111", score=score, watch=(entry,)))]
        tell(self.rule, *story, *([raised(0, severity=3)] if speaks else []))

    @pytest.mark.parametrize(
        ("of_entry", "of_rule", "margin", "speaks"),
        [
            (0.05, 0, 0.05, True),
            (0.05, 0, 0.04, False),
            (None, 0.05, 0.04, False),
            (0.02, 0.05, 0.05, True),
            (0.05, 0.05, None, True),
        ],
    )
    def test_boundary_of_the_margin(
        self, of_entry: float | None, of_rule: float, margin: float | None, *, speaks: bool
    ) -> None:
        entry = WatchHit("entry-1", EVERYWHERE, margin=of_entry)
        told = {} if margin is None else {"margin": margin}
        story = [at(0, hit(entry=entry, attributes=told))]
        tell(self.rule, *story, *([raised(0, severity=3)] if speaks else []), values={"margin": of_rule})

    def test_less_urgent_entry_counts_where_the_other_asks_for_more(self) -> None:
        strict = WatchHit("entry-0", EVERYWHERE, priority=1, threshold=0.2)
        told = tell(self.rule, at(0, face_of("p-7", watch=(strict, ENTRY))), raised(0, severity=3))
        assert told.only.reason_args["entry_id"] == "entry-1"

    def test_boundary_of_one_visit(self) -> None:
        tell(self.rule, at(0, hit()), at(300, hit()), raised(0, severity=3), amended(300, severity=3))
        tell(self.rule, at(0, hit()), at(301, hit()), raised(0, severity=3), raised(301, severity=3))

    def test_night_changes_nothing(self) -> None:
        tell(self.rule, at(0, hit()), raised(0, severity=3), begins=NIGHT)

    def test_blind_camera_beside_it_changes_nothing_about_what_was_seen(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), at(0, hit()), raised(0, severity=3))
