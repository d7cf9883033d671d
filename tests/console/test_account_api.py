"""Accounts over HTTP: who may make, change and end whom, and one's own sessions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from console.accounts import service
from console.accounts.models import Role, User, UserSession
from console.accounts.people import MADE_BY, Account, refusal
from storage.audit import AuditRow

USERS = "/api/v1/users"


@pytest.fixture
def put(administrator):
    async def change(user: User, what: str, **given):
        return await administrator.put(f"{USERS}/{user.id}/{what}", json=given)

    return change


async def test_new_account_comes_with_a_link_that_sets_it_up_once(administrator, anonymous, database, world):
    made = await administrator.post(USERS, json={"name": "Sun", "role": "operator", "compounds": ["honghua"]})
    assert made.status_code == 201, made.text
    assert (await anonymous.get(made.json()["setup_path"])).status_code == 200
    again = await administrator.post(USERS, json={"name": "ＳＵＮ", "role": "guard"})
    assert again.json()["code"] == "name_taken"
    with database.read() as session:
        rows = list(session.scalars(select(AuditRow).where(AuditRow.action == "account.created")))
        assert [(row.actor, row.detail) for row in rows] == [(administrator.user.id, "operator")]


async def test_terminal_gets_no_link(administrator, world):
    made = await administrator.post(USERS, json={"name": "gate", "role": "device", "device": "cam-1"})
    assert (made.status_code, made.json()["setup_path"]) == (201, None)


@pytest.mark.parametrize(
    ("given_role", "more", "status"),
    [
        ("guard", {}, 201),
        ("volunteer", {}, 201),
        ("resident", {"person": "adult"}, 201),
        ("resident", {"person": "stranger"}, 422),
        ("resident", {}, 422),
        ("operator", {}, 409),
        ("administrator", {}, 409),
        ("police", {}, 409),
        ("property_manager", {}, 409),
    ],
)
async def test_manager_makes_accounts_outside_the_control_room_in_the_own_compound(
    signed_in, database, world, given_role, more, status
):
    manager = signed_in(Role.PROPERTY_MANAGER)
    with database.write() as session:
        session.get_one(User, manager.user.id).compounds = ["honghua"]
    compounds = [] if given_role == "resident" else ["honghua"]
    asked = {"name": "new", "role": given_role, "compounds": compounds, **more}
    answer = await manager.post(USERS, json=asked)
    assert answer.status_code == status, answer.text
    elsewhere = await manager.post(USERS, json={"name": "b", "role": "guard", "compounds": ["sifang"]})
    everywhere = await manager.post(USERS, json={"name": "c", "role": "guard"})
    assert {elsewhere.json()["code"], everywhere.json()["code"]} == {"beyond_compounds"}


async def test_accounts_beyond_ones_care_are_not_shown_and_not_found(signed_in, make_user, administrator):
    manager, boss = signed_in(Role.PROPERTY_MANAGER), administrator.user
    guard = make_user("a guard", Role.GUARD)
    names = {item["name"] for item in (await manager.get(USERS)).json()["items"]}
    assert names == {"a guard"}
    for what in ({"active": False},):
        answer = await manager.put(f"{USERS}/{boss.id}/active", json=what)
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
    assert (await manager.put(f"{USERS}/{guard.id}/active", json={"active": False})).status_code == 204


async def test_nobody_changes_what_they_are_themselves(put, administrator):
    for what, asked, code in (
        ("role", {"role": "operator"}, "own_role"),
        ("place", {"compounds": []}, "own_role"),
        ("active", {"active": False}, "own_account"),
    ):
        answer = await put(administrator.user, what, **asked)
        assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_last_administrator_who_can_sign_in_stays(put, make_user, database, administrator):
    other = make_user("other", Role.ADMINISTRATOR)
    # Neither has a password yet: whoever remains could not sign in.
    for what, asked in (("role", {"role": "operator"}), ("active", {"active": False})):
        assert (await put(other, what, **asked)).json()["code"] == "last_administrator"
    with database.write() as session:
        session.get_one(User, administrator.user.id).password_hash = "$argon2id$some"
    assert (await put(other, "role", role="operator")).status_code == 204


async def test_change_of_role_ends_sessions_and_takes_the_responder_away(put, volunteer, database):
    assert (await volunteer.get("/api/v1/me")).status_code == 200
    assert (await put(volunteer.user, "role", role="auditor")).status_code == 204
    assert (await volunteer.get("/api/v1/me")).status_code == 401
    with database.read() as session:
        row = session.get_one(User, volunteer.user.id)
        assert (row.role, row.responder_id) == ("auditor", None)


async def test_ended_account_comes_back_only_by_who_has_it_in_care(put, operator):
    assert (await put(operator.user, "active", active=False)).status_code == 204
    assert (await operator.get("/api/v1/me")).status_code == 401
    assert (await put(operator.user, "active", active=True)).status_code == 204
    assert (await operator.get("/api/v1/me")).status_code == 401, "the session does not come back"


async def test_sessions_are_ended_one_by_one_or_all_but_this(operator, database, clock):
    def more() -> None:
        with database.write() as session:
            user = session.get_one(User, operator.user.id)
            agent = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0"
            service.open_session(session, user, service.Client("10.0.0.8", agent), clock.now())

    more()
    listed = (await operator.get("/api/v1/me/sessions")).json()["items"]
    assert sorted((item["device"], item["this"]) for item in listed) == [
        ("", True),
        ("Chrome · Android", False),
    ]
    other = next(item["id"] for item in listed if not item["this"])
    assert (await operator.delete(f"/api/v1/me/sessions/{other}")).status_code == 204
    assert (await operator.delete(f"/api/v1/me/sessions/{other}")).status_code == 404
    more()
    more()
    assert (await operator.post("/api/v1/me/sessions/end-others")).status_code == 204
    with database.read() as session:
        assert len(session.scalars(select(UserSession)).all()) == 1
    assert (await operator.get("/api/v1/me")).status_code == 200


async def test_nobody_ends_anothers_session_by_its_id(operator, administrator, database):
    with database.read() as session:
        hashes = dict(session.execute(select(UserSession.user, UserSession.token_hash)).all())
    foreign = service.session_id(hashes[administrator.user.id])
    assert (await operator.delete(f"/api/v1/me/sessions/{foreign}")).status_code == 404
    assert (await administrator.get("/api/v1/me")).status_code == 200


_places = st.none() | st.frozensets(st.sampled_from("abc"), max_size=3)


@given(st.sampled_from(Role), st.sampled_from(Role), _places, _places)
def test_nobody_has_in_care_what_they_could_not_see_or_are_below(by_role, of_role, by_places, of_places):
    by, of = Account("1", by_role, by_places), Account("2", of_role, of_places)
    if refusal(by, of) is None:
        assert of_role in MADE_BY[by_role]
        assert by_role is Role.ADMINISTRATOR or of_role not in {Role.ADMINISTRATOR, Role.PROPERTY_MANAGER}
        assert by_places is None or (of_places is not None and of_places <= by_places)
