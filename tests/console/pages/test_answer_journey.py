"""An operator answers by keyboard, in a real browser, and the page keeps up."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from recognition.models import DecisionRow, SightingAnswer

pytestmark = pytest.mark.browser


Browse = Callable[..., Page]


def verdicts(served: Any) -> list[str]:
    with served.rooms.database.read() as session:
        return [str(row.verdict) for row in session.scalars(select(SightingAnswer))]


def test_an_operator_answers_by_one_key_and_changes_it_by_another(browse: Browse, served: Any) -> None:
    with served.rooms.database.write() as session:
        row = session.get_one(DecisionRow, "s-e-face")
        row.outcome, row.person_id = "identified", "p-1"
        row.candidates = [{"person_id": person, "distance": 0.4} for person in ("p-1", "p-2")]
    page = browse("operator", locale="en")
    page.goto(f"{served.url}/console?incident=i-face")
    question = page.get_by_role("region", name="Was recognition right?")
    page.keyboard.press("y")
    expect(question.get_by_role("status")).to_contain_text("You answered: It is.")
    expect(question.get_by_role("button", name="It is y", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert verdicts(served) == ["match"]
    # Typing into a list is no answer.
    question.get_by_label("If it is not: who was it?").focus()
    page.keyboard.press("n")
    assert verdicts(served) == ["match"]
    question.get_by_label("If it is not: who was it?").select_option("p-2")
    question.get_by_role("button", name="It is not n").click()
    expect(question.get_by_role("status")).to_contain_text("You answered: It is not.")
    assert verdicts(served) == ["no_match"]
    page.goto(f"{served.url}/console/recognition")
    expect(page.get_by_role("region", name="Kept apart").get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Lift: p-1").click()
    expect(page.get_by_text("Nobody is kept apart")).to_be_visible()
