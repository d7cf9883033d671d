"""Every page as HTML: both languages, every role, nothing inline, nothing unescaped."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from pages_world import COMPOUND
from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from alerts.incidents.models import Incident, Transition
from bus.deadletters import DeadLetter
from console.accounts import service
from console.accounts.models import User
from console.context import Rooms
from console.security import CSRF_HEADER
from console.texts import load
from devices.models import Device
from registry.models import Building, Compound, Person, Zone
from storage.audit import AuditRow

Visit = Callable[..., TestClient]

STAFF_PAGES = [
    "/console",
    *(f"/console?incident={i}" for i in ("i-hit", "i-door", "i-face", "i-plate", "i-off", "i-done")),
    "/console/fragments/queue",
    "/console/fragments/plan",
    "/console/fragments/feed",
    "/console/fragments/incident/i-hit",
    "/console/devices",
    "/console/devices?show=trouble",
    "/console/devices/cam-north",
    "/console/refused",
    "/console/refused/l-0",
]
ADMIN_PAGES = ["/console/people", "/console/people?person=p-1", "/console/people?person=p-2"]
PHONE_PAGES = ["/phone", "/phone/fragments/tasks"]
EVERY_PAGE = [
    *((None, path) for path in ("/sign-in", "/setup/no-such-link")),
    *(("operator", path) for path in [*STAFF_PAGES, "/no/such/page"]),
    *(("admin", path) for path in ADMIN_PAGES),
    *(("li", path) for path in PHONE_PAGES),
]


class Tags(HTMLParser):
    """Collects what a strict policy would refuse, and the elements that stand in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.elements: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.elements.append(tag)
        self.inline += [f"{tag}[{name}]" for name in names if name.startswith("on") or name == "style"]
        self.inline += [f"{tag}[{name}]" for name in names if name.startswith(("hx-on", "hx-vars"))]
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.inline.append(tag)
        for name in ("src", "href", "action", "hx-post"):
            value = names.get(name) or ""
            if "//" in value.partition("?")[0] or value.strip().lower().startswith(("http", "javascript:")):
                self.inline.append(f"{tag}[{name}]={value}")


def tags(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_pages_speak_the_readers_language_and_carry_nothing_inline(
    visit: Visit, who: str | None, path: str, language: str
) -> None:
    answer = visit(who, language).get(path)
    assert answer.status_code in {200, 404, 410}
    assert answer.headers["content-type"].startswith("text/html")
    html = answer.text
    if "<html" in html:
        assert f'<html lang="{"zh-CN" if language == "zh-CN" else "en"}"' in html
    assert tags(html).inline == []
    # A key in place of its text, as it would look on the screen.
    shown = re.sub(r"<[^>]*>", " ", html)
    assert not [
        key for key in load("en").keys if "." in key and key in shown and not key.startswith(("kind.",))
    ]
    assert "None" not in shown
    if language == "en-GB":
        other = load("zh_CN")
        assert not [key for key in other.keys if len(other(key)) > 5 and other(key) in shown]


def test_the_policy_allows_no_inline_script_or_style(visit: Visit) -> None:
    policy = visit("operator").get("/console").headers["content-security-policy"]
    assert "'unsafe" not in policy
    assert "script-src 'self'" in policy


@pytest.mark.parametrize(
    ("who", "home"), [(None, "/sign-in"), ("operator", "/console"), ("admin", "/console"), ("li", "/phone")]
)
def test_the_start_page_leads_each_role_to_its_own(visit: Visit, who: str | None, home: str) -> None:
    answer = visit(who).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, home)


@pytest.mark.parametrize("path", [*STAFF_PAGES, *ADMIN_PAGES, *PHONE_PAGES])
def test_strangers_are_sent_to_sign_in_and_back(visit: Visit, path: str) -> None:
    answer = visit(None).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")


@pytest.mark.parametrize("path", [*STAFF_PAGES, *ADMIN_PAGES])
def test_volunteers_see_no_staff_page(visit: Visit, path: str) -> None:
    assert visit("li").get(path).status_code == 403


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_operators_see_no_administrators_page(visit: Visit, path: str) -> None:
    assert visit("operator").get(path).status_code == 403


