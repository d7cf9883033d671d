"""The watch list over the API (L-06, L-07, L-08): two people, who may know, and every look audited."""

import datetime as dt

import pytest
from console_world import PLATE, START, incident
from sqlalchemy import func, select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Transition
from console.accounts.models import Role
from registry.models import Credential, Person, WatchlistApplication, WatchlistEntry
from storage import new_id
from storage.audit import AuditRow, verify

DAY = dt.timedelta(days=1)
URL = "/api/v1/watchlist"
LOOK = "purpose=review"
BY_OWNERS = {
    "subject_kind": "plate",
    "subject": "云m·77777",
    "legal_basis": "owners_resolution",
    "document_no": "红花业决〔2026〕3号",
    "applicant_org": "红花物业",
    "reason": "parks in the fire lane",
    "rings": ["common", "building"],
    "ends_at": (START + 30 * DAY).isoformat(),
}
BY_POLICE = BY_OWNERS | {
    "subject_kind": "person",
    "subject": "adult",
    "legal_basis": "police_order",
    "document_no": "公缉〔2026〕17号",
    "applicant_org": "红花派出所",
    "reason": "wanted",
}


@pytest.fixture
def people(world, signed_in):
    """One browser for each role that has to do with the list, two of the police."""
    roles = (Role.ADMINISTRATOR, Role.PROPERTY_MANAGER, Role.OPERATOR, Role.AUDITOR, Role.POLICE)
    return {str(role): signed_in(role) for role in roles} | {"chief": signed_in(Role.POLICE, name="chief")}


async def apply(browser, order: dict) -> str:
    answer = await browser.post(f"{URL}/applications", json=order)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def approve(browser, application: str):
    return await browser.post(f"{URL}/applications/{application}/decision", json={"verdict": "approve"})


async def listed(
    people, order: dict = BY_OWNERS, first: str = "property_manager", second: str = "administrator"
):
    answer = await approve(people[second], await apply(people[first], order))
    assert answer.status_code == 200, answer.text
    return answer.json()["entry"]


def audited(database) -> list[tuple[str, str, str, str, str]]:
    with database.read() as session:
        assert verify(session) is None
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.role, row.action, row.purpose, row.subject, row.detail) for row in rows]


def count(database, model) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


# ── L-06: asking and deciding ─────────────────────────────────────────────────


async def test_l06_one_asks_another_decides_and_then_there_is_an_entry(people, database):
    application = await apply(people["property_manager"], BY_OWNERS)
    assert (await people["operator"].get(f"{URL}?{LOOK}")).json()["items"] == []
    decided = await approve(people["administrator"], application)
    assert (decided.json()["state"], decided.json()["details"]["subject"]) == ("approved", "云M77777")
    (entry,) = (await people["operator"].get(f"{URL}?{LOOK}")).json()["items"]
    assert (entry["id"], entry["in_force"]) == (decided.json()["entry"], True)
    assert entry["details"]["approver"] == people["administrator"].user.id
    actions = [action for _, action, _, _, _ in audited(database)]
    assert actions == [
        "watchlist.applied", "watchlist.listed", "watchlist.approved", "watchlist.listed",
    ]  # fmt: skip


async def test_l06_nobody_decides_on_their_own_application(people, database):
    application = await apply(people["administrator"], BY_OWNERS)
    answer = await approve(people["administrator"], application)
    assert (answer.status_code, answer.json()["code"]) == (409, "two_people")
    assert count(database, WatchlistEntry) == 0


@pytest.mark.parametrize(
    "field", ["document_no", "applicant_org", "reason", "rings", "ends_at", "legal_basis"]
)
async def test_l06_application_without_what_must_be_said_is_refused(people, database, field):
    less = {name: value for name, value in BY_OWNERS.items() if name != field}
    assert (await people["property_manager"].post(f"{URL}/applications", json=less)).status_code == 422
    assert count(database, WatchlistApplication) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"document_no": "  "}, "watchlist_field"),
        ({"rings": []}, "watchlist_rings"),
        ({"ends_at": (START + 91 * DAY).isoformat()}, "watchlist_long"),
        ({"recipients": ["volunteer"]}, "watchlist_recipient"),
        ({"recipients": ["user:nobody"]}, "watchlist_recipient"),
        ({"subject": "M77777"}, "plate_malformed"),
        ({"legal_basis": "police_order"}, "watchlist_police_only"),
        ({"subject_kind": "person", "subject": "adult"}, "watchlist_police_only"),
    ],
)
async def test_l06_l07_what_may_not_be_asked_is_refused_with_a_code(people, database, change, code):
    answer = await people["property_manager"].post(f"{URL}/applications", json=BY_OWNERS | change)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert count(database, WatchlistApplication) == 0


