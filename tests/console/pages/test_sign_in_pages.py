"""Signing in, choosing a first password, and the language that stays."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from console.accounts import service
from console.accounts.models import User
from console.context import Rooms

Visit = Callable[..., TestClient]


def token_in(html: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', html)[1]  # type: ignore[index]


def test_a_new_administrator_chooses_a_password_and_signs_in(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        link = service.issue_setup_link(session, session.get_one(User, "u-admin"), seeded.clock.now())
    client = visit(None, "en")
    form = {"csrf_token": token_in(client.get(f"/setup/{link}").text)}
    short = client.post(f"/setup/{link}", data={**form, "password": "short", "again": "short"})
    assert (short.status_code, "fewer than 12" in short.text) == (422, True)
    phrase = "lamp river ninety moss"
    differ = client.post(f"/setup/{link}", data={**form, "password": phrase, "again": "other words here"})
    assert "differ" in differ.text
    done = client.post(f"/setup/{link}", data={**form, "password": phrase, "again": phrase})
    # Whoever held the link is signed in by it, once.
    assert (done.status_code, done.headers["location"]) == (303, "/console")
    assert client.get("/console/devices").status_code == 200
    assert client.get(f"/setup/{link}").status_code == 410
    client.cookies.clear()
    form = {"csrf_token": token_in(client.get("/sign-in").text)}

    wrong = client.post("/sign-in", data={**form, "name": "admin", "password": "not this one at all"})
    assert (wrong.status_code, "not right" in wrong.text) == (401, True)
    entered = client.post(
        "/sign-in", data={**form, "name": "Admin", "password": phrase, "next": "/console/devices"}
    )
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/devices")
    assert client.get("/console/devices").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", ""],
)
def test_a_link_cannot_send_people_elsewhere(visit: Visit, target: str) -> None:
    answer = visit("operator").get("/sign-in", params={"next": target})
    assert answer.headers["location"] == "/console"
    assert visit(None).get("/language/en", params={"next": target}).headers["location"] == "/"


def test_the_chosen_language_stays(visit: Visit) -> None:
    client = visit("operator", "zh-CN")
    client.get("/language/en", params={"next": "/console"})
    assert '<html lang="en"' in client.get("/console").text
