"""R-B08: something stirs in a dwelling that stands empty."""

import datetime as dt

import pytest
from residents import HOUR, lives, moved_out, visits, works
from telling import MORNING, EveryRule, amended, at, door_opened, granted, offline, raised, seen, tell

from alerts.rules import DwellingFacts

EMPTY = DwellingFacts("d-1801", "vacant", "hall-9")
CONTACT = door_opened("hall-9", device="contact-1801", dwelling=EMPTY)
OWNER = lives("owner") | {"dwelling": EMPTY}


def flat(state: str):
    return door_opened("hall-9", dwelling=DwellingFacts("d-1801", state, "hall-9"))


class TestVacantDwelling(EveryRule):
    rule = "R-B08"
    story = (at(0, CONTACT), raised(5, severity=3))

    def test_one_dwelling_is_one_incident_and_two_are_two(self) -> None:
        other = door_opened("hall-9", dwelling=DwellingFacts("d-1802", "vacant", "hall-9"))
        told = tell(
            self.rule,
            at(0, CONTACT),
            at(60, CONTACT),
            at(120, other),
            raised(5, severity=3),
            amended(65, severity=3),
            raised(125, severity=3),
        )
        assert {case.first.subject for case in told.cases} == {"d-1801", "d-1802"}

    def test_former_tenants_card_at_its_lock_is_no_right(self) -> None:
        lock = granted("hall-9", **(moved_out("chen", dt.date(2026, 11, 1)) | {"dwelling": EMPTY}))
        tell(self.rule, at(0, lock), raised(5, severity=3))

    def test_forced_is_believed_whoever_came_in_before(self) -> None:
        tell(
            self.rule,
            at(-60, granted("hall-9", **OWNER)),
            at(0, seen("door.forced", "hall-9", dwelling=EMPTY)),
            raised(0, severity=3),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            *(
                pytest.param([at(0, flat(state))], id=state)
                for state in ("occupied", "let", "under_repair", "shop")
            ),
            pytest.param([at(0, door_opened("hall-9"))], id="no_dwelling"),
            pytest.param([at(-600, granted("hall-9", **OWNER)), at(0, CONTACT)], id="owner_came_in"),
            pytest.param(
                [at(-600, granted("hall-9", **works("steward"))), at(0, CONTACT)], id="staff_came_in"
            ),
            pytest.param([at(-600, granted("lift-9", **works("steward"))), at(0, CONTACT)], id="by_the_lift"),
            pytest.param([at(0, granted("hall-9", **OWNER))], id="owner_at_its_lock"),
            pytest.param(
                [
                    at(-6 * HOUR, granted("hall-9", **visits("w", "hall-9", kind="contractor"))),
                    at(0, CONTACT),
                ],
                id="contractor_works_all_day",
            ),
            pytest.param(
                [at(0, CONTACT), at(-2, granted("hall-9", **OWNER), arrives=3)], id="card_comes_in_later"
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        "before",
        [
            pytest.param(granted("hall-9", **lives("li", "hall-9")), id="a_neighbour"),
            pytest.param(granted("hall-3", **works("steward")), id="staff_in_another_house"),
            pytest.param(granted("hall-9", **visits("p", "hall-9")), id="somebodys_visitor"),
            pytest.param(granted("hall-9", direction="out", **OWNER), id="owner_who_left"),
            pytest.param(
                granted(
                    "hall-9", **visits("w", kind="contractor", ends_at=MORNING - dt.timedelta(minutes=1))
                ),
                id="permit_that_is_over",
            ),
        ],
    )
    def test_raises_although_somebody_came_in(self, before) -> None:
        tell(self.rule, at(-600, before), at(0, CONTACT), raised(5, severity=3))

    @pytest.mark.parametrize(
        ("stay", "came", "speaks"), [(600, -600, False), (600, -601, True), (601, -601, False)]
    )
    def test_boundary_of_the_stay(self, stay: int, came: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(came, granted("hall-9", **OWNER)),
            at(0, CONTACT),
            *([raised(5, severity=3)] if speaks else []),
            values={"stay_s": stay},
        )

    @pytest.mark.parametrize("reader", ["hall-9-reader", "lift-9-reader"])
    def test_blind_reader_may_have_let_the_owner_in(self, reader: str) -> None:
        tell(self.rule, at(-60, offline(reader, reader.removesuffix("-reader"))), at(0, CONTACT))

    def test_blind_camera_or_another_houses_reader_excuses_nothing(self) -> None:
        tell(
            self.rule,
            at(-60, offline("hall-9-camera", "hall-9")),
            at(-60, offline("hall-3-reader", "hall-3")),
            at(0, CONTACT),
            raised(5, severity=3),
        )
