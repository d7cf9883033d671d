"""The page of how somebody is reached: theirs alone, tested by a button, and it says how each way stands."""

import datetime as dt
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.duty.models import Responder
from alerts.notify import contacts
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    ContactStep,
    Notification,
    NotificationAttempt,
    NotificationState,
)
from console.context import Rooms
from storage import new_id

PHONE, CONSOLE = "/phone/notifications", "/console/notifications"
SECRET = "wecombot://693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


def posted(client: TestClient, path: str, **data: object) -> int:
    answer = client.post(path, data={"csrf_token": client.headers["X-CSRF-Token"]} | data)
    assert answer.status_code in {303, 409}, answer.text[:300]
    return answer.status_code


def made(rooms: Rooms, responder: str | None = "r-li", **changes: object) -> str:
    facts: dict[str, object] = {
        "id": new_id(), "compound": rooms.compound, "responder": responder, "kind": ChannelKind.APPRISE,
        "name": "群", "address": SECRET, "settings": {}, "enabled": True, "created_at": rooms.clock.now(),
    }  # fmt: skip
    with rooms.database.write() as session:
        row = Contact(**facts | changes)
        session.add(row)
        return row.id


def rows(rooms: Rooms) -> list[Contact]:
    with rooms.database.read() as session:
        found = list(session.scalars(select(Contact).order_by(Contact.created_at)))
        session.expunge_all()
        return found


def test_a_way_is_added_shown_without_its_address_and_removed(
    visit: Callable[..., TestClient], seeded: Rooms
) -> None:
    li = visit("li")
    posted(li, f"{PHONE}/contacts", kind="apprise", name="我的群", address=SECRET)

    page = li.get(PHONE)

    (contact,) = rows(seeded)
    assert (contact.responder, contact.address) == ("r-li", SECRET)
    assert "我的群" in page.text
    assert "693a91f6" not in page.text
    posted(li, f"{PHONE}/contacts/{contact.id}/remove")
    assert rows(seeded) == []


@pytest.mark.parametrize(
    ("kind", "address"),
    [("apprise", "file:///etc/passwd"), ("telephone", "not a number"), ("mqtt", "siren-1")],
)
def test_what_is_no_address_is_refused_in_words(
    visit: Callable[..., TestClient], seeded: Rooms, kind: str, address: str
) -> None:
    answer = visit("li").post(
        f"{PHONE}/contacts",
        data={"kind": kind, "address": address, "csrf_token": visit("li").headers["X-CSRF-Token"]},
    )

    assert answer.status_code in {403, 409}
    assert rows(seeded) == []


