"""A building as a table, a dwelling and its people: walked, verified at the door, handed over."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from console.context import Rooms
from console.pages.reports import harmless
from registry.models import (
    Dwelling,
    DwellingState,
    Household,
    Person,
    Residence,
    ResidenceKind,
    SituationNote,
)
from storage.audit import AuditRow

Visit = Callable[..., TestClient]


def sitting(client: TestClient) -> TestClient:
    client.post("/registry/purpose", data={"purpose": "registry_maintenance"})
    return client


def dwelling(rooms: Rooms, house: str = "house-b3", room: str = "1801") -> str:
    with rooms.database.read() as session:
        return session.scalars(
            select(Dwelling.id).where(Dwelling.unit == f"{house}-u2", Dwelling.room_no == room)
        ).one()


def flats(html: str) -> dict[str, str]:
    return {
        room: state.strip()
        for state, room in re.findall(r'class="flat ([^"]+)"[^>]*><strong>([^<]+)</strong>', html)
    }


def test_the_first_page_leads_to_every_house_and_a_grid_workers_to_the_own(visit: Visit) -> None:
    assert "/registry/buildings/house-b5" in visit("manager").get("/registry").text
    own = visit("grid").get("/registry").text
    assert "/registry/buildings/house-b3" in own
    assert "/registry/buildings/house-b5" not in own


def test_a_building_shows_how_each_dwelling_is_lived_in_and_names_nobody(visit: Visit) -> None:
    html = visit("operator", "en").get("/registry/buildings/house-b3").text
    assert flats(html) == {"1801": "owner", "1802": "tenant"}
    assert "ends soon" in html
    assert "unverified" in html
    for name in ("张三丰", "李不愿", "尖"):
        assert name not in html
    assert flats(visit("operator").get("/registry/buildings/house-b5").text) == {
        "1801": "empty",
        "1802": "empty",
    }


def test_a_count_brings_its_dwellings_out(visit: Visit) -> None:
    html = visit("manager").get("/registry/buildings/house-b3?show=expiring").text
    assert flats(html) == {"1801": "owner dim", "1802": "tenant"}
    assert visit("manager").get("/registry/buildings/nope").status_code == 404


def test_a_grid_workers_table_has_the_own_grid_only(visit: Visit) -> None:
    assert flats(visit("grid").get("/registry/buildings/house-b5").text) == {}


@pytest.mark.parametrize("more", [1, 40])
def test_a_building_is_read_in_as_many_statements_however_many_live_there(
    visit: Visit, seeded: Rooms, more: int
) -> None:
    today = seeded.clock.now().date()
    home = dwelling(seeded, "house-b5")
    with seeded.database.write() as session:
        for number in range(more):
            session.add(Person(id=f"many-{number}", compound=seeded.compound))
            session.flush()
            session.add(
                Residence(
                    id=f"many-{number}",
                    compound=seeded.compound,
                    person=f"many-{number}",
                    dwelling=home,
                    kind=ResidenceKind.LODGER,
                    since=today,
                )
            )
    client = visit("manager")
    asked: list[str] = []
    engine = seeded.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert client.get("/registry/buildings/house-b5").status_code == 200
    assert 5 < len(asked) <= 30


def test_at_the_door_everybody_is_verified_by_one_press(visit: Visit, seeded: Rooms) -> None:
    home = dwelling(seeded)
    client = sitting(visit("grid", "en"))
    html = client.get(f"/registry/dwellings/{home}").text
    assert "Change of owner or tenant" not in html
    value = re.search(r'name="residence" value="([^"]+)"', html)
    assert value
    answer = client.post(f"/registry/dwellings/{home}/verified", data={"residence": value[1]})
    assert answer.headers["location"].endswith("done=verified")
    with seeded.database.read() as session:
        row = session.get_one(Residence, "res-p-1")
        assert (row.verified_on, row.verified_by) == (seeded.clock.now().date(), "u-grid")
    assert "verified today" in client.get(f"/registry/dwellings/{home}").text
    stale = client.post(f"/registry/dwellings/{home}/verified", data={"residence": value[1]})
    assert stale.status_code == 409
    assert 'role="alert"' in stale.text


def test_what_is_not_as_registered_is_noted_for_the_office_about_the_dwelling(
    visit: Visit, seeded: Rooms
) -> None:
    home = dwelling(seeded)
    client = sitting(visit("grid", "en"))
    at = f"/registry/dwellings/{home}"
    assert client.post(f"{at}/notes", data={"seen": "nobody_opened"}).status_code == 303
    assert client.post(f"{at}/notes", data={"seen": "", "text": ""}).status_code == 422
    told = client.post(f"{at}/notes", data={"seen": "", "text": "打 10012345678 找他"})
    assert told.status_code == 409
    assert "打 10012345678 找他" in told.text
    with seeded.database.read() as session:
        [note] = session.scalars(select(SituationNote).where(SituationNote.place == home)).all()
        assert (note.text, note.author) == ("Nobody opened.", "u-grid")
    assert "Nobody opened." in sitting(visit("manager", "en")).get(at).text
    away = dwelling(seeded, "house-b5")
    assert client.get(f"/registry/dwellings/{away}").status_code == 403


def turnover(client: TestClient, home: str, today: dt.date, **more: str) -> dict[str, str]:
    html = client.get(f"/registry/dwellings/{home}").text
    leaving = re.search(r'name="leaving" value="([^"]+)"', html)
    number = re.search(r'/turnover".*?name="version" value="(\d+)"', html, re.DOTALL)
    assert number
    return {
        "version": number[1],
        "last_day": today.isoformat(),
        "since": (today + dt.timedelta(days=1)).isoformat(),
        "kind": "tenant",
        "name": "孙新来",
        "phone": "10012347777",
        **({"leaving": leaving[1]} if leaving else {}),
        **more,
    }


def test_a_tenant_leaves_and_the_next_comes_in_one_form(visit: Visit, seeded: Rooms) -> None:
    home, today = dwelling(seeded, room="1802"), seeded.clock.now().date()
    client = sitting(visit("manager", "en"))
    form = turnover(client, home, today)
    answer = client.post(f"/registry/dwellings/{home}/turnover", data=form)
    assert answer.headers["location"].endswith("done=turned_over")
    with seeded.database.read() as session:
        assert session.get_one(Residence, "res-p-3").until == today
        new = session.scalars(
            select(Residence).where(Residence.dwelling == home, Residence.id != "res-p-3")
        ).one()
        assert (new.kind, new.since) == ("tenant", today + dt.timedelta(days=1))
        comer = session.get_one(Person, new.person)
        assert comer.name == "孙新来"
        household = session.get_one(Household, comer.household or "")
        assert (household.dwelling, household.head_person_id) == (home, comer.id)
        assert session.get_one(Dwelling, home).state == DwellingState.LET


def test_of_a_change_that_is_refused_nothing_is_left(visit: Visit, seeded: Rooms) -> None:
    home, today = dwelling(seeded, room="1802"), seeded.clock.now().date()
    client = sitting(visit("manager", "en"))
    for wrong in ({"phone": "12"}, {"kind": "registered_absent"}, {"until": "2020-01-01"}, {"last_day": ""}):
        form = turnover(client, home, today, **wrong)
        answer = client.post(f"/registry/dwellings/{home}/turnover", data=form)
        assert answer.status_code in {409, 422}, wrong
        assert 'role="alert"' in answer.text
        assert 'value="孙新来"' in answer.text
    with seeded.database.read() as session:
        assert session.get_one(Residence, "res-p-3").until == today + dt.timedelta(days=5)
        assert len(session.scalars(select(Person)).all()) == 3


def test_an_owner_leaves_and_nobody_comes(visit: Visit, seeded: Rooms) -> None:
    home, today = dwelling(seeded), seeded.clock.now().date()
    client = sitting(visit("manager", "en"))
    form = turnover(client, home, today - dt.timedelta(days=1), name="", phone="")
    assert client.post(f"/registry/dwellings/{home}/turnover", data=form).status_code == 303
    with seeded.database.read() as session:
        assert session.get_one(Household, "h-1").dwelling is None
        assert session.get_one(Dwelling, home).state == DwellingState.VACANT
    assert "Nobody lives here" in client.get(f"/registry/dwellings/{home}").text


def test_whoever_has_left_is_in_the_report_while_something_opens(visit: Visit, seeded: Rooms) -> None:
    home, today = dwelling(seeded), seeded.clock.now().date()
    client = sitting(visit("manager", "en"))
    assert "Nothing opens for anybody" in client.get("/registry/reports/leavers").text
    form = turnover(client, home, today - dt.timedelta(days=1), name="", phone="")
    client.post(f"/registry/dwellings/{home}/turnover", data=form)
    html = client.get("/registry/reports/leavers").text
    assert "/registry/vehicles/v-1" in html
    assert "/registry/people/p-1" in html
    for who in ("grid", "operator"):
        assert visit(who).get("/registry/reports/leavers").status_code in {403, 404}
    assert "leavers" not in visit("grid").get("/registry/reports").text


def test_what_a_dwelling_is_used_for_is_said(visit: Visit, seeded: Rooms) -> None:
    home = dwelling(seeded, "house-b5")
    client = sitting(visit("manager", "en"))
    number = re.search(
        r'/state".*?name="version" value="(\d+)"', client.get(f"/registry/dwellings/{home}").text, re.DOTALL
    )
    assert number
    client.post(f"/registry/dwellings/{home}/state", data={"version": number[1], "state": "shop"})
    assert flats(client.get("/registry/buildings/house-b5").text)["1801"] == "shop"


def test_a_row_of_a_report_leads_to_where_it_is_mended(visit: Visit, seeded: Rooms) -> None:
    home = dwelling(seeded, room="1802")
    html = visit("manager", "en").get("/registry/reports/tenancies").text
    assert f'href="/registry/dwellings/{home}"' in html
    assert 'href="/registry/people/p-3"' in html
    other = visit("manager", "en").get("/registry/reports/tenancies?code=ended").text
    assert f'href="/registry/dwellings/{home}"' not in other
    elsewhere = visit("manager", "en").get("/registry/reports/tenancies?grid=g-2").text
    assert f'href="/registry/dwellings/{home}"' not in elsewhere
    assert visit("grid").get("/registry/reports/tenancies?grid=g-2").status_code == 403


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+86", "'+86"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+cmd", "'-1+cmd"),
        ("\tx", "'\tx"),
        ("\r=1", "'\r=1"),
        ("-3", "-3"),
        ("3幢", "3幢"),
    ],
)
def test_no_cell_of_a_file_is_a_formula(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_that_a_report_was_taken_away_is_noted(visit: Visit, seeded: Rooms) -> None:
    answer = visit("manager").get("/registry/reports/tenancies.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    with seeded.database.read() as session:
        noted = [(row.action, row.detail) for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]
    assert noted[-1] == ("report.downloaded", "tenancies rows=1")