async def test_l06_same_application_again_is_one(people, database):
    headers = {"Idempotency-Key": "k-1"}
    first = await people["police"].post(f"{URL}/applications", json=BY_POLICE, headers=headers)
    again = await people["police"].post(f"{URL}/applications", json=BY_POLICE, headers=headers)
    assert first.json() == again.json()
    assert count(database, WatchlistApplication) == 1


async def test_l06_renewal_takes_two_people_again(people):
    entry = await listed(people)
    asked = {
        "document_no": "红花业决〔2026〕9号",
        "applicant_org": "红花物业",
        "reason": "still does",
        "ends_at": (START + 119 * DAY).isoformat(),
    }
    renewal = await people["property_manager"].post(f"{URL}/{entry}/renewals", json=asked)
    body = renewal.json()
    assert (renewal.status_code, body["renews"], body["state"]) == (201, entry, "pending")
    assert dt.datetime.fromisoformat(body["starts_at"]) == START + 30 * DAY, (
        "it goes on where the old one ends"
    )
    own = await approve(people["property_manager"], body["id"])
    assert own.status_code == 403
    second = await approve(people["administrator"], body["id"])
    assert second.json()["entry"] != entry
    longer = asked | {"ends_at": (START + 121 * DAY).isoformat()}
    refused = await people["property_manager"].post(f"{URL}/{entry}/renewals", json=longer)
    assert refused.json()["code"] == "watchlist_long"


async def test_l06_entry_ends_by_itself_and_the_shift_is_told_before(people, clock):
    entry = await listed(people, BY_OWNERS | {"ends_at": (START + dt.timedelta(hours=5)).isoformat()})
    clock.advance(hours=1)
    soon = (await people["operator"].get(f"{URL}/changes?hours=8&{LOOK}")).json()
    assert ([one["id"] for one in soon["ending"]], soon["beginning"]) == ([entry], [])
    clock.advance(hours=4)
    assert (await people["operator"].get(f"{URL}?{LOOK}")).json()["items"] == []
    (over,) = (await people["operator"].get(f"{URL}?which=all&{LOOK}")).json()["items"]
    assert over["in_force"] is False


async def test_entry_is_lifted_before_its_time(people, database):
    entry = await listed(people)
    lifted = await people["property_manager"].post(f"{URL}/{entry}/lifting")
    assert lifted.json()["in_force"] is False
    assert lifted.json()["details"]["lifted_by"] == people["property_manager"].user.id
    again = await people["administrator"].post(f"{URL}/{entry}/lifting")
    assert (again.status_code, again.json()["code"]) == (409, "watchlist_ended")
    assert audited(database)[-1][1:4] == ("watchlist.lifted", "review", f"watchlist:{entry}")


async def test_applicant_takes_an_application_back(people):
    application = await apply(people["property_manager"], BY_OWNERS)
    path = f"{URL}/applications/{application}"
    assert (await people["administrator"].delete(path)).json()["code"] == "watchlist_not_yours"
    assert (await people["property_manager"].delete(path)).json()["state"] == "withdrawn"
    assert (await approve(people["administrator"], application)).json()["code"] == "watchlist_decided"


async def test_application_can_be_refused(people, database):
    application = await apply(people["property_manager"], BY_OWNERS)
    answer = await people["administrator"].post(
        f"{URL}/applications/{application}/decision", json={"verdict": "refuse"}
    )
    assert (answer.json()["state"], answer.json()["entry"]) == ("refused", None)
    assert count(database, WatchlistEntry) == 0


