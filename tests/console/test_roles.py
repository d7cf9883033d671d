"""Every route of the API against every role: what is not in the table does not exist."""

import pytest

from console import live
from console.accounts.models import Role

STAFF = {Role.OPERATOR, Role.ADMINISTRATOR}
EVERYBODY = set(Role)

ALLOWED = {
    ("GET", "/me"): EVERYBODY,
    ("GET", "/compounds"): EVERYBODY,
    ("GET", "/compounds/{compound_id}"): EVERYBODY,
    ("GET", "/zones"): EVERYBODY,
    ("GET", "/buildings"): EVERYBODY,
    ("GET", "/devices"): STAFF,
    ("GET", "/devices/{device_id}"): STAFF,
    ("GET", "/events"): STAFF,
    ("GET", "/events/{event_id}"): STAFF,
    ("GET", "/sightings"): STAFF,
    ("GET", "/sightings/{sighting_id}"): STAFF,
    ("GET", "/incidents"): STAFF,
    ("GET", "/incidents/{incident_id}"): EVERYBODY,
    ("POST", "/incidents/{incident_id}/steps"): STAFF,
    ("POST", "/incidents/{incident_id}/dispatches"): STAFF,
    ("GET", "/dispatches"): EVERYBODY,
    ("POST", "/dispatches/{dispatch_id}/{reply}"): EVERYBODY,
    ("GET", "/responders"): STAFF,
    ("GET", "/people/{person_id}"): STAFF,
    ("GET", "/people/{person_id}/consents"): STAFF,
    ("POST", "/people/{person_id}/consents"): STAFF,
    ("DELETE", "/people/{person_id}/consents/{purpose}"): STAFF,
    ("POST", "/people/{person_id}/templates"): STAFF,
    ("GET", "/deadletters"): STAFF,
    ("GET", "/deadletters/{letter_id}"): STAFF,
    ("GET", "/media/{media_id}"): STAFF,
    ("GET", "/audit"): {Role.ADMINISTRATOR},
    ("GET", "/audit/verification"): {Role.ADMINISTRATOR},
    ("GET", "/stream"): EVERYBODY,
}


def filled(path: str, world) -> str:
    return "/api/v1" + path.format(
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


def test_the_table_names_every_route(app):
    found = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in app.openapi()["paths"].items()
        if path.startswith("/api/v1")
        for method in operations
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
@pytest.mark.parametrize(
    ("route", "allowed"), ALLOWED.items(), ids=lambda v: "" if isinstance(v, set) else " ".join(v)
)
async def test_route_answers_those_it_is_for(monkeypatch, world, signed_in, anonymous, role, route, allowed):
    # A stream that is allowed would not end.
    monkeypatch.setattr(live, "WATCHERS_MAX", 0)
    browser = signed_in(role, responder_id=world.responder) if role else anonymous
    method, path = route
    answer = await browser.request(method, filled(path, world), **body(method, path))
    if role is None:
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    elif role in allowed:
        expected = {503} if path == "/stream" else {409} if path.endswith("/templates") else {200, 201}
        assert answer.status_code in expected, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
