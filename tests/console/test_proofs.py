"""Actions of weight ask once more who sits there; a token needs a scope of its own for them."""

import pytest
from test_roles import body, filled, routes

from console import api
from console.accounts.models import Role, User
from console.accounts.tokens import Scope, issue_api_token
from console.permissions import needs_proof

# Written down once more, apart from the routes: one that slips out of the table goes red.
WEIGHTY = {
    ("PUT", "/rules/file"),
    ("POST", "/rules/trials/{trial_id}/saving"),
    ("POST", "/people/{person_id}/erasure"),
    ("GET", "/exports/registry"),
    ("POST", "/watchlist/applications/{application_id}/decision"),
    ("POST", "/holds/{hold_id}/approval"),
    ("POST", "/holds/{hold_id}/release"),
    ("POST", "/disclosures/{disclosure_id}/delivery"),
    ("POST", "/breaches/affected"),
    ("POST", "/handovers/{handover_id}/signatures"),
    ("POST", "/users"),
    ("PUT", "/users/{user_id}/role"),
    ("PUT", "/users/{user_id}/place"),
    ("PUT", "/users/{user_id}/active"),
    ("POST", "/users/{user_id}/setup-link"),
    ("DELETE", "/users/{user_id}/second-factor"),
    ("DELETE", "/users/{user_id}/sessions"),
    ("POST", "/tokens"),
    ("DELETE", "/tokens/{token_id}"),
}


def test_routes_of_weight_are_those_of_the_table():
    def proven(dependant) -> bool:
        return needs_proof(dependant.call) or any(proven(one) for one in dependant.dependencies)

    found = {
        (method, route.path)
        for route in routes(api.router)
        for method in route.methods
        if proven(route.dependant)
    }
    assert found == WEIGHTY


@pytest.mark.parametrize("route", sorted(WEIGHTY), ids=" ".join)
async def test_who_proved_long_ago_is_asked_again_and_a_token_needs_its_scope(
    world, administrator, anonymous, clock, database, route
):
    async def ask(browser):
        return await browser.request(route[0], filled(route[1], world), **body(*route))

    with database.write() as session:
        owner = session.get_one(User, administrator.user.id)
        plain, privileged = (
            issue_api_token(
                session, owner, "t", scopes, at=clock.now(), expires_at=clock.now().replace(year=2027)
            )
            for scopes in ([Scope.READ, Scope.WRITE], [Scope.READ, Scope.WRITE, Scope.PRIVACY])
        )
    clock.advance(minutes=10, seconds=1)
    refused = await ask(administrator)
    assert (refused.status_code, refused.json()["code"]) == (403, "proof_required")
    anonymous.headers["Authorization"] = f"Bearer {plain}"
    refused = await ask(anonymous)
    assert (refused.status_code, refused.json()["code"]) == (403, "proof_required")
    anonymous.headers["Authorization"] = f"Bearer {privileged}"
    assert (await ask(anonymous)).status_code != 403


async def test_proof_lasts_ten_minutes(administrator, clock):
    for minutes, status in ((10, 201), (1, 403)):
        clock.advance(minutes=minutes)
        given = {"name": f"guard{minutes}", "role": "guard", "compounds": []}
        assert (await administrator.post("/api/v1/users", json=given)).status_code == status


async def test_role_that_may_not_is_told_so_and_not_asked_to_prove(signed_in, clock):
    guard = signed_in(Role.GUARD)
    clock.advance(minutes=11)
    answer = await guard.post("/api/v1/users", json={"name": "x", "role": "guard"})
    assert answer.json()["code"] == "forbidden"


async def test_use_of_a_token_is_noted(administrator, anonymous, database, clock):
    with database.write() as session:
        owner = session.get_one(User, administrator.user.id)
        token = issue_api_token(
            session, owner, "t", [Scope.READ], at=clock.now(), expires_at=clock.now().replace(year=2027)
        )
    clock.advance(hours=1)
    anonymous.headers["Authorization"] = f"Bearer {token}"
    assert (await anonymous.get("/api/v1/me")).status_code == 200
    listed = (await administrator.get("/api/v1/tokens")).json()["items"]
    assert [item["last_used"] for item in listed] == [clock.now().isoformat().replace("+00:00", "Z")]
    assert token not in str(listed)
