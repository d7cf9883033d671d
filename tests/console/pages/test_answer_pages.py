"""Operators answer what they see on the incident's page; what follows stands on a page of its own."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pages_history import COMPOUND
from sqlalchemy import select

from console.context import Rooms
from console.security import CSRF_HEADER
from recognition.feedback import exclusions
from recognition.models import (
    CameraView,
    DecisionRow,
    ProposalState,
    SightingAnswer,
    ThresholdProposal,
)

Visit = Callable[..., TestClient]
FRAGMENT = {"HX-Request": "true"}
PAGE = "/console/recognition"


def answers(rooms: Rooms) -> dict[tuple[str, str], str]:
    with rooms.database.read() as session:
        rows = session.scalars(select(SightingAnswer))
        return {(row.sighting_id, row.answered_by): str(row.verdict) for row in rows}


def held(rooms: Rooms) -> frozenset[tuple[str, str | None]]:
    with rooms.database.read() as session:
        return exclusions.exclusions_for(session, COMPOUND)


def asked(html: str) -> str:
    """The question's section."""
    found = re.search(r'<section class="actions answering".*?</section>', html, re.DOTALL)
    return found[0] if found else ""


@pytest.fixture
def named(seeded: Rooms) -> Rooms:
    """The face of `i-face` was taken for 张三丰, and 李不愿 lay near."""
    with seeded.database.write() as session:
        row = session.get_one(DecisionRow, "s-e-face")
        row.outcome, row.person_id, row.device = "identified", "p-1", "cam-east"
        row.candidates = [{"person_id": person, "distance": 0.4} for person in ("p-1", "p-2", "gone")]
    return seeded


@pytest.mark.parametrize(
    ("language", "question", "choices"),
    [
        ("en", "Is it somebody who is registered here?", ["Registered", "Not registered", "Cannot tell"]),
        ("zh-CN", "是在册人员吗？", ["是在册人员", "不是在册人员", "无法判断"]),
    ],
)
def test_face_without_a_name_asks_whether_it_is_registered(
    visit: Visit, seeded: Rooms, language: str, question: str, choices: list[str]
) -> None:
    section = asked(visit("operator", language).get("/console?incident=i-face").text)
    assert question in section
    assert re.findall(r'data-key="\w" aria-pressed="false">(.*?) <kbd>', section) == choices
    assert re.findall(r'data-key="(\w)"', section) == ["y", "n", "u"]
    assert 'name="was"' not in section


