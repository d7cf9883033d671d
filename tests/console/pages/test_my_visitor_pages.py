"""A resident's visitors: given in one press, found again, ended; and nobody else's."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from console.accounts.models import Role, User
from console.context import Rooms
from console.security import CSRF_HEADER
from registry.models import Household, PassKind, PassState, Person, Residence, VisitorPass
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import PassWanted, issue, request, token_hash
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PHONE, PLATE = "10012344321", "云A77777"
HERE = dt.timezone(dt.timedelta(hours=8))
OTHERS = ["operator", "admin", "manager", "guard", "grid", "police", "auditor", "li"]


def give(client: TestClient, **form: str) -> str:
    answer = client.post("/my/visitors", data={"span": "hours_2", **form})
    assert answer.status_code == 201, re.findall(r'role="alert">([^<]*)', answer.text)
    return str(answer.text)


def token_in(html: str) -> str:
    found = re.search(r'value="http[^"]*/pass/([\w-]{32})"', html)
    assert found
    return str(found[1])


def all_passes(rooms: Rooms) -> list[VisitorPass]:
    with rooms.database.read() as session:
        rows = list(session.scalars(select(VisitorPass)))
        session.expunge_all()
        return rows


def made(
    rooms: Rooms,
    host: str = "h-1",
    *,
    waiting: bool = False,
    kind: PassKind = PassKind.VISITOR,
    **wanted: object,
) -> str:
    with rooms.database.write() as session:
        act = request if waiting else issue
        asked = PassWanted(kind, Host(HostKind.HOUSEHOLD, host), **wanted)  # type: ignore[arg-type]
        return act(session, rooms.compound, asked, by="u-guard", at=rooms.clock.now()).visitor_pass.id


@pytest.fixture
def next_door(seeded: Rooms) -> str:
    """The tenant of the dwelling beside it is a household of their own."""
    with seeded.database.write() as session:
        dwelling = session.get_one(Residence, "res-p-3").dwelling
        session.add(Household(id="h-2", compound=seeded.compound, dwelling=dwelling))
        session.flush()
        session.get_one(Person, "p-3").household = "h-2"
        session.add(
            User(
                id="u-neighbour",
                name="neighbour",
                password_hash="$argon2id$none",
                role=Role.RESIDENT,
                person_id="p-3",
                created_at=seeded.clock.now(),
            )
        )
    return "h-2"


# ── given ─────────────────────────────────────────────────────────────────────


def test_one_press_gives_a_pass_to_the_own_home(visit: Visit, seeded: Rooms) -> None:
    html = give(visit("resident", "en"))
    [row] = all_passes(seeded)
    assert (row.kind, row.state, row.host_household) == (PassKind.VISITOR, PassState.APPROVED, "h-1")
    assert (row.plate, row.phone, row.max_uses) == (None, None, None)
    assert row.ends_at - row.starts_at == dt.timedelta(hours=2)
    assert row.token_hash == token_hash(f"RW1:{token_in(html)}")
    assert "data:image/png;base64," in html
    assert "张三丰" not in html
    with seeded.database.read() as session:
        noted = session.scalars(select(AuditRow).where(AuditRow.subject == f"visitor_pass:{row.id}")).one()
        assert (noted.actor, noted.action) == ("u-resident", "pass.approved")


def test_a_plate_is_told_from_a_phone(visit: Visit, seeded: Rooms) -> None:
    client = visit("resident")
    give(client, visitor="云 a·77777")
    give(client, visitor="100 1234 4321", uses="one")
    assert {(row.plate, row.phone, row.max_uses) for row in all_passes(seeded)} == {
        (PLATE, None, None),
        (None, PHONE, 1),
    }


@pytest.mark.parametrize(
    ("form", "hours"),
    [
        ({"span": "today", "kind": "courier"}, 12),
        ({"span": "tonight", "kind": "food_delivery"}, 3),
        ({"span": "tomorrow", "kind": "courier"}, 12),
        ({"span": "between", "kind": "domestic_help"}, 30 * 24),
        ({"span": "between"}, 12),
    ],
)
def test_a_word_is_as_long_as_its_kind_may_be(
    visit: Visit, seeded: Rooms, form: dict[str, str], hours: int
) -> None:
    give(visit("resident"), **form)
    [row] = all_passes(seeded)
    assert dt.timedelta(0) < row.ends_at - row.starts_at <= dt.timedelta(hours=hours)


def test_tomorrow_is_the_next_day_by_the_compounds_clock(visit: Visit, seeded: Rooms) -> None:
    html = give(visit("resident", "en"), span="tomorrow")
    [row] = all_passes(seeded)
    today = seeded.clock.now().astimezone(HERE).date()
    begins, ends = row.starts_at.astimezone(HERE), row.ends_at.astimezone(HERE)
    assert {begins.date(), ends.date()} == {today + dt.timedelta(days=1)}
    assert (begins.hour, ends.hour) == (0, 23)
    assert "Not yet" in html
    assert "Not yet" in visit("resident", "en").get("/my/visitors").text


def test_a_time_of_ones_own_and_building_work_waits_for_the_office(visit: Visit, seeded: Rooms) -> None:
    day = seeded.clock.now().astimezone(HERE).date() + dt.timedelta(days=3)
    form = {"kind": "contractor", "starts": f"{day}T09:00", "ends": f"{day + dt.timedelta(days=4)}T18:00"}
    client = visit("resident", "en")
    html = give(client, span="between", **form)
    [row] = all_passes(seeded)
    assert row.state == PassState.REQUESTED
    assert row.ends_at - row.starts_at == dt.timedelta(days=4, hours=9)
    assert "has to approve it first" in html
    assert "data:image" not in html
    listed = client.get("/my/visitors").text
    assert "Waits for the office" in listed
    # Nobody approves their own.
    path = f"/my/visitors/{row.id}/decision"
    refused = client.post(path, data={"verdict": "approve", "version": "1"})
    assert refused.status_code == 409
    assert all_passes(seeded)[0].state == PassState.REQUESTED


def test_pressed_twice_it_is_one_pass(visit: Visit, seeded: Rooms) -> None:
    client = visit("resident", "en")
    first = give(client, once="form-1")
    again = give(client, once="form-1")
    assert "shown once" in again
    assert token_in(first) not in again
    assert len(all_passes(seeded)) == 1


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"visitor": "12"}, 409, "neither a complete number plate nor a phone"),
        ({"span": "for_ever"}, 422, ""),
        ({"kind": "business"}, 422, ""),
        ({"kind": "everybody"}, 422, ""),
        ({"span": "tomorrow", "kind": "food_delivery"}, 409, "choose the hour"),
        ({"span": "between", "ends": "2026-12-20T10:00"}, 409, "longer than its kind allows"),
        ({"span": "between", "ends": "2020-01-01T10:00"}, 409, ""),
        ({"span": "between", "starts": "soon"}, 422, ""),
        ({"span": "between", "ends": "later"}, 422, ""),
        ({"span": "between", "starts": "2027-06-01T10:00"}, 409, "too far ahead"),
    ],
)
def test_what_cannot_be_given_is_told_and_what_was_typed_stays(
    visit: Visit, seeded: Rooms, form: dict[str, str], status: int, said: str
) -> None:
    sent = {"visitor": PLATE, "span": "hours_2", "uses": "one", **form}
    answer = visit("resident", "en").post("/my/visitors", data=sent)
    assert answer.status_code == status
    notice = re.search(r'role="alert">([^<]+)<', answer.text)
    assert notice
    assert said in notice[1]
    assert f'value="{sent["visitor"]}"' in answer.text
    assert re.search(r'name="uses" value="one" checked', answer.text)
    assert all_passes(seeded) == []


def test_what_is_typed_is_shown_as_text(visit: Visit) -> None:
    sharp = '"><script>alert(1)</script>'
    answer = visit("resident").post("/my/visitors", data={"span": "today", "visitor": sharp, "starts": sharp})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_who_has_moved_away_lets_nobody_in(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(Residence, "res-p-1").until = seeded.clock.now().date() - dt.timedelta(days=1)
    answer = visit("resident", "en").post("/my/visitors", data={"span": "today"})
    assert answer.status_code == 409
    assert "not entered as living here" in answer.text
    assert all_passes(seeded) == []


def test_who_lives_alone_and_is_no_household_has_visitors_too(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(User, "u-resident").person_id = "p-3"
    give(visit("resident"))
    [row] = all_passes(seeded)
    assert (row.host_household, row.host_person) == (None, "p-3")
    assert row.id in visit("resident").get("/my/visitors").text


def test_who_is_entered_nowhere_is_told_so(visit: Visit, seeded: Rooms) -> None:
    client = visit("newcomer", "en")
    page = client.get("/my/visitors").text
    assert "Nobody is entered" in page
    assert 'name="span"' not in page
    assert client.post("/my/visitors", data={"span": "today"}).status_code == 409
    assert all_passes(seeded) == []


# ── whose they are ────────────────────────────────────────────────────────────


def test_another_households_pass_is_nowhere(visit: Visit, seeded: Rooms, next_door: str) -> None:
    theirs = made(seeded, next_door, plate=PLATE, waiting=True)
    client = visit("resident")
    for path in ("/my", "/my/visitors", "/my/visitors/earlier"):
        assert theirs not in client.get(path).text
    assert client.get(f"/my/visitors/{theirs}").status_code == 404
    for act, form in (
        ("decision", {"verdict": "approve"}),
        ("revocation", {}),
        ("extension", {"span": "today"}),
        ("token", {}),
    ):
        answer = client.post(f"/my/visitors/{theirs}/{act}", data={"version": "1", **form})
        assert answer.status_code == 404, act
        assert PLATE not in answer.text
    [row] = all_passes(seeded)
    assert (row.state, row.version) == (PassState.REQUESTED, 1)
    assert visit("neighbour").get(f"/my/visitors/{theirs}").status_code == 200
    assert client.get("/my/visitors/no-such-pass").status_code == 404


def test_the_whole_household_sees_what_one_of_it_gave(visit: Visit, seeded: Rooms) -> None:
    give(visit("resident"), visitor=PLATE)
    [row] = all_passes(seeded)
    with seeded.database.write() as session:
        session.get_one(User, "u-newcomer").person_id = "p-2"
    client = visit("newcomer")
    listed = client.get("/my/visitors").text
    assert row.id in listed
    # A list holds no plate; opening one is a look.
    assert PLATE not in listed
    assert PLATE in client.get(f"/my/visitors/{row.id}").text
    with seeded.database.read() as session:
        look = session.scalars(select(AuditRow).where(AuditRow.action == "pass.viewed")).one()
        assert (look.actor, look.purpose, look.subject) == (
            "u-newcomer",
            "resident_request",
            f"visitor_pass:{row.id}",
        )


@pytest.mark.parametrize("who", OTHERS)
def test_the_pages_are_the_residents_alone(visit: Visit, seeded: Rooms, who: str) -> None:
    mine = made(seeded)
    client = visit(who)
    for path in ("/my/visitors", "/my/visitors/earlier", f"/my/visitors/{mine}", "/my/rights", "/my/reports"):
        assert client.get(path).status_code == 403, path
    assert client.post("/my/visitors", data={"span": "today"}).status_code == 403
    for act in ("decision", "revocation", "extension", "token"):
        assert client.post(f"/my/visitors/{mine}/{act}", data={"version": "1"}).status_code == 403, act
    [row] = all_passes(seeded)
    assert row.version == 1


def test_nothing_is_given_or_ended_without_the_forms_token(visit: Visit, seeded: Rooms) -> None:
    mine = made(seeded)
    client = visit("resident")
    del client.headers[CSRF_HEADER]
    assert client.post("/my/visitors", data={"span": "today"}).status_code == 403
    assert client.post(f"/my/visitors/{mine}/revocation", data={"version": "1"}).status_code == 403
    [row] = all_passes(seeded)
    assert row.state == PassState.APPROVED


# ── afterwards ────────────────────────────────────────────────────────────────


def test_it_is_prolonged_gets_a_new_code_and_is_ended(visit: Visit, seeded: Rooms) -> None:
    client = visit("resident", "en")
    old = token_in(give(client))
    [row] = all_passes(seeded)
    at = f"/my/visitors/{row.id}"
    longer = client.post(f"{at}/extension", data={"span": "tonight", "version": str(row.version)})
    assert longer.headers["location"] == f"{at}?done=pass_extended"
    [after] = all_passes(seeded)
    assert after.ends_at > row.ends_at
    stale = client.post(f"{at}/revocation", data={"version": str(row.version)})
    assert stale.status_code == 409
    new = token_in(client.post(f"{at}/token", data={"version": str(after.version)}).text)
    anybody = visit(None, "en")
    assert anybody.get(f"/pass/{old}").status_code == 404
    assert "data:image" in anybody.get(f"/pass/{new}").text
    form = {"version": str(all_passes(seeded)[0].version), "back": "list"}
    ended = client.post(f"{at}/revocation", data=form)
    assert ended.headers["location"] == "/my/visitors?done=pass_revoked"
    gone = anybody.get(f"/pass/{new}").text
    assert "Taken back" in gone
    assert "data:image" not in gone
    assert row.id not in client.get("/my/visitors").text
    assert "Ended" in client.get("/my/visitors/earlier").text
    # Of what has ended nothing can be pressed any more.
    assert f'action="{at}' not in client.get(at).text


def test_a_couriers_stay_is_prolonged_by_what_a_courier_may(visit: Visit, seeded: Rooms) -> None:
    mine = made(seeded, kind=PassKind.COURIER)
    answer = visit("resident").post(
        f"/my/visitors/{mine}/extension", data={"span": "tonight", "version": "1"}
    )
    assert answer.status_code == 303
    [row] = all_passes(seeded)
    assert row.ends_at <= seeded.clock.now() + dt.timedelta(hours=12)


@pytest.mark.parametrize(
    ("verdict", "state"), [("approve", PassState.APPROVED), ("refuse", PassState.REFUSED)]
)
def test_whom_the_gate_asks_about_is_answered_on_the_first_page(
    visit: Visit, seeded: Rooms, verdict: str, state: PassState
) -> None:
    mine = made(seeded, waiting=True)
    client = visit("resident", "en")
    first = client.get("/my").text
    assert "The gate asks" in first
    assert f'action="/my/visitors/{mine}/decision"' in first
    form = {"verdict": verdict, "version": "1", "back": "home"}
    answer = client.post(f"/my/visitors/{mine}/decision", data=form)
    assert answer.headers["location"] == f"/my?done=pass_{verdict}"
    assert all_passes(seeded)[0].state == state
    assert "The gate asks" not in client.get("/my").text


def test_an_unread_verdict_is_refused(visit: Visit, seeded: Rooms) -> None:
    mine = made(seeded, waiting=True)
    answer = visit("resident").post(f"/my/visitors/{mine}/decision", data={"verdict": "<b>", "version": "1"})
    assert answer.status_code == 422
    assert all_passes(seeded)[0].state == PassState.REQUESTED


def test_a_pass_for_a_later_week_is_in_the_list_and_a_used_one_is_not(visit: Visit, seeded: Rooms) -> None:
    now = seeded.clock.now()
    later = made(seeded, starts_at=now + dt.timedelta(days=9), ends_at=now + dt.timedelta(days=9, hours=3))
    used = made(seeded, max_uses=1)
    with seeded.database.write() as session:
        session.get_one(VisitorPass, used).uses = 1
    client = visit("resident", "en")
    listed = client.get("/my/visitors").text
    assert later in listed
    assert used not in listed
    assert "Used up" in client.get("/my/visitors/earlier").text


def test_all_passes_come_in_pages(visit: Visit, seeded: Rooms) -> None:
    ids = {made(seeded) for _ in range(23)}
    client = visit("resident")
    found: list[str] = []
    path: str | None = "/my/visitors/earlier"
    while path:
        html = client.get(path).text
        found += re.findall(r'href="/my/visitors/([^"?/]+)"', html.split("<main")[1].split("</main")[0])
        following = re.search(r'rel="next" href="([^"]+)"', html)
        path = following[1].replace("&amp;", "&") if following else None
    assert sorted(one for one in found if one in ids) == sorted(ids)


def test_made_up_answers_in_the_address_say_nothing(visit: Visit) -> None:
    for path in ("/my", "/my/visitors"):
        assert 'class="notice' not in visit("resident").get(f"{path}?done=%3Cb%3E").text
