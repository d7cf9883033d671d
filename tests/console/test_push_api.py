"""Subscribing a browser: one's own contact, once, and nobody's who used that browser before."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx import AsyncClient as Browser
from sqlalchemy import select, text

from alerts.notify.channels.base64url import encode
from alerts.notify.channels.subscription import read
from alerts.notify.models import ChannelKind, Contact
from console.accounts.models import Role
from storage import Database

SUBSCRIPTIONS = "/api/v1/push/subscriptions"


def keys() -> dict[str, str]:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"p256dh": encode(raw), "auth": encode(b"0123456789abcdef")}


def made(path: str = "a", **changes: object) -> dict[str, object]:
    return {"endpoint": f"https://push.example/{path}", "keys": keys(), "name": "Pixel"} | changes


@pytest.fixture
def li(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="li", name="li")


@pytest.fixture
def wang(signed_in: Callable[..., Browser], world: SimpleNamespace) -> Browser:
    return signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")


def contacts(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.scalars(select(Contact).where(Contact.kind == ChannelKind.WEB_PUSH)).all()
        return sorted((row.responder or "", read(row.address).endpoint) for row in rows)


async def test_a_browser_becomes_a_way_to_reach_its_user(li: Browser, database: Database) -> None:
    answer = await li.post(SUBSCRIPTIONS, json=made())

    assert answer.status_code == 201
    assert contacts(database) == [("li", "https://push.example/a")]


async def test_the_subscription_lies_sealed_in_the_database(li: Browser, database: Database) -> None:
    await li.post(SUBSCRIPTIONS, json=made())

    with database.read() as session:
        stored = session.execute(text("SELECT address FROM contacts")).scalar_one()
    assert "push.example" not in str(stored)


async def test_the_same_browser_again_is_the_same_contact(li: Browser, database: Database) -> None:
    first = (await li.post(SUBSCRIPTIONS, json=made())).json()["contact"]
    with database.write() as session:
        session.get_one(Contact, first).failures = 9
    second = (await li.post(SUBSCRIPTIONS, json=made())).json()["contact"]

    assert first == second
    with database.read() as session:
        assert session.get_one(Contact, first).failures == 0


async def test_a_renewed_subscription_takes_the_place_of_the_old_one(li: Browser, database: Database) -> None:
    first = (await li.post(SUBSCRIPTIONS, json=made("old"))).json()["contact"]
    second = await li.post(SUBSCRIPTIONS, json=made("new", replaces="https://push.example/old"))

    assert second.json()["contact"] == first
    assert contacts(database) == [("li", "https://push.example/new")]


async def test_a_browser_that_somebody_else_uses_now_gets_no_letters_of_its_former_user(
    li: Browser, wang: Browser, database: Database
) -> None:
    await li.post(SUBSCRIPTIONS, json=made())
    await wang.post(SUBSCRIPTIONS, json=made())

    assert contacts(database) == [("wang", "https://push.example/a")]


async def test_nobody_replaces_or_ends_anothers_subscription(
    li: Browser, wang: Browser, database: Database
) -> None:
    await li.post(SUBSCRIPTIONS, json=made("li"))
    await wang.post(SUBSCRIPTIONS, json=made("wang", replaces="https://push.example/li"))
    ended = await wang.post(f"{SUBSCRIPTIONS}/end", json={"endpoint": "https://push.example/li"})

    assert ended.status_code == 204
    assert contacts(database) == [("li", "https://push.example/li"), ("wang", "https://push.example/wang")]


async def test_what_is_ended_is_gone(li: Browser, database: Database) -> None:
    await li.post(SUBSCRIPTIONS, json=made())
    await li.post(f"{SUBSCRIPTIONS}/end", json={"endpoint": "https://push.example/a"})

    assert contacts(database) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://user:secret@push.example/"},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {"p256dh": encode(b"\x04" + bytes(64)), "auth": encode(bytes(16))}},
        {"keys": {"p256dh": "***", "auth": "***"}},
    ],
)
async def test_what_is_no_subscription_is_refused(
    li: Browser, database: Database, changes: dict[str, object]
) -> None:
    answer = await li.post(SUBSCRIPTIONS, json=made() | changes)

    assert answer.status_code == 422
    assert contacts(database) == []


async def test_who_is_no_responder_has_nothing_to_be_sent(
    signed_in: Callable[..., Browser], world: SimpleNamespace
) -> None:
    answer = await signed_in(Role.ADMINISTRATOR).post(SUBSCRIPTIONS, json=made())

    assert (answer.status_code, answer.json()["code"]) == (409, "no_responder")


async def test_without_a_key_no_push_is_offered(li: Browser) -> None:
    assert (await li.get("/api/v1/push/key")).json() == {"key": None}
