"""Signing in by the organisation: the whole way against a real provider on loopback, and every refusal."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey
from sqlalchemy import select

from console.accounts.models import User
from console.accounts.provider import Provider, ProviderSettings, provider_key
from console.context import Rooms
from console.security import SESSION_COOKIE
from tests.support.sign_in_provider import CLIENT, SECRET, SignInProvider

Visit = Callable[..., TestClient]


@pytest.fixture
def organisation(clock) -> Iterator[SignInProvider]:
    provider = SignInProvider(lambda: clock.now().timestamp())
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def settings(organisation: SignInProvider, tmp_path: Path) -> ProviderSettings:
    secret = tmp_path / "client.secret"
    secret.write_text(f"{SECRET}\n")
    return ProviderSettings(
        organisation.issuer,
        CLIENT,
        secret,
        "红花街道",
        role_claim="groups",
        roles={"guards": "guard", "desk": "operator"},
    )


@pytest.fixture
def rooms(rooms: Rooms, settings: ProviderSettings) -> Rooms:
    return replace(rooms, provider=Provider(settings))


def link(rooms: Rooms, organisation: SignInProvider, user: str, value: str = "emp-1") -> None:
    with rooms.database.write() as session:
        session.get_one(User, user).provider_key = provider_key(organisation.issuer, "sub", value)


def go(client: TestClient, path: str = "/sign-in/provider?next=/console/devices") -> httpx.Response:
    """To the provider and back, as a browser goes."""
    there = client.get(path)
    assert there.status_code == 303
    if there.headers["location"].startswith("/"):
        return there
    back = httpx.get(there.headers["location"], trust_env=False).headers["location"]
    return client.get(back.removeprefix("http://testserver"))


def test_linked_account_signs_in_and_arrives_where_it_wanted_to(visit: Visit, rooms, organisation, seeded):
    link(rooms, organisation, "u-operator")
    client = visit(None)
    assert "红花街道" in client.get("/sign-in").text
    entered = go(client)
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/devices")
    assert client.get("/console/devices").status_code == 200
    asked = organisation.asked[0]
    assert len(asked["code_challenge"]) == 43
    assert {"state", "nonce"} <= set(asked)


@pytest.mark.parametrize(
    ("bent", "code"),
    [
        ({"nonce": "of another sign-in"}, "bad_nonce"),
        ({"nonce": None}, "bad_nonce"),
        ({"aud": "another client"}, "bad_audience"),
        ({"aud": [CLIENT, "another"]}, "bad_audience"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "bad_audience"),
        ({"iss": "https://elsewhere.example"}, "bad_issuer"),
        ({"exp": 1}, "expired"),
        ({"iat": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"sub": None}, "no_claim"),
        ({"sub": "emp-2"}, "not_linked"),
    ],
)
def test_what_does_not_hold_is_refused_in_clear_words(visit: Visit, rooms, organisation, seeded, bent, code):
    link(rooms, organisation, "u-operator")
    organisation.bent = bent
    client = visit(None, "en")
    back = go(client)
    assert back.headers["location"].startswith(f"/sign-in?refused={code}")
    page = client.get(back.headers["location"])
    assert 'role="alert"' in page.text
    assert f"{code}</p>" not in page.text, "a code is no word"
    assert SESSION_COOKIE not in client.cookies


def test_answer_counts_once_in_its_browser_and_for_minutes(visit: Visit, rooms, organisation, seeded, clock):
    link(rooms, organisation, "u-operator")
    client = visit(None)
    address = client.get("/sign-in/provider").headers["location"]
    back = httpx.get(address, trust_env=False).headers["location"].removeprefix("http://testserver")
    other = visit(None)
    assert "refused=bad_state" in other.get(back).headers["location"]
    assert client.get(back).headers["location"] == "/console"
    assert "refused=bad_state" in client.get(back).headers["location"]
    client = visit(None)
    address = client.get("/sign-in/provider").headers["location"]
    back = httpx.get(address, trust_env=False).headers["location"].removeprefix("http://testserver")
    clock.advance(minutes=10)
    assert "refused=bad_state" in client.get(back).headers["location"]


def test_token_that_another_key_signed_is_refused(visit: Visit, rooms, organisation, seeded):
    link(rooms, organisation, "u-operator")
    organisation.signing = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
    assert "refused=bad_signature" in go(visit(None)).headers["location"]
    organisation.signing = ECKey.generate_key("P-256", {"kid": "k9", "alg": "ES256", "use": "sig"})
    assert "refused=bad_signature" in go(visit(None)).headers["location"]


def test_provider_that_changed_its_keys_is_asked_for_them_again(visit: Visit, rooms, organisation, seeded):
    link(rooms, organisation, "u-operator")
    assert go(visit(None)).headers["location"] == "/console/devices"
    organisation.key = organisation.signing = ECKey.generate_key(
        "P-256", {"kid": "k2", "alg": "ES256", "use": "sig"}
    )
    assert go(visit(None)).headers["location"] == "/console/devices"


def test_provider_that_calls_itself_otherwise_is_not_gone_to(visit: Visit, organisation, seeded):
    organisation.called = "https://elsewhere.example"
    assert "refused=bad_issuer" in go(visit(None)).headers["location"]


def test_away_provider_is_told_of_and_the_form_still_works(visit: Visit, rooms, organisation, seeded):
    rooms.provider.settings = replace(rooms.provider.settings, issuer="http://127.0.0.1:1")
    client = visit(None, "en")
    back = go(client)
    assert "refused=unreachable" in back.headers["location"]
    page = client.get(back.headers["location"]).text
    assert "cannot be reached" in page
    assert 'name="password"' in page


def test_claim_that_a_setting_maps_makes_an_account_and_no_other_does(
    visit: Visit, rooms, organisation, seeded
):
    organisation.claims = {"sub": "emp-7", "preferred_username": "Sun.Guard", "groups": ["staff", "guards"]}
    assert go(visit(None), "/sign-in/provider").headers["location"] == "/registry"
    with rooms.database.read() as session:
        made = session.scalars(select(User).where(User.name == "sun.guard")).one()
        assert (made.role, made.password_hash, made.compounds) == ("guard", None, [rooms.compound])
    for claims, code in (
        ({"sub": "emp-8", "preferred_username": "x", "groups": ["staff"]}, "not_linked"),
        ({"sub": "emp-8", "preferred_username": "x", "groups": ["guards", "desk"]}, "not_linked"),
        ({"sub": "emp-9", "preferred_username": "Operator", "groups": "desk"}, "name_taken"),
    ):
        organisation.claims = claims
        assert f"refused={code}" in go(visit(None)).headers["location"], claims


def test_ended_account_is_not_let_in(visit: Visit, rooms, organisation, seeded):
    link(rooms, organisation, "u-operator")
    with rooms.database.write() as session:
        session.get_one(User, "u-operator").active = False
    assert "refused=not_linked" in go(visit(None)).headers["location"]


def test_proof_by_the_provider_asks_anew_and_takes_nobody_else(
    visit: Visit, rooms, organisation, seeded, clock
):
    link(rooms, organisation, "u-admin")
    client = visit("admin", "en")
    clock.advance(minutes=11)
    assert "/prove?next=" in client.post("/console/users/u-li/sessions/end").headers["location"]
    done = go(client, "/sign-in/provider?prove=1&next=/console/users/u-li")
    assert done.headers["location"] == "/console/users/u-li"
    assert organisation.asked[-1]["prompt"] == "login"
    assert client.post("/console/users/u-li/sessions/end").headers["location"].endswith("?done=ended")
    clock.advance(minutes=11)
    organisation.claims = {"sub": "emp-2"}
    assert "refused=other_user" in go(client, "/sign-in/provider?prove=1&next=/account").headers["location"]
    organisation.claims, organisation.bent = {"sub": "emp-1"}, {"auth_time": 1}
    assert "refused=not_anew" in go(client, "/sign-in/provider?prove=1&next=/account").headers["location"]


def test_email_links_only_where_the_provider_verified_it(visit: Visit, rooms, organisation, seeded):
    rooms.provider.settings = replace(rooms.provider.settings, claim="email")
    with rooms.database.write() as session:
        key = provider_key(organisation.issuer, "email", "li@honghua.example")
        session.get_one(User, "u-operator").provider_key = key
    organisation.claims = {"sub": "1", "email": "Li@honghua.example", "email_verified": False}
    assert "refused=email_unverified" in go(visit(None)).headers["location"]
    organisation.claims["email_verified"] = True
    assert go(visit(None)).headers["location"] == "/console/devices"
