"""Contacts, rules, the test and the receipts over the API; and who may read what."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from console_world import COMPOUND, START
from httpx import AsyncClient as Browser

from alerts.notify import ends
from alerts.notify.asking import Ask, ask
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from console.accounts.models import Role
from console.api import receipts
from storage import Database, new_id

API = "/api/v1"
PHONE = {"kind": "telephone", "name": "Old phone", "address": "+86 138 0000 0000"}
HOOK = {"kind": "webhook", "name": "Office", "address": "https://office.example/in"}


@pytest.fixture
def li(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="li", name="li")


@pytest.fixture
def wang(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")


@pytest.fixture
def chief(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.ADMINISTRATOR, name="chief")


@pytest.fixture
def operator(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.OPERATOR, name="operator")


def tried(
    database: Database, kind: ChannelKind, *, contact: str, responder: str = "li", **changes: object
) -> tuple[str, str]:
    """A notification and its one try, which was handed over."""
    with database.write() as session:
        (row,) = ask(
            session,
            [Ask(COMPOUND, new_id(), Purpose.SHIFT, responder=responder, **changes)],  # type: ignore[arg-type]
            START,
        )
        ends.move(row, START, START)
        attempt = NotificationAttempt(
            id=new_id(),
            notification=row.id,
            contact=contact,
            kind=kind,
            number=1,
            state=AttemptState.HANDED_OVER,
            at=START,
        )
        session.add(attempt)
        return row.id, attempt.id


def state_of(database: Database, notification: str) -> str:
    with database.read() as session:
        return session.get_one(Notification, notification).state


async def test_an_address_goes_in_and_never_comes_out(li: Browser, wang: Browser, database: Database) -> None:
    made = await li.post(f"{API}/contacts", json=PHONE)
    assert made.status_code == 201
    listed = await li.get(f"{API}/contacts")
    assert [one["hint"] for one in listed.json()] == ["…00"]
    assert "138" not in made.text + listed.text
    assert (await wang.get(f"{API}/contacts")).json() == []
    # Another's contact is none.
    key = made.json()["id"]
    assert (await wang.delete(f"{API}/contacts/{key}")).status_code == 404
    assert (await wang.post(f"{API}/contacts/{key}/test", params={"wait": 0})).status_code == 404
    assert (await li.delete(f"{API}/contacts/{key}")).status_code == 204
    assert (await li.get(f"{API}/contacts")).json() == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"kind": "telephone", "address": "call me"}, "contact_address"),
        ({"kind": "apprise", "address": "gopher://x"}, "contact_address"),
        ({"kind": "webhook", "address": "https://a.example/"}, "contact_kind"),
        ({"kind": "mqtt", "address": "siren"}, "contact_kind"),
    ],
)
async def test_what_is_no_address_is_refused(li: Browser, asked: dict[str, str], code: str) -> None:
    answer = await li.post(f"{API}/contacts", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_a_webhooks_secret_is_shown_once(chief: Browser) -> None:
    made = (await chief.post(f"{API}/channels", json=HOOK)).json()
    assert len(made["secret"]) > 30
    (listed,) = (await chief.get(f"{API}/channels")).json()
    assert listed["hint"] == "office.example"
    assert made["secret"] not in str(listed)


async def test_a_rule_is_of_ones_own_contacts(li: Browser, wang: Browser) -> None:
    mine = (await li.post(f"{API}/contacts", json=PHONE)).json()["id"]
    other = (await wang.post(f"{API}/contacts", json=PHONE)).json()["id"]
    rule = {"important": True, "steps": [{"contact": mine, "after_s": 5}, {"contact": mine, "after_s": 60}]}
    assert (await li.put(f"{API}/contact-rules", json=rule)).status_code == 204
    rules = (await li.get(f"{API}/contact-rules")).json()
    assert (rules["important"], rules["default"]) == (rule["steps"], [])
    assert [one["contact"] for one in rules["usual"]] == [mine]
    stolen = {"steps": [{"contact": other, "after_s": 0}]}
    assert (await li.put(f"{API}/contact-rules", json=stolen)).status_code == 404

    # A contact that goes leaves the rules.
    await li.delete(f"{API}/contacts/{mine}")
    assert (await li.get(f"{API}/contact-rules")).json()["important"] == []


async def test_quiet_hours_are_ones_own(li: Browser) -> None:
    hours = {"quiet_from": 1320, "quiet_to": 390}
    assert (await li.put(f"{API}/quiet-hours", json=hours)).status_code == 204
    assert (await li.get(f"{API}/quiet-hours")).json() == hours
    half = {"quiet_from": 1320, "quiet_to": None}
    assert (await li.put(f"{API}/quiet-hours", json=half)).status_code == 409


async def test_the_test_is_for_that_contact_alone_and_twice_at_once_is_once(
    li: Browser, database: Database
) -> None:
    key = (await li.post(f"{API}/contacts", json=PHONE)).json()["id"]
    first = await li.post(f"{API}/contacts/{key}/test", params={"wait": 0})
    again = await li.post(f"{API}/contacts/{key}/test", params={"wait": 0})
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["attempts"]) == ("pending", [])
    with database.read() as session:
        row = session.get_one(Notification, first.json()["notification"])
        assert (row.purpose, row.responder, row.channel) == (Purpose.TEST, "li", key)


async def test_a_receipt_needs_nobody_signed_in_and_says_nothing(
    li: Browser, anonymous: Browser, database: Database
) -> None:
    contact = (await li.post(f"{API}/contacts", json=PHONE)).json()["id"]
    notification, attempt = tried(database, ChannelKind.WEB_PUSH, contact=contact)
    for named in ("0" * 32, attempt, attempt):
        answer = await anonymous.post(f"{API}/notifications/receipts", json={"attempt": named})
        assert (answer.status_code, answer.content) == (204, b"")
    assert state_of(database, notification) == NotificationState.TOLD
    bad = await anonymous.post(f"{API}/notifications/receipts", json={"attempt": "' OR 1=1"})
    assert bad.status_code == 422


async def test_too_many_receipts_are_asked_to_wait(
    anonymous: Browser, world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MOST", 3)
    answers = [
        await anonymous.post(f"{API}/notifications/receipts", json={"attempt": "0" * 32}) for _ in range(4)
    ]
    assert [one.status_code for one in answers] == [204, 204, 204, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_who_was_told_when_by_what(li: Browser, operator: Browser, database: Database) -> None:
    contact = (await li.post(f"{API}/contacts", json=PHONE)).json()["id"]
    notification, attempt = tried(database, ChannelKind.WEB_PUSH, contact=contact, incident="i1")
    tried(database, ChannelKind.WEB_PUSH, contact=contact, incident="i2")

    (one,) = (await operator.get(f"{API}/incidents/i1/notifications")).json()
    assert (one["id"], one["responder"], one["attempts"][0]["kind"]) == (notification, "li", "web_push")
    # The receipt's secret is none of the reader's.
    assert attempt not in str(one)
    page = (await operator.get(f"{API}/notifications", params={"state": "pending", "limit": 1})).json()
    assert len(page["items"]) == 1
    assert page["next_cursor"]
    assert (await operator.get(f"{API}/notifications", params={"state": "told"})).json()["items"] == []


@pytest.mark.parametrize(("reached", "state"), [(True, AttemptState.RECEIVED), (False, AttemptState.FAILED)])
async def test_an_operator_calls_and_says_what_came_of_it(
    li: Browser, operator: Browser, database: Database, *, reached: bool, state: AttemptState
) -> None:
    contact = (await li.post(f"{API}/contacts", json=PHONE)).json()["id"]
    notification, attempt = tried(database, ChannelKind.TELEPHONE, contact=contact)
    (call,) = (await operator.get(f"{API}/notifications/calls")).json()
    assert (call["notification"], call["number"]) == (notification, PHONE["address"])

    said = await operator.post(f"{API}/notifications/calls/{notification}", json={"reached": reached})
    assert said.status_code == 204
    assert (await operator.get(f"{API}/notifications/calls")).json() == []
    with database.read() as session:
        assert session.get_one(NotificationAttempt, attempt).state == state
    again = await operator.post(f"{API}/notifications/calls/{notification}", json={"reached": reached})
    assert again.status_code == 404


async def test_what_is_sealed_is_not_in_the_file(li: Browser, database: Database) -> None:
    await li.post(f"{API}/contacts", json=PHONE)
    with database.read() as session:
        raw = session.connection().exec_driver_sql("SELECT address FROM contacts").scalar_one()
    assert b"138" not in bytes(raw)
    with database.read() as session:
        assert session.query(Contact).one().address == PHONE["address"]
