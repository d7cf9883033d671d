"""Every page as HTML: both languages, every role, nothing inline, nothing unescaped."""

import datetime as dt
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pages_history
import pytest
from fastapi.testclient import TestClient
from pages_world import COMPOUND
from sqlalchemy import select

from alerts.duty.models import Team
from alerts.incidents.models import Incident, Transition
from bus.deadletters import DeadLetter
from console.context import Rooms
from console.texts import load
from devices.models import Device, DeviceStatus
from registry.models import Building, Compound, Person, Zone
from storage.audit import AuditRow
from storage.events import EventRow

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
    "/console/recognition",
]
ADMIN_PAGES = ["/registry/people/new/form", "/registry/vehicles/new"]
PHONE_PAGES = ["/phone", "/phone/fragments/tasks"]
OWN_PAGES = [
    "/my",
    "/my/visitors",
    "/my/visitors/earlier",
    "/my/reports",
    "/my/data",
    "/my/looks",
    "/my/rights",
]
REPORT_PAGES = [
    "/registry/reports",
    "/registry/reports/consistency?code=never_verified",
    "/registry/reports/tenancies",
    "/registry/reports/verification",
    "/registry/reports/vacancies",
]
PROOF_PAGES = ["/audit", "/audit?subject=person:p-1", "/audit?check=true", "/erasures", "/erasures?show=all"]
EVERY_PAGE = [
    *((None, path) for path in ("/sign-in", "/setup/no-such-link")),
    *(("operator", path) for path in [*STAFF_PAGES, "/no/such/page"]),
    *(("admin", path) for path in ADMIN_PAGES),
    *(("li", path) for path in PHONE_PAGES),
    *((who, path) for who in ("resident", "newcomer") for path in OWN_PAGES),
    *((who, "/account") for who in ("operator", "li", "police")),
    *(("auditor", path) for path in PROOF_PAGES),
    *((who, "/registry") for who in ("admin", "manager", "grid", "guard")),
    ("operator", "/registry/gate"),
    *((who, path) for who in ("manager", "grid") for path in REPORT_PAGES),
    ("manager", "/registry/import"),
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
    ("who", "home"),
    [
        (None, "/sign-in"),
        ("operator", "/console"),
        ("admin", "/console"),
        ("li", "/phone"),
        ("manager", "/registry"),
        ("guard", "/registry"),
        ("grid", "/registry"),
        ("police", "/account"),
        ("auditor", "/audit"),
        ("resident", "/my"),
    ],
)
def test_the_start_page_leads_each_role_to_its_own(visit: Visit, who: str | None, home: str) -> None:
    answer = visit(who).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, home)


@pytest.mark.parametrize("path", [*STAFF_PAGES, *ADMIN_PAGES, *PHONE_PAGES, *OWN_PAGES, *PROOF_PAGES])
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
    for secret in ("云M8X21K", "张三丰", "p-1", "李队员", "<img", "/media"):
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


def listed_plate(rooms: Rooms) -> None:
    """A hit on a plate, as the rule raises it."""
    at = rooms.clock.now()
    with rooms.database.write() as session:
        row = pages_history.incident("i-listed", at, rule="R-E09", kind="watchlist.hit", needs_comparison=True,
                                     subject_kind="plate", subject="云A3X7Y5", reason="watchlist_hit",
                                     reason_args={"entry_id": "w-9", "plate": "云A3X7Y5"})  # fmt: skip
        session.add(row)
        session.flush()
        pages_history.evidence(session, row, "e-hit")


def test_a_hit_on_a_plate_asks_for_the_plate_and_names_it(visit: Visit, seeded: Rooms) -> None:
    listed_plate(seeded)
    html = visit("operator", "en").get("/console/fragments/incident/i-listed").text
    assert "Is this plate 云A3X7Y5?" in html
    assert '<div class="plate-large"><span>云A3X7Y5</span></div>' in html
    assert "Plate 云A3X7Y5 is on the active watch list" in html
    assert "Another plate" in html
    for of_people in ("same person", "Enrolled photo", "w-9"):
        assert of_people not in html


def test_a_device_never_heard_is_not_silent(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        status = session.get_one(DeviceStatus, "cam-garden")
        status.online, status.last_seen = False, None
    client = visit("operator", "en")
    plan = client.get("/console/fragments/plan").text
    # Of the two common devices one is silent and the other was never there.
    assert "1 of 2 silent" in plan
    assert "1 never heard" in plan
    assert re.search(r'class="mark device never"[^>]*><g[^>]*><title>never heard: 花园球机', plan)
    line = re.search(
        r"<tr[ >](?:(?!</tr>).)*cam-garden.*?</tr>", client.get("/console/devices").text, re.DOTALL
    )
    assert line
    assert "never heard" in line[0]
    assert "#device-never" in line[0]


def test_what_only_the_broker_saw_has_no_size(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        letter = session.get_one(DeadLetter, "l-3")
        letter.size, letter.raw = 0, None
    client = visit("operator", "en")
    assert not re.search(r"(?<![\d,])0 B", client.get("/console/refused").text)
    page = client.get("/console/refused/l-3").text
    assert "<dd>unknown</dd>" in page
    assert "never reached us" in page


def test_nothing_is_said_twice(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(Team, "t-vol").name = "Volunteer police"
    html = visit("operator", "en").get("/console?incident=i-door").text
    assert "Operator operator" not in html
    assert "(Volunteer police)" not in html
    assert "保安班 (Guards)" in html


def test_opening_an_incident_about_somebody_is_audited(visit: Visit, seeded: Rooms) -> None:
    visit("operator").get("/console/fragments/incident/i-hit", headers={"HX-Request": "true"})
    with seeded.database.read() as session:
        looks = session.scalars(select(AuditRow).where(AuditRow.action == "incident.viewed")).all()
        assert [(look.subject, look.actor) for look in looks] == [("i-hit", "u-operator")]


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
    plain = {(who, page): tags(visit(who).get(page).text).elements for who, page in EVERY_PAGE if who}
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
            tag for tag in plain[who, page] if tag in {"script", "img", "svg"}
        ]


def test_page_of_a_device_tells_what_was_counted_and_not_kept(visit: Visit, seeded: Rooms) -> None:
    now = seeded.clock.now()
    rows = []
    for hours, dropped in (
        (1, {"face.captured": 40}),
        (2, {"face.captured": 2, "access.denied": 5}),
        (30, {"door.opened": 9}),
    ):
        at = now - dt.timedelta(hours=hours)
        rows.append(
            EventRow(
                id=f"flood-{hours}", compound=COMPOUND, device_id="cam-north", record_id=f"flood-{hours}",
                type="device.fault", ring="entrance", zone="north", device_time=at, corrected_time=at,
                received_at=at, late=False, marks=[], content_hash="",
                body={"attributes": {"cause": "flooding", "suppressed": dropped}},
            )
        )  # fmt: skip
    with seeded.database.write() as session:
        session.add_all(rows)
    html = visit("operator").get("/console/devices/cam-north").text
    assert "×42" in html
    assert "×5" in html
    assert "×9" not in html