def test_the_phone_shows_no_name_no_picture_and_no_plate(visit: Visit) -> None:
    html = visit("li").get("/phone").text
    assert "北门车行道" in html
    for secret in ("云M8X21K", "张三丰", "p-1", "李队员", "<img", "media"):
        assert secret not in html


def test_the_live_strip_names_nobody(visit: Visit) -> None:
    html = visit("operator").get("/console/fragments/feed").text
    assert "某户家庭成员" in html
    assert "已登记居民" in html
    for secret in ("张三丰", "p-1", "h-1"):
        assert secret not in html


def test_the_queue_puts_the_worst_first_and_the_resolved_last(visit: Visit) -> None:
    html = visit("operator").get("/console/fragments/queue").text
    assert re.findall(r'data-incident="([\w-]+)"', html) == [
        "i-door",
        "i-hit",
        "i-off",
        "i-face",
        "i-plate",
        "i-done",
    ]


def test_opening_an_incident_about_somebody_is_audited(visit: Visit, seeded: Rooms) -> None:
    visit("operator").get("/console/fragments/incident/i-hit", headers={"HX-Request": "true"})
    with seeded.database.read() as session:
        looks = session.scalars(select(AuditRow).where(AuditRow.action == "incident.viewed")).all()
        assert [(look.subject, look.actor) for look in looks] == [("i-hit", "u-operator")]


# ── Actions ──────────────────────────────────────────────────────────────────


def state_of(rooms: Rooms, incident: str) -> str:
    with rooms.database.read() as session:
        return str(session.get_one(Incident, incident).state)