# ── L-07: the police's own ────────────────────────────────────────────────────


async def test_l07_police_entry_takes_two_of_the_police(people):
    application = await apply(people["police"], BY_POLICE)
    assert (await approve(people["administrator"], application)).json()["code"] == "watchlist_right"
    assert (await approve(people["chief"], application)).json()["state"] == "approved"


async def test_l07_property_does_not_lift_or_renew_what_is_the_polices(people):
    entry = await listed(people, BY_POLICE, "police", "chief")
    lifted = await people["administrator"].post(f"{URL}/{entry}/lifting")
    assert (lifted.status_code, lifted.json()["code"]) == (409, "watchlist_right")
    asked = {name: BY_POLICE[name] for name in ("document_no", "applicant_org", "reason", "ends_at")}
    longer = asked | {"ends_at": (START + 60 * DAY).isoformat()}
    renewed = await people["property_manager"].post(f"{URL}/{entry}/renewals", json=longer)
    assert renewed.json()["code"] == "watchlist_police_only"


@pytest.mark.parametrize(
    ("subject", "code"),
    [("child", "watchlist_child"), ("stranger", "person_not_found"), ("erased", "watchlist_erased")],
)
async def test_l07_not_everybody_can_be_a_subject(people, database, subject, code):
    with database.write() as session:
        session.add(Person(id="erased", compound="honghua", erased_at=START))
    answer = await people["police"].post(f"{URL}/applications", json=BY_POLICE | {"subject": subject})
    assert answer.json()["code"] == code


async def test_l07_lost_card_is_the_propertys_business(people, database):
    with database.write() as session:
        session.add(Credential(id="c-1", compound="honghua", person="adult", kind="card", status="active"))
    order = BY_OWNERS | {"subject_kind": "credential", "subject": "c-1", "legal_basis": "owners_report"}
    carried = await people["property_manager"].post(f"{URL}/applications", json=order)
    assert carried.json()["code"] == "watchlist_in_use"
    with database.write() as session:
        session.get_one(Credential, "c-1").status = "lost"
    assert await listed(people, order)


# ── who may know (L-08) ───────────────────────────────────────────────────────


async def test_l08_who_need_not_know_sees_only_that_there_is_an_entry(people, database):
    entry = await listed(people, BY_POLICE | {"recipients": ["police"]}, "police", "chief")
    told = {}
    for role in ("administrator", "property_manager", "operator", "auditor", "police"):
        answer = await people[role].get(f"{URL}/{entry}?{LOOK}")
        told[role] = answer.json()["details"] is not None
        hidden = {"subject_kind", "starts_at", "ends_at", "in_force", "id", "lifted_at", "renews", "details"}
        assert set(answer.json()) == hidden
        if not told[role]:
            assert not any(word in answer.text for word in ("adult", "wanted", "17号"))
    assert told == {
        "administrator": False,
        "property_manager": False,
        "operator": False,
        "auditor": True,
        "police": True,
    }
    seen = [row for row in audited(database) if row[1] == "watchlist.viewed"]
    assert [(role, subject, known) for role, _, _, subject, known in seen] == [
        (role, f"watchlist:{entry}", "full" if knows else "existence") for role, knows in told.items()
    ]


async def test_l08_operators_are_told_where_nobody_else_is_named(people):
    entry = await listed(people, BY_POLICE, "police", "chief")
    assert (await people["operator"].get(f"{URL}/{entry}?{LOOK}")).json()["details"]["subject"] == "adult"
    assert (await people["administrator"].get(f"{URL}/{entry}?{LOOK}")).json()["details"] is None


async def test_l08_whoever_is_told_by_name_sees_it(people):
    manager = people["property_manager"]
    order = BY_POLICE | {"recipients": [f"user:{manager.user.id}"]}
    entry = await listed(people, order, "police", "chief")
    assert (await manager.get(f"{URL}/{entry}?{LOOK}")).json()["details"]["reason"] == "wanted"
    assert (await people["operator"].get(f"{URL}/{entry}?{LOOK}")).json()["details"] is None


