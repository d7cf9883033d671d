"""R-E05: more people went in through a door than were let in."""

import datetime as dt
import random

import pytest
from telling import (
    NIGHT,
    EveryRule,
    Happens,
    Seen,
    amended,
    at,
    crossing,
    door_closed,
    door_opened,
    face_of,
    face_unknown,
    granted,
    offline,
    raised,
    seen,
    site,
    tell,
)

from alerts.rules import Entry, Hours, PassFacts, PersonFacts, RuleBook, Site, SiteDevice, WatchHit

WATCHED = (WatchHit("entry-1", frozenset({"entrance"}), 3),)


def card(number: int, zone: str = "gate", household: str | None = None, **facts: object) -> Seen:
    """The card of resident `number`."""
    known = {"person_id": f"p-{number}", "household_id": household or f"h-{number}"}
    return granted(zone, credential_id=f"c-{number}", **(known | facts))


def face(number: int, household: str | None = None, *, belongs: bool = True, **facts: object) -> Seen:
    household = household or f"h-{number}"
    person = PersonFacts(f"p-{number}", household, belongs=belongs)
    return face_of(f"p-{number}", household_id=household, person=person, **facts)


def tailgating(**attributes: object) -> Seen:
    return seen("video.tailgating", "gate", attributes=attributes)


