"""A rule's own page: its numbers, a try on the past, and only then a new version of the file."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.incidents.actor import Actor
from alerts.rulebook import trials, versions
from alerts.rulebook.file import load
from alerts.rulebook.models import RuleTrial, RuleVersion
from console.context import Rooms
from console.security import PROOF_LASTS
from ringward.rehearsal.trial import run_trial
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
OTHER = Actor("u-manager", "administrator")


@pytest.fixture
def begun() -> list[str]:
    """The trials that the console has begun."""
    return []


@pytest.fixture
def rooms(rooms: Rooms, begun: list[str]) -> Rooms:
    """A console whose trials begin and go on only where a test lets them."""
    object.__setattr__(rooms, "rehearse", lambda _compound, trial: begun.append(trial))
    return rooms


@pytest.fixture
def tried(seeded: Rooms, begun: list[str]) -> Callable[[], str]:
    """Lets the newest trial run to its end."""

    def run() -> str:
        run_trial(seeded.database, seeded.compound, begun[-1], seeded.clock)
        return begun[-1]

    return run


def kept(rooms: Rooms) -> list[RuleVersion]:
    with rooms.database.read() as session:
        rows = list(session.scalars(select(RuleVersion).order_by(RuleVersion.number)))
        session.expunge_all()
    return rows


def other_saves(rooms: Rooms, since: int = 0) -> None:
    with rooms.database.write() as session:
        text = "version = 1\n\n[rules.R-E02]\nenabled = true\n"
        versions.keep(session, rooms.compound, text, OTHER, rooms.clock.now(), note="tidied", since=since)


def ask(client: TestClient, rule: str = "R-E01", **fields: object):
    return client.post(f"/console/rules/{rule}/trials", data={"since": 0, "days": 7} | fields)


WINDOW = {"value.window_s": "30"}


def test_every_number_stands_with_its_unit_bounds_and_what_either_end_does(visit: Visit) -> None:
    html = visit("admin", "en").get("/console/rules/R-E01").text
    field = re.search(r'<input id="value\.window_s"[^>]*>[^<]*', html)
    assert field
    assert 'min="' in field[0]
    assert 'max="' in field[0]
    assert field[0].rstrip().endswith("s")
    assert "comes as" in html


def test_who_may_not_change_rules_reads_them(visit: Visit, begun: list[str]) -> None:
    client = visit("operator", "en")
    html = client.get("/console/rules/R-E01").text
    assert "window_s" in html
    assert "<input id=" not in html
    assert ask(client, **WINDOW).status_code == 403
    assert begun == []


def test_there_is_no_page_of_a_rule_that_there_is_not(visit: Visit) -> None:
    assert visit("admin").get("/console/rules/R-X99").status_code == 404


@pytest.mark.parametrize(("typed", "said"), [("many", "This is no number"), ("9999", "9999")])
def test_a_bad_number_stays_in_the_form_beside_what_is_wrong(
    visit: Visit, begun: list[str], typed: str, said: str
) -> None:
    answer = ask(visit("admin", "en"), **{"value.window_s": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    fault = re.search(r'id="fault-value\.window_s" role="alert">([^<]+)<', answer.text)
    assert fault
    assert said in fault[1]
    assert begun == []


def test_what_changes_nothing_is_not_tried(visit: Visit, begun: list[str]) -> None:
    answer = ask(visit("admin", "en"))
    assert answer.status_code == 409
    assert "changes nothing" in answer.text
    assert begun == []


def test_a_safety_rule_cannot_be_switched_off(visit: Visit, begun: list[str]) -> None:
    client = visit("admin", "en")
    assert 'name="enabled"' not in client.get("/console/rules/R-E12").text
    answer = ask(client, "R-E12", switch="1")
    assert answer.status_code == 422
    assert 'id="fault-enabled"' in answer.text
    assert begun == []


def test_a_trial_says_how_far_it_is_and_can_be_stopped(visit: Visit, seeded: Rooms, begun: list[str]) -> None:
    client = visit("admin", "en")
    page = ask(client, **WINDOW).headers["location"]
    with seeded.database.write() as session:
        trials.hear(session, seeded.compound, begun[0], seeded.clock.now(), done=420, seen=1234)
    shown = client.get(page)
    assert 'value="0.420"' in shown.text
    assert "1234" in shown.text
    assert 'hx-trigger="load delay:1s"' in shown.text
    part = client.get(page, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div class="stack" id="trial"')
    assert client.post(f"{page}/cancelling").status_code == 303
    stopped = client.get(page).text
    assert "was stopped" in stopped
    assert "hx-trigger" not in stopped


def test_one_at_a_time_and_who_asks_again_takes_back_what_they_asked(
    visit: Visit, seeded: Rooms, begun: list[str]
) -> None:
    with seeded.database.write() as session:
        text = "version = 1\n\n[rules.R-E01]\nwindow_s = 20\n"
        first = trials.ask(session, seeded.compound, text, 1, OTHER, seeded.clock.now(), base=0).id
    client = visit("admin", "en")
    answer = ask(client, **WINDOW)
    assert answer.status_code == 409
    assert f"/console/rules/trials/{first}" in answer.text
    assert 'value="30"' in answer.text
    client.post(f"/console/rules/trials/{first}/cancelling")
    assert ask(client, **WINDOW).status_code == 303
    assert ask(client, **{"value.window_s": "31"}).status_code == 303
    with seeded.database.read() as session:
        states = {one: session.get_one(RuleTrial, one).state for one in begun}
    assert sorted(states.values()) == ["cancelled", "running"]


def test_a_trial_of_which_nothing_is_heard_has_broken_off(visit: Visit, seeded: Rooms) -> None:
    client = visit("admin", "en")
    page = ask(client, **WINDOW).headers["location"]
    seeded.clock.advance(minutes=4)
    assert "broke off" in client.get(page).text


def test_what_was_tried_is_saved_with_a_reason_and_noted(
    visit: Visit, seeded: Rooms, tried: Callable[[], str]
) -> None:
    client = visit("admin", "en")
    page = ask(client, **WINDOW).headers["location"]
    assert client.post(f"{page}/saving", data={"note": "early"}).status_code == 409
    tried()
    assert 'id="sentence"' in client.get(page).text
    without = client.post(f"{page}/saving", data={"note": " "})
    assert without.status_code == 422
    assert kept(seeded) == []
    saved = client.post(f"{page}/saving", data={"note": "slow cards"})
    assert saved.headers["location"] == "/console/rules/R-E01?saved=1"
    (row,) = kept(seeded)
    assert (row.author, row.note) == ("u-admin", "slow cards")
    entry = load(row.text).file.entries["R-E01"]
    assert entry.values == {"window_s": 30}
    html = client.get(saved.headers["location"]).text
    assert "Version 1 is in force" in html
    assert "slow cards" in html
    with seeded.database.read() as session:
        noted = session.scalars(select(AuditRow.actor).where(AuditRow.action == "rules.changed")).all()
    assert noted == ["u-admin"]


def test_saving_asks_who_sits_there(visit: Visit, seeded: Rooms, tried: Callable[[], str]) -> None:
    client = visit("admin", "en")
    page = ask(client, **WINDOW).headers["location"]
    tried()
    seeded.clock.advance(seconds=PROOF_LASTS.total_seconds() + 1)
    assert "/prove?next=" in client.get(page).text
    led = client.post(f"{page}/saving", data={"note": "x"})
    assert led.headers["location"] == f"/prove?next={page}"
    assert kept(seeded) == []


def test_what_was_changed_meanwhile_is_said_with_whose_it_is(
    visit: Visit, seeded: Rooms, tried: Callable[[], str]
) -> None:
    client = visit("admin", "en")
    page = ask(client, **WINDOW).headers["location"]
    tried()
    other_saves(seeded)
    answer = client.post(f"{page}/saving", data={"note": "slow cards"})
    assert answer.status_code == 409
    assert "changed meanwhile by manager" in answer.text
    assert "tidied" in answer.text
    assert [row.number for row in kept(seeded)] == [1]
    # And a form that was opened before it keeps what was typed.
    again = ask(client, **WINDOW)
    assert again.status_code == 409
    assert "changed meanwhile by manager" in again.text
    assert 'value="30"' in again.text
    assert 'name="since" value="1"' in again.text


def test_a_level_and_a_switch_are_changed_with_everything_else_as_it_was(
    visit: Visit, seeded: Rooms, tried: Callable[[], str]
) -> None:
    client = visit("admin", "en")
    html = client.get("/console/rules/R-B06").text
    level, options = re.search(r'name="severity\.(\w+)".*?</select>', html, re.DOTALL).group(1, 0)
    value = next(one[0] for one in re.findall(r'value="(\d)"( selected)?', options) if not one[1])
    page = ask(client, "R-B06", switch="1", **{f"severity.{level}": value}).headers["location"]
    tried()
    client.post(f"{page}/saving", data={"note": "works"})
    (row,) = kept(seeded)
    file = load(row.text).file
    assert file.entries["R-B06"].enabled is False
    assert file.entries["R-B06"].severities == {level: int(value)}
    assert {name for name, entry in file.entries.items() if entry.values or not entry.enabled} == {"R-B06"}


def test_a_number_is_changed_tried_and_saved_in_a_browser(
    browse: Callable[..., Page], served: Any, begun: list[str]
) -> None:
    page = browse("admin", locale="en-GB")
    page.goto(f"{served.url}/console/rules")
    page.get_by_role("link", name="R-E01").click()
    page.get_by_label("window_s").fill("30")
    page.get_by_label("Span").select_option("1")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    run_trial(served.rooms.database, served.rooms.compound, begun[-1], served.rooms.clock)
    # The page finds the result by itself.
    expect(page.locator("#sentence")).to_contain_text("Nothing would have been different")
    page.get_by_label("Reason").fill("slow cards")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1 is in force")).to_be_visible()
    expect(page.get_by_role("region", name="Versions")).to_contain_text("slow cards")
    expect(page.get_by_label("window_s")).to_have_value("30")