def test_answer_is_shown_to_whom_gave_it_and_counted_for_others(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    data = {"sighting": "s-e-face", "verdict": "match"}
    page = client.post("/console/incidents/i-face/answer", data=data, headers=FRAGMENT)
    assert page.headers["HX-Trigger"] == "ringward:acted"
    section = asked(page.text)
    assert 'value="match" data-key="y" aria-pressed="true"' in section
    assert "You answered: Registered." in section
    assert answers(seeded) == {("s-e-face", "u-operator"): "match"}
    other = asked(visit("admin", "en").get("/console?incident=i-face").text)
    assert "Answers of others: 1" in other
    assert "You answered" not in other


def test_without_script_it_comes_back_to_the_incident(visit: Visit, seeded: Rooms) -> None:
    answer = visit("operator").post(
        "/console/incidents/i-face/answer", data={"sighting": "s-e-face", "verdict": "cannot_tell"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?incident=i-face")
    assert answers(seeded) == {("s-e-face", "u-operator"): "cannot_tell"}


def test_who_it_was_is_chosen_among_those_who_lay_near_by_reference(visit: Visit, named: Rooms) -> None:
    client = visit("operator", "en")
    section = asked(client.get("/console?incident=i-face").text)
    assert "is it the person who was named?" in section
    assert re.findall(r'<option value="([^"]*)"', section) == ["", "stranger", "p-2"]
    assert "李不愿" not in section
    page = client.get("/console?incident=i-face").text
    assert page.count('<figure class="shot">') == 2, "the reference stands beside the picture"
    data = {"sighting": "s-e-face", "verdict": "no_match", "was": "p-2"}
    client.post("/console/incidents/i-face/answer", data=data)
    assert held(named) == {("p-1", "p-2")}
    # What was said stays chosen, so that the same key again takes nothing back.
    section = asked(client.get("/console?incident=i-face").text)
    assert re.findall(r'<option value="([^"]*)" selected', section) == ["p-2"]
    # Whoever says "it is" has not meant what the list still shows.
    client.post("/console/incidents/i-face/answer", data=data | {"verdict": "match"})
    assert held(named) == frozenset()
    assert answers(named) == {("s-e-face", "u-operator"): "match"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"sighting": "s-e-face"}, "Choose one of the answers"),
        ({"sighting": "s-e-face", "verdict": "perhaps"}, "Choose one of the answers"),
        ({"sighting": "s-e-plate", "verdict": "match"}, "No face was compared here"),
        ({"sighting": "nothing", "verdict": "match"}, "There is no such sighting"),
        ({"sighting": "s-e-face", "verdict": "no_match", "was": "nobody"}, "There is no such person"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(
    visit: Visit, named: Rooms, data: dict[str, str], words: str
) -> None:
    page = visit("operator", "en").post("/console/incidents/i-face/answer", data=data, headers=FRAGMENT)
    assert words in page.text
    assert answers(named) == {}


def test_plate_and_what_a_confirmation_asks_anyway_are_not_asked(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    assert asked(client.get("/console?incident=i-plate").text) == ""
    assert asked(client.get("/console?incident=i-hit").text) == ""


def test_name_that_was_forgotten_is_not_asked_about(visit: Visit, named: Rooms) -> None:
    with named.database.write() as session:
        session.get_one(DecisionRow, "s-e-face").person_id = None
    assert asked(visit("operator", "en").get("/console?incident=i-face").text) == ""


@pytest.mark.parametrize(
    ("path", "comparison", "verdict"),
    [("confirm", "match", "match"), ("false-alarm", "not_match", "no_match")],
)
def test_comparison_before_a_step_is_an_answer_too(
    visit: Visit, seeded: Rooms, path: str, comparison: str, verdict: str
) -> None:
    client = visit("operator", "en")
    data = {"version": "1", "comparison": comparison, "reason": "recognition_error"}
    client.post(f"/console/incidents/i-hit/{path}", data=data)
    assert answers(seeded) == {("s-e-hit", "u-operator"): verdict}
    section = asked(client.get("/console?incident=i-hit").text)
    assert f'value="{verdict}"' in section
    assert section.count('aria-pressed="true"') == 1


def test_comparison_through_the_api_is_an_answer_and_a_refused_step_is_none(
    visit: Visit, seeded: Rooms
) -> None:
    client = visit("operator", "en")
    refused = client.post(
        "/api/v1/incidents/i-hit/steps", json={"to": "confirmed", "comparison": "not_match"}
    )
    assert (refused.status_code, answers(seeded)) == (409, {})
    client.post("/api/v1/incidents/i-hit/steps", json={"to": "confirmed", "comparison": "match"})
    assert answers(seeded) == {("s-e-hit", "u-operator"): "match"}


def test_comparison_of_a_plate_or_of_somebody_else_answers_nothing(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(DecisionRow, "s-e-hit").person_id = "p-2"
    data = {"version": "1", "comparison": "match"}
    visit("operator").post("/console/incidents/i-hit/confirm", data=data)
    assert answers(seeded) == {}


@pytest.fixture
def proposed(named: Rooms) -> Rooms:
    grounds = {"right": 27, "false": 5, "missed": 12, "strangers": 40, "promised": 0.001}
    with named.database.write() as session:
        for proposal, device, towards in (("t-1", "cam-east", "stricter"), ("t-2", "door-1", "looser")):
            session.add(
                ThresholdProposal(
                    id=proposal,
                    compound=COMPOUND,
                    device=device,
                    engine="dlib",
                    engine_version="19.24",
                    shift_now=0.0,
                    shift_proposed=-0.03 if towards == "stricter" else 0.02,
                    grounds=grounds | {"towards": towards, "rate_low": 0.0048, "rate_high": 0.00004},
                    state=ProposalState.OPEN,
                    made_at=named.clock.now(),
                )
            )
        exclusions.make(
            session, COMPOUND, named="p-1", was="p-2", sighting_id=None, by="u-operator", at=named.clock.now()
        )
        exclusions.make(
            session, COMPOUND, named="p-2", was=None, sighting_id=None, by="u-operator", at=named.clock.now()
        )
    return named


def test_page_says_why_in_words_and_how_sure_it_is(visit: Visit, proposed: Rooms) -> None:
    visit("operator").post(
        "/console/incidents/i-face/answer", data={"sighting": "s-e-face", "verdict": "no_match"}
    )
    html = visit("admin", "en").get(PAGE).text
    assert "of 32 names that people looked at, 5 were false. That is at least 0.48 % of strangers" in html
    assert "0.1 % was promised" in html
    assert "at most 0.004 % of strangers" in html
    assert "Of 52 people who were not named, 12 are registered." in html
    assert "+0.000 → -0.030" in html
    assert "东门人脸机" in html
    assert "1 of 1 (2.5 %–100 %)" in html
    chinese = visit("admin").get(PAGE).text
    assert "人工核对的 32 次点名中有 5 次是错的" in chinese
    assert "待决定的阈值" in chinese


def test_administrator_decides_on_the_page(visit: Visit, proposed: Rooms) -> None:
    client = visit("admin", "en")
    answer = client.post(f"{PAGE}/proposals/t-1", data={"verdict": "approve"})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    client.post(f"{PAGE}/proposals/t-2", data={"verdict": "refuse"})
    with proposed.database.read() as session:
        found = {row.device: row.threshold_shift for row in session.scalars(select(CameraView))}
        states = {row.id: str(row.state) for row in session.scalars(select(ThresholdProposal))}
    assert (found, states) == ({"cam-east": -0.03}, {"t-1": "approved", "t-2": "refused"})
    late = client.post(f"{PAGE}/proposals/t-1", data={"verdict": "refuse"})
    assert (late.status_code, "a newer one took its place" in late.text) == (409, True)
    assert "Nothing is proposed" in client.get(PAGE).text


def test_operator_and_auditor_read_and_have_no_button(visit: Visit, proposed: Rooms) -> None:
    for who in ("operator", "auditor"):
        client = visit(who, "en")
        html = client.get(PAGE).text
        assert "5 were false" in html
        assert "Approve" not in html
        assert client.post(f"{PAGE}/proposals/t-1", data={"verdict": "approve"}).status_code == 403
    assert "Kept apart" not in visit("auditor", "en").get(PAGE).text
    assert visit("manager", "en").get(PAGE).status_code == 403


def test_pairs_are_listed_by_reference_and_lifted(visit: Visit, proposed: Rooms) -> None:
    client = visit("operator", "en")
    html = client.get(PAGE).text
    assert "张三丰" not in html
    assert "李不愿" not in html
    assert "somebody not registered" in html
    paths = re.findall(rf'action="({PAGE}/exclusions/\w+/lifting)"', html)
    assert len(paths) == 2
    for path in paths:
        assert client.post(path).headers["location"] == PAGE
    assert held(proposed) == frozenset()
    again = client.post(paths[0])
    assert (again.status_code, "lifted this already" in again.text) == (409, True)
    assert "Nobody is kept apart" in client.get(PAGE).text


def test_forms_of_another_site_do_nothing(visit: Visit, proposed: Rooms) -> None:
    client = visit("admin")
    del client.headers[CSRF_HEADER]
    assert client.post(f"{PAGE}/proposals/t-1", data={"verdict": "approve"}).status_code == 403
    data = {"sighting": "s-e-face", "verdict": "match"}
    assert client.post("/console/incidents/i-face/answer", data=data).status_code == 403
    assert answers(proposed) == {}
