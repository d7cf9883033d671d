"""The registry's box and the gate's questions: what each role finds, and what it is told."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from console.context import Rooms
from console.security import CSRF_HEADER
from registry.models import Dwelling, PassKind, PassUse, Residence
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import PassWanted, issue
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PURPOSE = "incident_handling"
HOME = "3幢2单元18层1801室"


def find(client: TestClient, asked: str, purpose: str = PURPOSE) -> str:
    return client.post("/registry", data={"asked": asked, "purpose": purpose}).text


def actions(rooms: Rooms) -> list[tuple[str, str, str]]:
    with rooms.database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        return [(row.action, row.purpose, row.subject) for row in rows]


def a_pass(rooms: Rooms, phone: str = "10012344321") -> tuple[str, str]:
    with rooms.database.write() as session:
        wanted = PassWanted(PassKind.VISITOR, Host(HostKind.HOUSEHOLD, "h-1"), phone=phone)
        made = issue(session, rooms.compound, wanted, by="u-operator", at=rooms.clock.now())
        return made.visitor_pass.id, made.token


@pytest.mark.parametrize("asked", ["张三丰", " 张 三丰", "100 1234 5678", "云a·12345"])
def test_a_person_is_found_with_their_dwelling_by_whatever_is_known(visit: Visit, asked: str) -> None:
    html = find(visit("operator", "en"), asked)
    for shown in ("张三丰", HOME, "Owner", "never verified"):
        assert shown in html


@pytest.mark.parametrize("asked", ["11010519491231002X", "F-0007", "10012349999"])
def test_somebody_elses_number_finds_somebody_else(visit: Visit, asked: str) -> None:
    html = find(visit("manager"), asked)
    assert "王&lt;b&gt;尖&lt;/b&gt;" in html
    assert "张三丰" not in html
    assert "11010519491231002X" not in re.sub(r'value="[^"]*"', "", html)


@pytest.mark.parametrize("asked", ["3号楼2单元1801室", "3-2-1801", "三号楼二单元一八〇一", HOME])
def test_a_dwelling_is_found_with_its_people_in_any_spelling(visit: Visit, asked: str) -> None:
    html = find(visit("operator", "en"), asked)
    for shown in (HOME, "张三丰", "李不愿", "head of household", "with the household"):
        assert shown in html


def test_an_address_of_a_person_leads_to_who_else_lives_there(visit: Visit) -> None:
    client = visit("operator", "en")
    form = re.search(r'name="asked" value="([^"]*1801室)"', find(client, "张三丰"))
    assert form
    assert "李不愿" in find(client, form[1])


def test_an_empty_dwelling_says_that_nobody_lives_there(visit: Visit) -> None:
    assert "Nobody lives here" in find(visit("operator", "en"), "5-2-1801")


@pytest.mark.parametrize(
    ("asked", "said", "status"),
    [
        ("赵无名", "Nothing was found", 404),
        ("9-9-901", "Nothing was found", 404),
        ("110105194912310021", "does not add up", 422),
        ("110105491231002", "15", 422),
        ("   ", "Say", 422),
    ],
)
def test_what_is_not_found_or_not_understood_is_told(
    visit: Visit, asked: str, said: str, status: int
) -> None:
    answer = visit("operator", "en").post("/registry", data={"asked": asked, "purpose": PURPOSE})
    assert answer.status_code == status
    notice = re.search(r'role="alert">([^<]*)<', answer.text)
    assert notice
    assert said in notice[1]


def test_nothing_is_looked_up_without_a_purpose(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    for purpose in ("", "curiosity"):
        answer = client.post("/registry", data={"asked": "张三丰", "purpose": purpose})
        assert answer.status_code == 422
        assert "Choose what the look is for" in answer.text
        assert HOME not in answer.text
    assert actions(seeded) == []


def test_every_look_is_audited_with_its_purpose(visit: Visit, seeded: Rooms) -> None:
    find(visit("operator"), "张三丰")
    find(visit("operator"), "3-2-1801")
    noted = actions(seeded)
    assert {purpose for _, purpose, _ in noted} == {PURPOSE}
    assert ("person.found", PURPOSE, "person:p-1") in noted
    assert ("person.dwellings_viewed", PURPOSE, "person:p-1") in noted
    assert "dwelling.people_viewed" in {action for action, _, _ in noted}


def test_a_grid_worker_finds_only_what_lies_in_the_own_grid(visit: Visit, seeded: Rooms) -> None:
    client = visit("grid", "en")
    assert "张三丰" in find(client, "3-2-1801")
    assert "Nothing was found" in find(client, "5-2-1801")
    with seeded.database.write() as session:
        away = session.scalars(select(Dwelling).where(Dwelling.unit == "house-b5-u2")).first()
        assert away
        session.get_one(Residence, "res-p-3").dwelling = away.id
    assert "Nothing was found" in find(client, "F-0007")
    assert "尖" in find(visit("operator"), "F-0007")


@pytest.mark.parametrize("who", ["manager", "operator", "grid"])
def test_what_is_found_leads_on_without_being_asked_again(visit: Visit, who: str) -> None:
    client = visit(who)
    assert 'href="/registry/people/p-1"' in find(client, "张三丰")
    assert "李不愿" in client.get("/registry/people/p-2").text
    dwelling = re.search(r'href="(/registry/dwellings/[^"]+)"', find(client, "3-2-1801"))
    assert dwelling
    assert HOME in client.get(dwelling[1]).text


def test_what_was_asked_stands_in_the_box_as_text(visit: Visit) -> None:
    html = find(visit("operator"), '"><b>x</b>')
    assert 'value="&#34;&gt;&lt;b&gt;x&lt;/b&gt;"' in html
    assert "<b>x" not in html


@pytest.mark.parametrize("who", ["guard", "police", "auditor", "resident", "li"])
def test_others_may_not_look_for_people(visit: Visit, who: str) -> None:
    client = visit(who)
    assert client.post("/registry", data={"asked": "张三丰", "purpose": PURPOSE}).status_code == 403
    assert client.get("/registry").status_code == (200 if who == "guard" else 403)


def test_a_form_without_its_token_finds_nothing(visit: Visit) -> None:
    client = visit("operator")
    del client.headers[CSRF_HEADER]
    assert client.post("/registry", data={"asked": "张三丰", "purpose": PURPOSE}).status_code == 403


# ── at the gate ───────────────────────────────────────────────────────────────


def test_a_guard_gets_the_gates_questions_and_no_box(visit: Visit) -> None:
    html = visit("guard", "en").get("/registry").text
    for shown in ("Does this person belong here?", "Is this car known?", "Does this pass let in?"):
        assert shown in html
    assert 'name="asked"' not in html


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"address": "3号楼2单元1801", "name": "张三丰"}, "Belongs"),
        ({"address": "3-2-1801", "tail": "5678"}, "Belongs"),
        ({"address": "3-2-1801", "name": "张三丰", "tail": "0000"}, "Does not belong"),
        ({"address": "3-2-1802", "name": "张三丰"}, "Does not belong"),
        ({"address": "9-9-901", "name": "张三丰"}, "There is no such dwelling"),
        ({"address": "3-2-1801"}, "Say a name"),
        ({"address": "", "name": "张三丰"}, "address"),
    ],
)
def test_does_somebody_belong_is_answered_with_yes_or_no(
    visit: Visit, form: dict[str, str], said: str
) -> None:
    html = visit("guard", "en").post("/registry/gate/belongs", data={**form, "purpose": "monitoring"}).text
    answer = re.search(r'role="(?:status|alert)">(?:<svg.*?</svg>)?(?:<strong>)?([^<]*)<', html)
    assert answer
    assert said in answer[1]
    for secret in ("李不愿", "10012345678", "p-1", "Owner"):
        assert secret not in html


@pytest.mark.parametrize(
    ("plate", "said"),
    [("云A12345", "Registered"), ("云A1Z345", "compare"), ("京Z98765", "Not known"), ("", "plate")],
)
def test_whose_car_is_answered_with_a_building_and_near_plates(visit: Visit, plate: str, said: str) -> None:
    html = visit("guard", "en").post("/registry/gate/plate", data={"plate": plate, "purpose": "monitoring"})
    answer = re.search(r'role="(?:status|alert)">(?:<svg.*?</svg>)?(?:<strong>)?([^<]*)<', html.text)
    assert answer
    assert said in answer[1]
    assert "张三丰" not in html.text
    if plate == "云A12345":
        assert "Goes to 3幢" in html.text
    if plate == "云A1Z345":
        assert "云A12345</span>" in html.text


def test_a_pass_is_found_by_qr_or_phone_and_lets_in_once(visit: Visit, seeded: Rooms) -> None:
    pass_id, token = a_pass(seeded)
    client = visit("guard", "en")
    for shown in (token, "4321"):
        html = client.post("/registry/gate/pass", data={"shown": shown, "zone": "gate-east"}).text
        assert "The pass lets in" in html
        assert "3幢" in html
        assert "10012344321" not in html
    use = re.search(r'name="use_id" value="([^"]+)"', html)
    assert use
    form = {"zone": "gate-east", "use_id": use[1]}
    for _ in range(2):
        used = client.post(f"/registry/gate/passes/{pass_id}", data=form).text
        assert "Let in; it was counted" in used
    with seeded.database.read() as session:
        assert len(session.scalars(select(PassUse).where(PassUse.visitor_pass == pass_id)).all()) == 1


def test_of_several_passes_the_guard_chooses_one(visit: Visit, seeded: Rooms) -> None:
    ids = {a_pass(seeded)[0], a_pass(seeded)[0]}
    client = visit("guard", "en")
    html = client.post("/registry/gate/pass", data={"shown": "4321", "zone": "gate-east"}).text
    assert "Several passes fit" in html
    offered = set(re.findall(r"/registry/gate/passes/([\w-]+)", html))
    assert offered == ids
    chosen = client.post(f"/registry/gate/passes/{offered.pop()}", data={"zone": "gate-east"}).text
    assert "The pass lets in" in chosen


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("pass", {"shown": "0000", "zone": "gate-east"}, "No pass that is valid now"),
        ("pass", {"shown": "no-such-token", "zone": "gate-east"}, "No pass that is valid now"),
        ("pass", {"shown": "", "zone": "gate-east"}, "Say"),
        ("passes/nope", {"zone": "gate-east"}, "There is no such pass"),
        ("passes/nope", {}, "There is no such zone"),
    ],
)
def test_what_is_no_pass_is_told(visit: Visit, path: str, form: dict[str, str], said: str) -> None:
    assert said in visit("guard", "en").post(f"/registry/gate/{path}", data=form).text


def test_the_gates_questions_are_for_those_who_stand_there(visit: Visit, seeded: Rooms) -> None:
    pass_id, _ = a_pass(seeded)
    posts = {"belongs", "plate", "pass", f"passes/{pass_id}"}
    for who in ("grid", "police", "auditor", "resident", "li"):
        client = visit(who)
        assert client.get("/registry/gate").status_code == 403
        assert {client.post(f"/registry/gate/{path}").status_code for path in posts} == {403}
    manager = visit("manager", "en")
    assert "Does this pass let in?" not in manager.get("/registry/gate").text
    assert manager.post("/registry/gate/pass", data={"shown": "4321"}).status_code == 403
