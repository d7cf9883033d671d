"""Every route of the API against every role: what is not in the table does not exist."""

import pytest

from console import api, live
from console.accounts.models import Role
from console.permissions import ALLOWED, Action, action_of

# Written down once more, apart from the routes: a route that slips to another action goes red.
ROUTES = {
    ("GET", "/me"): Action.OWN_ACCOUNT,
    ("GET", "/compounds"): Action.PLACES_READ,
    ("GET", "/compounds/{compound_id}"): Action.PLACES_READ,
    ("GET", "/zones"): Action.PLACES_READ,
    ("GET", "/buildings"): Action.PLACES_READ,
    ("GET", "/devices"): Action.DEVICES_READ,
    ("GET", "/devices/{device_id}"): Action.DEVICES_READ,
    ("GET", "/events"): Action.EVENTS_READ,
    ("GET", "/events/{event_id}"): Action.EVENTS_READ,
    ("GET", "/sightings"): Action.EVENTS_READ,
    ("GET", "/sightings/{sighting_id}"): Action.EVENTS_READ,
    ("GET", "/incidents"): Action.INCIDENTS_READ,
    ("GET", "/incidents/{incident_id}"): Action.TASKS,
    ("POST", "/incidents/{incident_id}/steps"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/dispatches"): Action.INCIDENTS_DECIDE,
    ("GET", "/dispatches"): Action.TASKS,
    ("POST", "/dispatches/{dispatch_id}/{reply}"): Action.TASKS,
    ("GET", "/responders"): Action.INCIDENTS_READ,
    ("GET", "/people/{person_id}"): Action.PEOPLE_FIND,
    ("GET", "/people/{person_id}/consents"): Action.PEOPLE_FIND,
    ("POST", "/people/{person_id}/consents"): Action.CONSENTS_RECORD,
    ("DELETE", "/people/{person_id}/consents/{purpose}"): Action.CONSENTS_RECORD,
    ("POST", "/people/{person_id}/templates"): Action.FACES_ENROL,
    ("GET", "/deadletters"): Action.EVENTS_READ,
    ("GET", "/deadletters/{letter_id}"): Action.EVENTS_READ,
    ("GET", "/media/{media_id}"): Action.MEDIA_VIEW,
    ("GET", "/audit"): Action.AUDIT_READ,
    ("GET", "/audit/verification"): Action.AUDIT_READ,
    ("GET", "/stream"): Action.TASKS,
}


class Ids(dict):
    """Ids of what the world holds; of anything else one that nothing has."""

    def __missing__(self, key: str) -> str:
        return "none"


def filled(path: str, world) -> str:
    ids = Ids(
        compound_id="honghua",
        device_id="cam-1",
        event_id=world.event,
        incident_id=world.sent,
        dispatch_id=world.own,
        reply="accept",
        person_id="adult",
        purpose="face_access",
        letter_id=world.letter,
        media_id=world.picture,
        sighting_id=world.sighting,
    )
    return "/api/v1" + path.format_map(ids)


def body(method: str, path: str) -> dict:
    if path.endswith("/steps"):
        return {"json": {"to": "resolved"}}
    if path.endswith("/dispatches") and method == "POST":
        return {"json": {"responder_ids": ["wang"]}}
    if path.endswith("/consents") and method == "POST":
        given = {"purpose": "face_access", "wording": "I agree", "channel": "counter", "given_by": "self"}
        return {"json": given}
    if path.endswith("/templates"):
        return {"files": {"photo": b"a face"}}
    return {"params": {"purpose": "monitoring"}} if path.startswith("/people") else {}


def guards(dependant) -> set[Action]:
    """The actions that a route's dependencies ask for, however deep they lie."""
    found = set()
    for inner in dependant.dependencies:
        action = action_of(inner.call)
        found |= {action} if action else guards(inner)
    return found


def routes(router):
    """All routes below a router, whichever way it includes others."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else routes(inner)


def test_every_route_asks_for_the_action_of_the_table(app):
    found = {
        (method, route.path): guards(route.dependant)
        for route in routes(api.router)
        for method in route.methods
    }
    assert found == {route: {action} for route, action in ROUTES.items()}
    # And the application serves no other under the same roof.
    served = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in app.openapi()["paths"].items()
        if path.startswith("/api/v1/")
        for method in operations
    }
    assert served == set(ROUTES)


def test_every_action_has_roles_and_an_administrator_or_is_somebodys_own():
    assert set(ALLOWED) == set(Action)
    own = {Action.OWN_DATA, Action.TERMINAL_ORDERS}
    assert all(Role.ADMINISTRATOR in roles for action, roles in ALLOWED.items() if action not in own)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
async def test_routes_answer_those_they_are_for(monkeypatch, world, signed_in, anonymous, role):
    # A stream that is allowed would not end.
    monkeypatch.setattr(live, "WATCHERS_MAX", 0)
    browser = signed_in(role, responder_id=world.responder) if role else anonymous
    for (method, path), action in ROUTES.items():
        answer = await browser.request(method, filled(path, world), **body(method, path))
        told = (method, path, answer.status_code, answer.text[:200])
        if role is None:
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), told
        elif role in ALLOWED[action]:
            assert answer.status_code not in {401, 403, 405, 500}, told
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), told


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DEVICE}))
async def test_user_of_another_compound_gets_nothing(world, signed_in, database, role):
    browser = signed_in(role)
    with database.write() as session:
        session.get_one(type(browser.user), browser.user.id).compounds = ["sifang"]
    for (method, path), action in ROUTES.items():
        if role not in ALLOWED[action]:
            continue
        answer = await browser.request(method, filled(path, world), **body(method, path))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
