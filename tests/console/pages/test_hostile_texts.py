"""Whatever a device, a plate, a topic or a person words stays text, on every page and in every file of every role."""

import json
from collections import defaultdict
from collections.abc import Callable

import hostile_columns
import hostile_world
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hostile import SHORT, TEXTS, Marked, alive, is_formula
from hostile_files import doing
from test_menus import EVERYBODY
from walking import Addresses, walk

from console.context import Rooms
from console.guides.shelf import GUIDES
from console.pages.reports import NAMES
from registry.passes.visiting import TOKEN_PREFIX

pytestmark = pytest.mark.timeout(900)

Visit = Callable[..., TestClient]
WORDS = {
    "token": [hostile_world.TOKEN],
    "/pass/{token} token": [TOKEN_PREFIX + hostile_world.TOKEN],
    "code": [hostile_world.TOKEN],
    "where": ["phone", "console"],
    "/help/{name} name": list(GUIDES),
    "/registry/reports/{name} name": list(NAMES),
    "/registry/reports/{name}.csv name": list(NAMES),
    "/console/reports/sheets/{name}.csv name": ["all"],
    "part": ["response"],
    "rule_id": ["R-E01", "R-E04"],
}
# What shows nothing to anybody in this world, each with its reason.
SHOWS_NOTHING = {
    "/": "leads home",
    "/sign-in/code": "for whoever is half signed in",
    "/readyz": "tells programs; no broker is here",
    "/calendar/{token}.ics": "a calendar's link is drawn for one person; its own tests read it",
    "/console/incidents/{incident_id}/why": "asks the rules' own process, which is not here; its own tests read it",
    "/console/rules/trials/{trial_id}": "shows a trial while its process is heard; its own tests read it",
    "/phone/dispatches/{dispatch_id}/picture": "a picture, where somebody showed one",
}
# Of what devices, topics and people word, this at least is looked at somewhere; else nothing would be tried.
LOOKED_AT = {
    "people.name", "devices.name", "devices.vendor", "zones.name", "buildings.name", "vehicles.plate", "decisions.plate",
    "dead_letters.topic", "dead_letters.detail", "dead_letters.context", "device_candidates.facts", "users.name",
    "incidents.reason_args", "incidents.resolution", "intake_reports.words", "responders.name", "teams.name",
    "incident_reviews.lesson", "incident_ratings.words", "handover_entries.text", "measures.what", "needs.what",
    "silences.comment", "rule_mutes.reason", "patrol_checkpoints.name", "organisations.name", "visitor_passes.plate",
    "watchlist_entries.reason", "work_orders.note", "subject_requests.detail", "user_sessions.user_agent",
}  # fmt: skip


@pytest.fixture
def marked(seeded: Rooms, visit: Visit) -> Marked:
    return hostile_world.spoiled(seeded, visit)


def addresses(app: FastAPI, rooms: Rooms) -> Addresses:
    with rooms.database.read() as session:
        return Addresses(app, session, WORDS)


def is_page(kind: str) -> bool:
    return kind.startswith("text/html")


def test_every_page_of_every_role_shows_them_as_text(
    app: FastAPI, visit: Visit, marked: Marked, seeded: Rooms
) -> None:
    known = addresses(app, seeded)
    wrong: dict[str, list[str]] = defaultdict(list)
    got: dict[str, set[int]] = {route.path: set() for route in known.routes}
    seen: set[str] = set()
    for who in [*EVERYBODY, None]:
        client = visit(who, "en" if who in {"manager", "operator"} else "zh-CN")
        client.post("/registry/purpose", data={"purpose": "incident_handling", "next": "/registry"})
        for link, answer in walk(known, client, list(known.filled())):
            if (kind := known.kind(link)) in got:
                got[kind].add(answer.status_code)
            found = doing(answer)
            if is_page(answer.headers.get("content-type", "")):
                seen |= set(marked.seen(answer.text))
                found += alive(answer.text)
            if found:
                wrong[f"{who} {link}"] += found
    assert wrong == {}
    asked = {path for path, codes in got.items() if codes}
    assert {path for path in asked if 200 not in got[path]} <= set(SHOWS_NOTHING)
    assert LOOKED_AT - seen == set()


def test_what_is_asked_for_in_an_address_is_no_more_than_text(
    app: FastAPI, visit: Visit, seeded: Rooms
) -> None:
    known = addresses(app, seeded)
    wrong: dict[str, list[str]] = {}
    for number, (who, client) in enumerate({who: visit(who) for who in ("admin", "li", None)}.items()):
        for turn, link in enumerate(known.asked_with("…")):
            text = TEXTS[(turn * 7 + number) % len(TEXTS)]
            answer = client.get(link.replace("%E2%80%A6", _quoted(text)))
            shown = alive(answer.text) if is_page(answer.headers.get("content-type", "")) else []
            if found := [*doing(answer), *shown]:
                wrong[f"{who} {link} {text}"] = found
    assert wrong == {}


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    ("who", "path", "data"),
    [
        ("auditor", "/audit/export", {}),
        ("operator", "/console/history/export", {"filters": ""}),
    ],
)
def test_files_that_a_form_gives_do_not_reckon(
    visit: Visit, marked: Marked, who: str, path: str, data: dict[str, str]
) -> None:
    answer = visit(who).post(path, data=data)
    assert answer.status_code == 200
    assert path.startswith("/audit") or list(marked.seen(answer.content.decode("utf-8-sig")))
    assert doing(answer) == []


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_registry_as_a_file_does_not_reckon(visit: Visit, marked: Marked, form: str) -> None:
    answer = visit("admin").get(
        "/api/v1/exports/registry", params={"purpose": "registry_maintenance", "format": form}
    )
    assert answer.status_code == 200, answer.text
    assert doing(answer) == []


def test_what_runs_beside_the_pages_holds_nothing_of_them(visit: Visit, marked: Marked) -> None:
    client = visit("li")
    manifest, worker = client.get("/static/manifest.webmanifest"), client.get("/worker.js")
    assert json.loads(manifest.text)["name"]
    for answer in (manifest, worker):
        assert answer.status_code == 200
        assert list(marked.seen(answer.text)) == []


def test_no_exception_names_a_column_that_is_none() -> None:
    assert hostile_columns.unknown() == []


@pytest.mark.parametrize(
    "around", ["<p>{}</p>", '<p title="{}">x</p>', "<p title='{}'>x</p>", "<textarea>{}</textarea>"]
)
def test_a_text_that_is_not_escaped_would_be_found(around: str) -> None:
    found = [text for text in (*TEXTS, *SHORT) if alive(around.format(text))]
    assert len(found) >= 4
    assert alive(around.format("&lt;b rwx&gt;&#34; onload=&#34;")) == []


def test_a_formula_is_told_from_a_number() -> None:
    assert [cell for cell in ("=1", "+1", "@A", "-1+2", "\t=1", "-3", "-0.5", "12%", "'=1", "-") if is_formula(cell)] == [
        "=1", "+1", "@A", "-1+2", "\t=1",
    ]  # fmt: skip