def test_nobody_sees_tests_or_removes_anothers_way(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    contact = made(seeded, "r-wang", name="王的群")
    li = visit("li")

    assert "王的群" not in li.get(PHONE).text
    for what in ("remove", "test"):
        answer = li.post(f"{PHONE}/contacts/{contact}/{what}")
        assert answer.status_code == 404
    assert len(rows(seeded)) == 1


HEALTH = [
    ({}, "未试过"),
    ({"worked_at": 0}, "正常"),
    ({"failed_at": 0, "failures": 2, "error": "server_error"}, "有失败"),
    ({"failed_at": 0, "failures": 9, "dead_since": 0, "error": "gone"}, "失效"),
]


@pytest.mark.parametrize(("state", "word"), HEALTH)
def test_the_page_says_how_each_way_stands(
    visit: Callable[..., TestClient], seeded: Rooms, state: dict, word: str
) -> None:
    at = seeded.clock.now() - dt.timedelta(minutes=5)
    made(seeded, **{name: at if name.endswith(("_at", "_since")) else value for name, value in state.items()})

    page = visit("li").get(PHONE).text

    assert f">{word}</span>" in page


def test_a_test_says_what_came_of_it_and_when(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    contact = made(seeded)
    li = visit("li")
    answer = li.post(f"{PHONE}/contacts/{contact}/test")
    where = answer.headers["location"]
    asked = where.rpartition("=")[2]

    waiting = li.get(where).text
    with seeded.database.write() as session:
        row = session.get_one(Notification, asked)
        row.state = NotificationState.TOLD
        session.add(
            NotificationAttempt(
                id=new_id(), notification=asked, contact=contact, kind=ChannelKind.APPRISE, number=1,
                state=AttemptState.FAILED, error="no_connection", at=seeded.clock.now(),
            )
        )  # fmt: skip
    came = li.get(f"{PHONE}/tested/{asked}").text

    assert "hx-trigger" in waiting
    assert "连接不上" in came
    assert "hx-trigger" not in came
    assert visit("wang").get(f"{PHONE}/tested/{asked}").text.strip() == ""


def test_a_rule_is_kept_in_its_order_and_shown_again(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    first, second = made(seeded, name="甲"), made(seeded, name="乙")
    li = visit("li")
    posted(li, f"{PHONE}/rule", contact=[second, "", first], after=["0", "30", "60"], important="yes")

    with seeded.database.read() as session:
        steps = session.scalars(select(ContactStep).order_by(ContactStep.number)).all()
        kept = [(one.contact, one.after_s, one.important) for one in steps]
    assert kept == [(second, 0, True), (first, 60, True)]
    assert f'<option value="{second}" selected>' in li.get(PHONE).text


def test_nobody_puts_anothers_way_into_a_rule(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    foreign = made(seeded, "r-wang")
    li = visit("li")

    answer = li.post(f"{PHONE}/rule", data={"contact": [foreign], "after": ["0"]})

    assert answer.status_code == 404


def test_quiet_hours_over_midnight_are_kept(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    li = visit("li")
    posted(li, f"{PHONE}/quiet", begins="22:30", ends="06:00")

    with seeded.database.read() as session:
        row = session.get_one(Responder, "r-li")
        assert (row.quiet_from, row.quiet_to) == (22 * 60 + 30, 6 * 60)
    assert 'value="22:30"' in li.get(PHONE).text
    assert posted(li, f"{PHONE}/quiet", begins="22:30", ends="") == 409
    assert posted(li, f"{PHONE}/quiet", begins="x", ends="y") == 409
    posted(li, f"{PHONE}/quiet", begins="", ends="")
    with seeded.database.read() as session:
        assert session.get_one(Responder, "r-li").quiet_from is None


def test_a_webhooks_secret_is_shown_once(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    admin = visit("admin")
    answer = admin.post(
        f"{CONSOLE}/channels",
        data={"kind": "webhook", "address": "https://hooks.example/abc", "name": "平台"},
    )

    (contact,) = rows(seeded)
    assert contact.secret is not None
    assert contact.secret in answer.text
    again = admin.get(CONSOLE).text
    assert contact.secret not in again
    assert "平台" in again
    assert "/abc" not in again


def test_a_siren_is_entered_with_what_it_does(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    admin = visit("admin")
    posted(
        admin, f"{CONSOLE}/channels", kind="mqtt", address="siren-1", do="speak", seconds="20", drills="true"
    )

    (contact,) = rows(seeded)
    assert contact.settings == {"do": "speak", "seconds": 20, "drills": True}


@pytest.mark.parametrize("name", ["operator", "li", "manager"])
def test_only_an_administrator_sees_or_changes_the_compounds_channels(
    visit: Callable[..., TestClient], seeded: Rooms, name: str
) -> None:
    contact = made(seeded, None, name="全区警号", kind=ChannelKind.MQTT, address="siren-1")
    client = visit(name)

    assert "全区警号" not in client.get(CONSOLE).text
    for path in (f"{CONSOLE}/channels", f"{CONSOLE}/channels/{contact}/remove"):
        assert client.post(path, data={"kind": "console", "address": ""}).status_code == 403
    assert len(rows(seeded)) == 1


def test_who_is_no_responder_is_told_so(visit: Callable[..., TestClient], seeded: Rooms) -> None:
    page = visit("operator").get(CONSOLE)

    assert page.status_code == 200
    assert posted(visit("operator"), f"{CONSOLE}/contacts", kind="telephone", address="13900000000") == 409


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_says_what_to_do_with_a_silent_phone(
    visit: Callable[..., TestClient], seeded: Rooms, language: str
) -> None:
    """A phone on silent that nobody told about (OnCall #3579)."""
    page = visit("li", language).get(PHONE).text

    assert {"zh-CN": "手机静音时怎么办", "en": "This phone is on silent"}[language] in page
    assert "reached." not in page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768)])
def test_the_page_fits_and_its_forms_work(
    browse: Callable[..., Page], served, width: int, height: int
) -> None:
    page = browse("li", width=width, height=height)
    page.goto(served.url + PHONE)
    page.get_by_label("号码或地址").fill("13900000000")
    page.get_by_label("名称").fill("手机")
    page.get_by_role("button", name="添加", exact=True).click()

    expect(page.get_by_role("main")).to_contain_text("电话 · 手机", timeout=20_000)
    for summary in page.locator("details.ask > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_kinds_of_a_form_are_those_that_are_taken() -> None:
    from console.pages.notifications import _ENTERED

    assert set(_ENTERED) <= contacts.OWN_KINDS