def test_a_form_without_script_acknowledges_and_comes_back(visit: Visit, seeded: Rooms) -> None:
    answer = visit("operator").post("/console/incidents/i-face/acknowledge", data={"version": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?incident=i-face")
    assert state_of(seeded, "i-face") == "acknowledged"


def test_a_biometric_incident_is_not_confirmed_without_the_answer(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    for answer, text in (
        ("", "Compare the pictures first"),
        ("not_match", "does not say"),
        ("cannot_tell", "does not say"),
    ):
        reply = client.post(
            "/console/incidents/i-hit/confirm",
            data={"version": "1", "comparison": answer},
            headers={"HX-Request": "true"},
        )
        assert text in reply.text
    assert state_of(seeded, "i-hit") == "raised"
    client.post("/console/incidents/i-hit/confirm", data={"version": "1", "comparison": "match"})
    assert state_of(seeded, "i-hit") == "confirmed"


def test_a_false_alarm_needs_a_reason(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    refused = client.post("/console/incidents/i-face/false-alarm", data={"version": "1"})
    assert refused.status_code == 409
    assert "Choose why" in refused.text
    client.post("/console/incidents/i-face/false-alarm", data={"version": "1", "reason": "courier"})
    assert state_of(seeded, "i-face") == "false_alarm"


def test_an_old_version_is_refused_and_the_new_state_shown(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    client.post("/console/incidents/i-face/acknowledge", data={"version": "1"})
    late = client.post(
        "/console/incidents/i-face/false-alarm",
        data={"version": "1", "reason": "animal"},
        headers={"HX-Request": "true"},
    )
    assert "Somebody has just changed" in late.text
    assert 'data-version="2"' in late.text
    assert state_of(seeded, "i-face") == "acknowledged"


def test_dispatching_asks_the_chosen_and_offers_only_the_others(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    nobody = client.post(
        "/console/incidents/i-door/dispatch", data={"version": "3"}, headers={"HX-Request": "true"}
    )
    assert "Choose at least one" in nobody.text
    sent = client.post(
        "/console/incidents/i-door/dispatch",
        data={"version": "3", "responder": ["r-li", "r-zhao"]},
        headers={"HX-Request": "true"},
    )
    assert sent.headers["HX-Trigger"] == "ringward:acted"
    assert re.findall(r'name="responder"[^>]*value="([\w-]+)"', sent.text) == ["r-wang"]
    with seeded.database.read() as session:
        asked = session.scalars(select(Dispatch.responder).where(Dispatch.incident == "i-door")).all()
    assert sorted(asked) == ["r-li", "r-zhao"]


def test_a_form_without_its_token_does_nothing(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator")
    del client.headers[CSRF_HEADER]
    assert client.post("/console/incidents/i-face/acknowledge", data={"version": "1"}).status_code == 403
    assert state_of(seeded, "i-face") == "raised"


def test_a_volunteer_answers_only_their_own_dispatch(visit: Visit, seeded: Rooms) -> None:
    assert "没有找到" in visit("wang").post("/phone/dispatches/d-plate/accept").text
    assert visit("li").post("/phone/dispatches/d-plate/accept").status_code == 303
    with seeded.database.read() as session:
        row = session.get_one(Dispatch, "d-plate")
        assert (row.state, row.lead_of) == ("accepted", "i-plate")


def test_opening_the_phone_marks_the_alert_as_seen(visit: Visit, seeded: Rooms) -> None:
    visit("li").get("/phone")
    with seeded.database.read() as session:
        assert session.get_one(Dispatch, "d-plate").seen_at == seeded.clock.now()


# ── Signing in ───────────────────────────────────────────────────────────────


def token_in(html: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', html)[1]  # type: ignore[index]


def test_a_new_administrator_chooses_a_password_and_signs_in(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        link = service.issue_setup_link(session, session.get_one(User, "u-admin"), seeded.clock.now())
    client = visit(None, "en")
    form = {"csrf_token": token_in(client.get(f"/setup/{link}").text)}
    short = client.post(f"/setup/{link}", data={**form, "password": "short", "again": "short"})
    assert (short.status_code, "fewer than 12" in short.text) == (422, True)
    phrase = "lamp river ninety moss"
    differ = client.post(f"/setup/{link}", data={**form, "password": phrase, "again": "other words here"})
    assert "differ" in differ.text
    done = client.post(f"/setup/{link}", data={**form, "password": phrase, "again": phrase})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    assert client.get(f"/setup/{link}").status_code == 410

    wrong = client.post("/sign-in", data={**form, "name": "admin", "password": "not this one at all"})
    assert (wrong.status_code, "not right" in wrong.text) == (401, True)
    entered = client.post(
        "/sign-in", data={**form, "name": "Admin", "password": phrase, "next": "/console/people"}
    )
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/people")
    assert client.get("/console/people").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", ""],
)
def test_a_link_cannot_send_people_elsewhere(visit: Visit, target: str) -> None:
    answer = visit("operator").get("/sign-in", params={"next": target})
    assert answer.headers["location"] == "/console"
    assert visit(None).get("/language/en", params={"next": target}).headers["location"] == "/"


def test_the_chosen_language_stays(visit: Visit) -> None:
    client = visit("operator", "zh-CN")
    client.get("/language/en", params={"next": "/console"})
    assert '<html lang="en"' in client.get("/console").text


# ── Escaping ─────────────────────────────────────────────────────────────────

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}%(n)s",
    "javascript:alert(1)",
    "\u202egnp.exe\u0000&lt;b&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_outside_becomes_markup(visit: Visit, seeded: Rooms, text: str) -> None:
    plain = {page: tags(visit(who).get(page).text).elements for who, page in EVERY_PAGE if who}
    with seeded.database.write() as session:
        session.get_one(Compound, COMPOUND).name = text
        for device in session.scalars(select(Device)):
            device.name, device.lane = text, text
        for zone in session.scalars(select(Zone)):
            zone.name = text
        for building in session.scalars(select(Building)):
            building.name = text
        for incident in session.scalars(select(Incident)):
            incident.reason_args = {**incident.reason_args, "plate": text, "lane": text, "cause": text}
            incident.resolution = text
        for letter in session.scalars(select(DeadLetter)):
            letter.topic, letter.detail, letter.context = text, text, {text: text}
        session.get_one(Person, "p-1").name = text
        for step in session.scalars(select(Transition)):
            step.note = text
    for who, page in EVERY_PAGE:
        if who is None:
            continue
        found = tags(visit(who).get(page).text)
        assert found.inline == []
        assert [tag for tag in found.elements if tag in {"script", "img", "svg"}] == [
            tag for tag in plain[page] if tag in {"script", "img", "svg"}
        ]