class TestCounted(EveryRule):
    """One card, two who cross the line."""

    rule = "R-E05"
    story = (
        at(0, card(1)),
        at(0.5, door_opened()),
        at(2, crossing()),
        at(3, crossing()),
        at(5, door_closed()),
        raised(10, severity=4),
    )

    def test_by_night_it_is_a_warning(self) -> None:
        steps = [step for step in self.story if isinstance(step, Happens)]
        tell(self.rule, *steps, raised(10, severity=3), begins=NIGHT)

    @pytest.mark.parametrize(
        ("steps", "due"),
        [
            pytest.param([at(0, card(1)), at(2, crossing(attributes={"count": 2}))], 9, id="two_at_once"),
            pytest.param([at(0, card(1)), at(2, crossing()), at(3, crossing())], 10, id="no_door_contact"),
            pytest.param(
                [at(0, card(1)), at(1, card(1)), at(2, crossing()), at(3, crossing())],
                10,
                id="card_read_twice",
            ),
            pytest.param(
                [
                    at(0, card(1)),
                    at(0.4, face(1)),
                    at(2, crossing()),
                    at(3, face_unknown()),
                    at(3, crossing()),
                ],
                10,
                id="holder_whose_face_is_seen_too",
            ),
            pytest.param(
                [at(0, granted()), at(0.4, face(1)), at(2, crossing()), at(3, crossing())],
                10,
                id="code_of_nobody_known_and_a_face",
            ),
            pytest.param(
                [at(0, card(1)), at(1, face(9, belongs=False)), at(2, crossing()), at(3, crossing())],
                10,
                id="face_of_somebody_who_moved_away",
            ),
            pytest.param(
                [
                    at(0, card(1)),
                    at(0.5, seen("access.denied", "gate", direction="in")),
                    at(2, crossing()),
                    at(3, crossing()),
                ],
                10,
                id="second_card_was_refused",
            ),
            pytest.param(
                [at(0, card(1)), at(1, card(2, direction="out")), at(2, crossing()), at(3, crossing())],
                10,
                id="other_card_was_for_going_out",
            ),
            pytest.param(
                [at(0, card(1)), at(1, card(2, "side-gate")), at(2, crossing()), at(3, crossing())],
                10,
                id="other_card_was_for_another_gate",
            ),
            pytest.param(
                [
                    at(0, door_opened(cause="exit_button")),
                    at(1, crossing(direction="out")),
                    at(2, crossing()),
                ],
                9,
                id="slips_in_behind_somebody_who_leaves",
            ),
            pytest.param(
                [at(0, card(1)), at(1, card(2), late=True), at(2, crossing()), at(3, crossing())],
                10,
                id="other_card_is_a_late_record",
            ),
            pytest.param(
                [
                    at(0, card(1)),
                    at(0.5, door_opened()),
                    at(5, door_closed()),
                    at(24, card(2)),
                    at(25, crossing()),
                    at(26, crossing()),
                ],
                33,
                id="card_of_somebody_who_did_not_go_in",
            ),
            pytest.param(
                [
                    at(0, door_opened(cause="manual_open")),
                    at(90, card(1)),
                    at(91, crossing()),
                    at(92, crossing()),
                ],
                99,
                id="guard_let_somebody_in_long_ago",
            ),
        ],
    )
    def test_raises(self, steps: list, due: float) -> None:
        tell(self.rule, *steps, raised(due, severity=4))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, card(1)), at(2, crossing())], id="one_and_one"),
            pytest.param(
                [at(0, card(1)), at(1, card(2)), at(2, crossing()), at(3, crossing())], id="two_and_two"
            ),
            pytest.param([at(0, crossing()), at(2, card(1))], id="camera_is_quicker_than_the_reader"),
            pytest.param(
                [at(0, card(1)), at(2, crossing()), at(3, crossing()), at(4.9, card(2), arrives=9.8)],
                id="second_card_is_told_late",
            ),
            pytest.param(
                [at(0, card(1)), at(2, crossing()), at(3, crossing(direction="out"))], id="somebody_comes_out"
            ),
            pytest.param(
                [at(0, card(1)), at(2, crossing()), at(3, crossing(attributes={"class": "trolley"}))],
                id="courier_pulls_a_trolley",
            ),
            pytest.param(
                [at(0, card(1)), at(2, crossing()), at(3, crossing(attributes={"class": "animal"}))], id="dog"
            ),
            pytest.param(
                [at(0, card(1)), at(2, crossing()), at(2.5, face(11, "h-1")), at(3, crossing())],
                id="daughter_behind_her_mother",
            ),
            pytest.param(
                [
                    at(0, card(1)),
                    at(1, face(1)),
                    at(1.5, face(11, "h-1")),
                    at(2, face(12, "h-1")),
                    at(2, crossing(attributes={"count": 3})),
                ],
                id="family_of_three_on_one_card",
            ),
            pytest.param(
                [
                    at(0, granted()),
                    at(1, face(1)),
                    at(1.5, face(11, "h-1")),
                    at(2, crossing()),
                    at(3, crossing()),
                ],
                id="family_on_a_code_of_nobody_known",
            ),
            pytest.param(
                [
                    at(0, face(1)),
                    at(0.5, door_opened()),
                    at(2, crossing()),
                    at(3, face(2)),
                    at(4, crossing()),
                ],
                id="gate_that_opens_to_known_faces",
            ),
            pytest.param(
                [at(0, door_opened(cause="manual_open")), *(at(n, crossing()) for n in range(1, 6))],
                id="guard_lets_a_party_in",
            ),
            pytest.param(
                [at(0, door_opened(cause="manual_open")), *(at(n, crossing()) for n in range(20, 50, 10))],
                id="guard_holds_the_door_open",
            ),
            pytest.param(
                [at(0, door_opened(cause="intercom")), at(2, crossing()), at(3, crossing())],
                id="household_opens_to_its_guests",
            ),
            pytest.param(
                [
                    at(0, seen("visitor.checked_in", "gate", direction="in")),
                    at(1, card(1)),
                    at(2, crossing()),
                    at(3, crossing()),
                ],
                id="visitor_and_host",
            ),
            pytest.param([at(0, crossing()), at(1, crossing())], id="nothing_opened_and_nobody_was_let_in"),
            pytest.param(
                [at(0, card(1)), at(0.5, door_opened()), at(25, crossing()), at(27, door_closed())],
                id="holds_the_door_open_for_a_pram",
            ),
            pytest.param(
                [
                    at(0, card(1)),
                    at(0.5, door_opened()),
                    at(24, card(2)),
                    at(25, crossing()),
                    at(26, crossing()),
                    at(27, door_closed()),
                ],
                id="waits_in_the_open_door_for_a_neighbour",
            ),
            pytest.param(
                [
                    at(0, door_opened()),
                    at(0.3, card(1)),
                    at(0.6, card(2)),
                    at(2, crossing()),
                    at(2.2, door_closed()),
                    at(2.4, door_opened()),
                    at(4.4, crossing()),
                    at(4, door_closed()),
                ],
                id="turnstile_that_keeps_the_second_card_in_mind",
            ),
            pytest.param(
                [at(0, door_opened(cause="exit_button")), at(1, face_unknown()), at(2, crossing())],
                id="stranger_with_nobody_to_follow_is_another_rules",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_one_stranger_is_one_incident_of_one_rule(self) -> None:
        both = ("R-E05", "R-E01")
        alone = [at(0, door_opened(cause="exit_button")), at(1, face_unknown()), at(2, crossing())]
        tell(both, *alone, raised(16, severity=4, rule="R-E01"))
        behind = [at(0, card(1)), at(1, crossing()), at(2, face_unknown()), at(3, crossing())]
        tell(both, *behind, raised(10, severity=4, rule="R-E05"))

    def test_more_within_half_a_minute_are_the_same_incident(self) -> None:
        tell(
            self.rule,
            at(0, card(1)),
            at(2, crossing()),
            at(3, crossing()),
            at(32, card(2)),
            at(32.5, crossing()),
            at(33, crossing()),
            at(63, card(3)),
            at(63.2, crossing()),
            at(64, crossing()),
            raised(10, severity=4),
            amended(40, severity=4),
            raised(71, severity=4),
        )

    def test_watched_person_who_follows_makes_it_urgent(self) -> None:
        told = tell(
            self.rule,
            at(0, card(1)),
            at(2, crossing()),
            at(2.5, face(9, belongs=False, watch=WATCHED)),
            at(3, crossing()),
            raised(10, severity=2),
        )
        assert told.only.needs_comparison
        assert (told.only.subject_kind, told.only.subject) == ("person", "p-9")
        assert told.only.reason == "tailgating_watched"

    @pytest.mark.parametrize(
        "who",
        [
            pytest.param(face(1, watch=WATCHED), id="who_showed_the_card"),
            pytest.param(
                face(9, belongs=False, watch=(WatchHit("entry-2", frozenset({"building"})),)),
                id="whom_nobody_may_look_for_here",
            ),
        ],
    )
    def test_watched_person(self, who: Seen) -> None:
        story = [at(0, card(1)), at(2, crossing()), at(2.5, who), at(3, crossing())]
        told = tell(self.rule, *story, raised(10, severity=4))
        assert not told.only.needs_comparison

    @pytest.mark.parametrize(
        ("after_s", "second", "speaks"), [(2, 5, False), (2, 6, True), (3, 6, False), (1, 5, True)]
    )
    def test_boundary_of_what_comes_after(self, after_s: int, second: int, *, speaks: bool) -> None:
        story = [at(0, card(1)), at(2, crossing()), at(3, crossing()), at(second, card(2))]
        said = [raised(3 + after_s + 5, severity=4)] if speaks else []
        tell(self.rule, *story, *said, values={"after_s": after_s})

    @pytest.mark.parametrize(("hold_s", "gap", "speaks"), [(10, 10, False), (10, 11, True), (11, 11, False)])
    def test_boundary_of_how_long_a_card_holds(self, hold_s: int, gap: int, *, speaks: bool) -> None:
        # Somebody else's card and crossing beside it: there is a door that opened to be followed through.
        story = [at(0, card(1)), at(gap - 1, card(2)), at(gap, crossing()), at(gap, crossing())]
        said = [raised(gap + 7, severity=4)] if speaks else []
        tell(self.rule, *story, *said, values={"hold_s": hold_s})

    def test_blind_reader_is_no_proof_that_nobody_showed_a_card(self) -> None:
        steps = [step for step in self.story if isinstance(step, Happens)]
        tell(self.rule, *steps, at(1, offline("gate-reader", "gate")))
        tell(self.rule, *self.story, at(1, offline("gate-camera", "gate")))

    def test_reader_that_speaks_is_not_blind_whatever_was_said_of_it(self) -> None:
        tell(self.rule, at(-20, offline("gate-reader", "gate")), *self.story)

    def test_passage_that_nothing_keeps_shut_has_no_tailgaters(self) -> None:
        plan = site()
        devices = {name: device for name, device in plan.devices.items() if device.zone != "gate"}
        camera = SiteDevice("gate-camera", "gate", "scene_camera", "gate", "in")
        steps = [step for step in self.story if isinstance(step, Happens)]
        tell(self.rule, *steps, plan=Site(plan.zones, devices | {camera.id: camera}))

    def test_what_it_stands_on(self) -> None:
        signal = tell(self.rule, *self.story).only
        assert (signal.kind, signal.reason) == ("person.tailgating", "tailgating")
        assert signal.reason_args == {"lane": "gate", "extra": 1, "night": False}
        assert sorted(one.type for one in signal.evidence) == [
            *("access.granted", "door.opened"),
            *("video.line_crossing", "video.line_crossing"),
        ]


class TestTold(EveryRule):
    """A camera or a turnstile says itself that somebody followed."""

    rule = "R-E05"
    story = (
        at(0, card(1)),
        at(0.5, door_opened()),
        at(2, tailgating()),
        at(5, door_closed()),
        raised(9, severity=4),
    )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, card(1)), at(1, card(2)), at(2, tailgating())], id="each_had_a_card"),
            pytest.param([at(0, card(1)), at(2, tailgating()), at(4, card(2))], id="card_a_moment_later"),
            pytest.param([at(0, card(1)), at(2, tailgating(**{"class": "trolley"}))], id="trolley"),
            pytest.param([at(0, card(1)), at(2, tailgating(ended=True))], id="only_the_end_of_it"),
            pytest.param([at(0, card(1)), at(2, face(11, "h-1")), at(2, tailgating())], id="family"),
            pytest.param([at(0, door_opened(cause="manual_open")), at(2, tailgating())], id="guard_opened"),
            pytest.param(
                [at(0, door_opened(cause="schedule")), at(1800, tailgating())], id="open_for_everybody"
            ),
            pytest.param(
                [at(0, card(1)), at(2, seen("video.tailgating", "gate", direction="out"))],
                id="on_the_way_out",
            ),
            pytest.param([at(0, seen("video.tailgating", "hall-9"))], id="at_a_building"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_it_is_believed_where_one_crossing_was_counted_for_two(self) -> None:
        tell(self.rule, at(0, card(1)), at(2, crossing()), at(2.2, tailgating()), raised(9.2, severity=4))

    def test_card_of_the_opening_before_is_not_for_this_one(self) -> None:
        tell(
            self.rule,
            at(0, card(1)),
            at(0.5, door_opened()),
            at(3, door_closed()),
            at(7, card(2)),
            at(7.5, door_opened()),
            at(9, tailgating()),
            raised(16, severity=4),
        )

    @pytest.mark.parametrize(("count", "speaks"), [(1, False), (2, False), (3, True)])
    def test_boundary_of_the_count(self, count: int, *, speaks: bool) -> None:
        story = [at(0, card(1)), at(1, card(2)), at(2, tailgating(count=count))]
        tell(self.rule, *story, *([raised(9, severity=4)] if speaks else []))

    def test_blind_reader_is_named_and_the_device_is_believed(self) -> None:
        told = tell(
            self.rule, at(-20, offline("gate-reader", "gate")), at(0, tailgating()), raised(7, severity=4)
        )
        assert [one.device for one in told.only.blind] == ["gate-reader"]

    def test_counted_and_told_is_one_incident(self) -> None:
        tell(
            self.rule,
            at(0, card(1)),
            at(2, crossing()),
            at(3, crossing()),
            at(3.2, tailgating()),
            raised(10, severity=4),
            amended(10.2, severity=4),
        )


class TestSchoolRun:
    """Forty people in forty seconds at one door: a crowd, and no tailgating."""

    rule = "R-E05"

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("door", ["turnstile", "door_that_hardly_closes", "no_contact"])
    def test_everybody_has_a_card(self, door: str, seed: int) -> None:
        """Two cards in one second, crossings a second or two behind, told in whatever order."""
        chance = random.Random(seed)
        steps = [at(-0.4, door_opened()), at(44, door_closed())] if door == "door_that_hardly_closes" else []
        for number in range(40):
            shown = number // 2 * 2 if seed % 2 else number
            goes = shown + chance.choice([0.4, 1.0, 1.9])
            steps += [at(shown, card(number)), at(goes, crossing())]
            if door == "turnstile":
                steps += [
                    at(shown + chance.choice([-0.8, 0.2, 0.9]), door_opened()),
                    at(goes + chance.choice([-0.9, 0.1, 1.2]), door_closed()),
                ]
        tell(self.rule, *_in_disorder(steps, chance))

    @pytest.mark.parametrize("seed", range(4))
    def test_families_go_in_on_the_card_of_one(self, seed: int) -> None:
        chance = random.Random(seed)
        steps = []
        for family in range(20):
            begins, household = family * 2, f"h-{family}"
            steps += [
                at(begins, card(family, household=household)),
                at(begins + 0.3, face(family, household)),
                at(begins + 0.6, face(100 + family, household)),
                at(begins + 1.2, crossing(attributes={"count": 2})),
            ]
        tell(self.rule, *_in_disorder(steps, chance))

    def test_camera_that_sees_tailgating_all_the_time(self) -> None:
        steps = []
        for number in range(40):
            steps += [at(number, card(number)), at(number + 0.9, crossing())]
        tell(self.rule, *sorted([*steps, *(at(n + 0.5, tailgating()) for n in range(0, 40, 4))], key=_when))

    def test_crowd_that_goes_on_for_longer_than_anybody_counts_back(self) -> None:
        """A fair: five minutes without a gap, cards and people a second and a half apart."""
        steps = [at(-0.4, door_opened()), at(310, door_closed())]
        for number in range(300):
            steps += [at(number, card(number)), at(number + 1.5, crossing())]
        tell(self.rule, *sorted(steps, key=_when))

    def test_door_stands_open_by_its_own_schedule(self) -> None:
        crowd = [at(1200 + number, crossing()) for number in range(40)]
        tell(self.rule, at(0, door_opened(cause="schedule")), *crowd)

    def test_rule_book_knows_the_hours_in_which_everybody_walks_through(self) -> None:
        """At this gate, on this weekday, until ten past ten; the other gate is as ever."""
        hours = Hours(
            "school run",
            frozenset({0}),
            dt.time(9, 50),
            dt.time(10, 10),
            zones=frozenset({"gate"}),
            enabled=False,
        )
        book = RuleBook(entries={"R-E05": Entry(hours=(hours,))})
        crowd = [at(number, crossing()) for number in range(40)]
        tell(self.rule, at(0, card(1)), at(0.4, door_opened()), *crowd, book=book)
        elsewhere = [at(0, card(1, "side-gate")), at(2, crossing("side-gate")), at(3, crossing("side-gate"))]
        tell(self.rule, *elsewhere, raised(10, severity=4), book=book)
        afterwards = [at(600, card(1)), at(602, crossing()), at(603, crossing())]
        tell(self.rule, *afterwards, raised(610, severity=4), book=book)

    @pytest.mark.parametrize("place", [5, 20, 34])
    def test_one_without_a_card_among_forty_is_found(self, place: int) -> None:
        steps = [at(-0.4, door_opened()), at(44, door_closed())]
        for number in range(40):
            if number != place:
                steps.append(at(number, card(number)))
            steps.append(at(number + 0.9, crossing()))
        told = tell(self.rule, *sorted(steps, key=_when), raised(38 + 0.9 + 2 + 5 + 1, severity=4))
        assert told.only.reason_args["extra"] == 1


def test_visitors_on_passes_count_as_anybody() -> None:
    visits = [PassFacts(f"visit-{n}", NIGHT, NIGHT) for n in range(2)]
    both = [at(n, granted(visit=visit)) for n, visit in enumerate(visits)]
    tell("R-E05", *both, at(2, crossing(attributes={"count": 2})))
    tell("R-E05", both[0], at(2, crossing(attributes={"count": 2})), raised(9, severity=4))


def _in_disorder(steps: list[Happens], chance: random.Random) -> list[Happens]:
    """As devices send it: each record up to five seconds after it happened."""
    return [
        at(step.at, step.what, arrives=step.at + chance.choice([0, 0.3, 2, 4.9]), name=f"n{number:03}")
        for number, step in enumerate(steps)
    ]


def _when(step: Happens) -> float:
    return step.at