async def test_l08_applications_hide_the_same_from_the_same(people, database):
    await apply(people["police"], BY_POLICE)
    await apply(people["property_manager"], BY_OWNERS)
    shown = {}
    for role in ("police", "auditor", "administrator", "operator"):
        items = (await people[role].get(f"{URL}/applications?state=pending&{LOOK}")).json()["items"]
        shown[role] = {item["subject_kind"] for item in items if item["details"]}
        assert len(items) == 2
    both = {"person", "plate"}
    assert shown == {"police": both, "auditor": both, "administrator": {"plate"}, "operator": set()}
    assert sum(row[1] == "watchlist.application_viewed" for row in audited(database)) == 8


@pytest.mark.parametrize("path", ["", "/applications", "/changes", "/e-1", "/e-1/hits"])
async def test_l08_no_look_without_a_purpose(people, database, path):
    assert (await people["operator"].get(URL + path)).status_code == 422
    assert audited(database) == []


async def test_l08_entry_of_another_compound_is_not_found(people, database):
    with database.write() as session:
        session.add(
            WatchlistEntry(
                id="far", compound="sifang", subject_kind="plate", subject=PLATE, legal_basis="court_order",
                document_no="1", applicant="a", approver="b", reason="r", rings=["common"],
                starts_at=START, ends_at=START + DAY,
            )
        )  # fmt: skip
    assert (await people["police"].get(f"{URL}?{LOOK}")).json()["items"] == []
    for path in ("far", "far/hits"):
        answer = await people["police"].get(f"{URL}/{path}?{LOOK}")
        assert (answer.status_code, answer.json()["code"]) == (404, "watchlist_entry_not_found")
    assert (await people["police"].post(f"{URL}/far/lifting")).status_code == 404


# ── hits ──────────────────────────────────────────────────────────────────────


def hit(database, entry: str, minutes: int, *, confirmed: bool = False) -> str:
    at = START + dt.timedelta(minutes=minutes)
    row = incident(
        State.CONFIRMED if confirmed else State.RAISED,
        rule="R-E09", kind="watchlist.hit", happened_at=at, reason="watchlist_hit",
        reason_args={"entry_id": entry, "distance": 0.3}, subject_kind="person", subject="adult",
    )  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
        if confirmed:
            session.add(
                Transition(
                    id=new_id(), incident=row.id, version=1, to_state=State.CONFIRMED, actor="o",
                    role="operator", at=at,
                )
            )  # fmt: skip
    return row.id


async def test_l08_look_at_a_hit_is_a_look_at_its_entry(people, database):
    entry = await listed(people, BY_POLICE, "police", "chief")
    raised = hit(database, entry, 1)
    await people["operator"].get(f"/api/v1/incidents/{raised}?purpose=incident_handling")
    page = await people["operator"].get(f"/console?incident={raised}")
    assert page.status_code == 200
    looks = [row[1:] for row in audited(database)[-4:]]
    assert looks == 2 * [
        ("incident.viewed", "incident_handling", raised, "person"),
        ("watchlist.hit_viewed", "incident_handling", f"watchlist:{entry}", f"incident:{raised}"),
    ]


async def test_l12_police_hear_of_a_hit_when_a_person_has_confirmed_it(people, database):
    entry = await listed(people, BY_POLICE, "police", "chief")
    other = await listed(people)
    raised, confirmed = hit(database, entry, 1), hit(database, entry, 2, confirmed=True)
    hit(database, other, 3, confirmed=True)
    of_operator = (await people["operator"].get(f"{URL}/{entry}/hits?{LOOK}")).json()["items"]
    of_police = (await people["police"].get(f"{URL}/{entry}/hits?{LOOK}")).json()["items"]
    assert [item["incident"] for item in of_operator] == [confirmed, raised]
    assert [item["incident"] for item in of_police] == [confirmed]
    assert audited(database)[-1][1:] == ("watchlist.hits_viewed", "review", f"watchlist:{entry}", "hits=1")
    secret = await people["administrator"].get(f"{URL}/{entry}/hits?{LOOK}")
    assert (secret.status_code, secret.json()["code"]) == (404, "watchlist_entry_not_found")
