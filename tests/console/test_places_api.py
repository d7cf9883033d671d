"""Places through the API: districts, zones, buildings, units, dwellings, grids, other names, notes, the map."""

import pytest
from sqlalchemy import select

from console.accounts.models import Role
from devices.models import Device, DeviceKind, Stage
from registry.models import Compound, DwellingState, Grid
from storage.audit import AuditRow
from tests.support import houses
from tests.support.houses import HERE, THERE

API = "/api/v1"


@pytest.fixture
def place(database):
    with database.write() as session:
        return houses.found(session)


@pytest.fixture
def manager(signed_in, place):
    return signed_in(Role.PROPERTY_MANAGER)


@pytest.fixture
def grid_worker(signed_in, database, place):
    """Looks after the eastern grid, where 3幢 is."""
    browser = signed_in(Role.GRID_WORKER)
    with database.write() as session:
        session.get_one(Grid, place.east).worker = browser.user.id
    return browser


def actions(database) -> list[str]:
    with database.read() as session:
        return [row.action for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]


async def made(browser, path: str, **given) -> dict:
    answer = await browser.post(f"{API}{path}", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# ── above the compounds ───────────────────────────────────────────────────────


async def test_a_deployment_grows_by_a_street(administrator, place, database):
    street = await made(administrator, "/subdistricts", name="青华街道", code="530502001")
    area = await made(
        administrator, "/communities", subdistrict=street["id"], name="红花社区", code="530502001001"
    )
    await made(administrator, "/compounds", id="meilin", name="梅林苑", community=area["id"])
    with database.read() as session:
        assert session.get_one(Compound, "meilin").community == area["id"]
    edited = await administrator.patch(f"{API}/communities/{area['id']}", json={"name": "红花新社区"})
    assert (edited.json()["name"], edited.json()["code"]) == ("红花新社区", "530502001001")
    edited = await administrator.patch(f"{API}/subdistricts/{street['id']}", json={"name": "青华"})
    assert edited.json() == {"id": street["id"], "name": "青华", "code": "530502001"}
    assert len((await administrator.get(f"{API}/subdistricts")).json()["items"]) == 1
    assert len((await administrator.get(f"{API}/communities")).json()["items"]) == 1
    assert actions(database) == [
        "subdistrict.added",
        "community.added",
        "compound.added",
        "community.edited",
        "subdistrict.edited",
    ]


async def test_who_sees_one_compound_changes_that_and_nothing_above_it(manager, database, place):
    with database.write() as session:
        session.get_one(type(manager.user), manager.user.id).compounds = [HERE]
    for answer in (
        await manager.post(f"{API}/subdistricts", json={"name": "x"}),
        await manager.post(f"{API}/compounds", json={"id": "x", "name": "x"}),
        await manager.patch(f"{API}/compounds/{HERE}", json={"community": "none"}),
    ):
        assert await code_of(answer) == (403, "forbidden")
    answer = await manager.patch(
        f"{API}/compounds/{HERE}",
        json={"kind": "resettlement", "longitude": 99.2, "latitude": 25.1, "bearing": 0},
    )
    assert answer.json() | {"kind": "resettlement", "longitude": 99.2, "name": HERE} == answer.json()
    assert await code_of(await manager.patch(f"{API}/compounds/{THERE}", json={})) == (
        404,
        "compound_not_found",
    )
    half = await manager.patch(f"{API}/compounds/{HERE}", json={"bearing": None})
    assert await code_of(half) == (409, "position")


# ── zones, buildings, units ───────────────────────────────────────────────────


async def test_zones_know_their_neighbours_from_both_sides(manager, place):
    outline = [[0, 0], [5, 0], [5, 5]]
    gate = await made(
        manager,
        "/zones",
        name="东门",
        ring="entrance",
        kind="gate",
        outline=outline,
        neighbours=[place.yard],
    )
    zones = {zone["id"]: zone for zone in (await manager.get(f"{API}/zones")).json()["items"]}
    assert zones[place.yard]["neighbours"] == [gate["id"]]
    assert zones[gate["id"]]["outline"] == outline
    edited = await manager.patch(
        f"{API}/zones/{gate['id']}", json={"version": gate["version"], "neighbours": []}
    )
    assert (edited.json()["name"], edited.json()["neighbours"]) == ("东门", [])
    stale = await manager.patch(f"{API}/zones/{gate['id']}", json={"version": 1, "name": "西门"})
    assert (stale.status_code, stale.json()["current_version"]) == (409, 2)
    flat = await manager.patch(f"{API}/zones/{gate['id']}", json={"version": 2, "outline": [[0, 0], [1, 1]]})
    assert await code_of(flat) == (409, "outline")


async def test_a_renumbered_building_is_found_by_both_numbers_each_on_its_days(manager, place, clock):
    edited = await manager.patch(f"{API}/buildings/{place.b3}", json={"version": 1, "name": "8幢"})
    assert (edited.json()["name"], edited.json()["version"]) == ("8幢", 2)

    async def found(address: str, on: str | None = None) -> list[str]:
        answer = await manager.get(
            f"{API}/dwellings", params={"address": address} | ({"on": on} if on else {})
        )
        return [item["id"] for item in answer.json()["items"]]

    assert await found("8号楼1单元1801") == [place.d31_1801]
    assert await found("3号楼1单元1801") == []
    assert await found("3号楼1单元1801", "2026-11-22") == [place.d31_1801]
    (alias,) = (await manager.get(f"{API}/aliases", params={"place": place.b3})).json()["items"]
    assert (alias["kind"], alias["text"], alias["until"]) == ("former", "3幢", "2026-11-22")


async def test_buildings_and_units_are_added_and_renamed(manager, place):
    given = {"name": "7幢", "zone": place.yard, "x": 1, "y": 1, "width": 5, "height": 5}
    building = await made(manager, "/buildings", **given)
    twice = await manager.post(f"{API}/buildings", json=given | {"name": "七号楼"})
    assert await code_of(twice) == (409, "name_taken")
    unit = await made(manager, "/units", building=building["id"], name="1单元")
    renamed = await manager.patch(f"{API}/units/{unit['id']}", json={"name": "东单元"})
    assert renamed.json() == {"id": unit["id"], "building": building["id"], "name": "东单元"}
    listed = await manager.get(f"{API}/units", params={"building": building["id"]})
    assert [item["name"] for item in listed.json()["items"]] == ["东单元"]
    for bad in ({"x": "NaN"}, {"width": 0}, {"name": ""}):
        assert (await manager.post(f"{API}/buildings", json=given | bad)).status_code == 422


async def test_a_creation_under_one_key_happens_once(manager, place):
    given = {"building": place.b6, "name": "2单元"}
    key = {"Idempotency-Key": "k-1"}
    first = await manager.post(f"{API}/units", json=given, headers=key)
    again = await manager.post(f"{API}/units", json=given, headers=key)
    assert first.json() == again.json()


# ── dwellings ─────────────────────────────────────────────────────────────────


async def test_a_dwelling_is_added_read_and_changed(manager, administrator, place, database):
    street = await made(administrator, "/subdistricts", name="青华街道")
    area = await made(administrator, "/communities", subdistrict=street["id"], name="x", code="530502001001")
    await administrator.patch(f"{API}/compounds/{HERE}", json={"community": area["id"]})
    new = await made(manager, "/dwellings", unit=place.u6, floor=-1, room_no="B101", state="vacant")
    shown = (await manager.get(f"{API}/dwellings/{new['id']}")).json()
    assert shown["address"] == "甲6幢地下1层B101室"
    assert shown["code"] == "530502001001-02-甲06-00-B1-B101"
    assert (shown["is_basement"], shown["grid"], shown["building"]) == (True, place.west, place.b6)
    edited = await manager.patch(
        f"{API}/dwellings/{new['id']}", json={"version": 1, "state": "let", "external_id": "F-1"}
    )
    assert (edited.json()["state"], edited.json()["external_id"], edited.json()["room_no"]) == (
        "let",
        "F-1",
        "B101",
    )
    stale = await manager.patch(f"{API}/dwellings/{new['id']}", json={"version": 1})
    assert await code_of(stale) == (409, "stale_version")
    assert actions(database)[-2:] == ["dwelling.added", "dwelling.edited"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"floor": 0, "room_no": "1"}, "floor_impossible"),
        ({"floor": 18, "room_no": "1801室"}, "address_taken"),
        ({"floor": 18, "room_no": "张三"}, "address_room"),
    ],
)
async def test_a_dwelling_that_cannot_be_is_refused(manager, place, given, code):
    answer = await manager.post(f"{API}/dwellings", json=given | {"unit": place.u31})
    assert await code_of(answer) == (409, code)


async def test_dwellings_are_listed_by_where_and_what_they_are(manager, place, database):
    with database.write() as session:
        houses.dwelling(session, place.d6_701).state = DwellingState.LET

    async def count(**asked) -> int:
        return len((await manager.get(f"{API}/dwellings", params=asked)).json()["items"])

    assert await count() == 13
    assert await count(building=place.b3) == 8
    assert await count(unit=place.u31) == 4
    assert await count(state="let") == 1
    assert await count(grid=place.west, state="occupied") == 4
    seen, cursor = [], None
    while True:
        params = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await manager.get(f"{API}/dwellings", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert (len(seen), len(set(seen))) == (13, 13)
    assert seen == sorted(seen)


async def test_what_is_no_address_and_what_means_two_are_told_apart(manager, place):
    asked = f"{API}/dwellings"
    assert await code_of(await manager.get(asked, params={"address": "张三家"})) == (422, "address_building")
    assert (await manager.get(asked, params={"address": "99幢101"})).json()["items"] == []
    alias = {"place_kind": "building", "place": place.b5, "kind": "colloquial", "text": "3幢"}
    await made(manager, "/aliases", **alias)
    answer = await manager.get(asked, params={"address": "3幢1单元1801"})
    assert await code_of(answer) == (409, "address_ambiguous")


async def test_other_names_are_given_ended_and_taken_away(manager, place):
    alias = {"place_kind": "building", "place": place.b3, "kind": "colloquial", "text": "老红楼"}
    first = await made(manager, "/aliases", **alias)
    found = await manager.get(f"{API}/dwellings", params={"address": "老红楼1单元1801"})
    assert [item["id"] for item in found.json()["items"]] == [place.d31_1801]
    ended = await manager.post(f"{API}/aliases/{first['id']}/end", json={"last_day": "2026-11-22"})
    assert ended.json()["until"] == "2026-11-22"
    gone = await manager.get(f"{API}/dwellings", params={"address": "老红楼1单元1801"})
    assert await code_of(gone) == (422, "address_building")
    assert (await manager.delete(f"{API}/aliases/{first['id']}")).status_code == 204
    assert await code_of(await manager.delete(f"{API}/aliases/{first['id']}")) == (404, "alias_not_found")


async def test_a_grid_worker_sees_the_own_grids_dwellings(grid_worker, place, signed_in):
    assert len((await grid_worker.get(f"{API}/dwellings")).json()["items"]) == 8
    assert (await grid_worker.get(f"{API}/dwellings/{place.d31_101}")).status_code == 200
    assert await code_of(await grid_worker.get(f"{API}/dwellings/{place.d6_701}")) == (403, "forbidden")
    found = await grid_worker.get(f"{API}/dwellings", params={"address": "甲6幢701"})
    assert found.json()["items"] == []
    assert [grid["id"] for grid in (await grid_worker.get(f"{API}/grids")).json()["items"]] == [place.east]
    nobodys = signed_in(Role.GRID_WORKER, name="new")
    assert (await nobodys.get(f"{API}/dwellings")).json()["items"] == []


# ── grids ─────────────────────────────────────────────────────────────────────


async def test_grids_are_made_filled_and_removed(manager, grid_worker, place, operator):
    worker = grid_worker.user.id
    grid = await made(manager, "/grids", code="03", name="北网格", worker=worker)
    moved = await manager.post(f"{API}/grids/{grid['id']}/dwellings", json={"building": place.b6})
    assert moved.json() == {"moved": 1}
    full = await manager.delete(f"{API}/grids/{grid['id']}", params={"version": 1})
    assert await code_of(full) == (409, "grid_not_empty")
    await manager.post(f"{API}/grids/{place.west}/dwellings", json={"dwellings": [place.d6_701]})
    edited = await manager.patch(f"{API}/grids/{grid['id']}", json={"version": 1, "worker": None})
    assert (edited.json()["worker"], edited.json()["code"]) == (None, "03")
    assert (await manager.delete(f"{API}/grids/{grid['id']}", params={"version": 2})).status_code == 204
    for user in ("none", operator.user.id):
        answer = await manager.post(f"{API}/grids", json={"code": "04", "name": "x", "deputy": user})
        assert await code_of(answer) == (409, "not_a_grid_worker")


# ── situation notes ───────────────────────────────────────────────────────────

LIFT = {"kind": "out_of_order", "text": "电梯停用", "starts_at": "2026-11-23T00:00:00Z"}


async def test_a_note_on_a_place_is_seen_by_who_goes_there(manager, grid_worker, place, signed_in):
    await made(manager, "/notes", place_kind="building", place=place.b3, **LIFT)
    await made(manager, "/notes", place_kind="dwelling", place=place.d6_701, **LIFT | {"text": "漏水"})
    volunteer = signed_in(Role.VOLUNTEER)

    async def texts(browser) -> list[str]:
        return [note["text"] for note in (await browser.get(f"{API}/notes")).json()["items"]]

    assert await texts(manager) == ["电梯停用", "漏水"]
    # What is the matter with a dwelling is for who sees dwellings, and only their own.
    assert await texts(volunteer) == ["电梯停用"]
    assert await texts(grid_worker) == ["电梯停用"]


async def test_a_note_ends_and_is_never_about_somebody(manager, place, clock):
    note = await made(manager, "/notes", place_kind="unit", place=place.u31, **LIFT)
    plate = await manager.post(
        f"{API}/notes",
        json=LIFT | {"place_kind": "unit", "place": place.u31, "text": "云M12345 挡住通道"},
    )
    assert await code_of(plate) == (409, "note_about_person")
    edited = await manager.patch(
        f"{API}/notes/{note['id']}", json={"version": 1, "ends_at": "2026-11-23T08:00:00Z"}
    )
    assert edited.json()["text"] == "电梯停用"
    clock.advance(hours=2)
    assert (await manager.get(f"{API}/notes")).json()["items"] == []


async def test_a_grid_worker_notes_nothing_on_anothers_dwelling(grid_worker, manager, place, database):
    away = {"place_kind": "dwelling", "place": place.d6_701, **LIFT}
    assert await code_of(await grid_worker.post(f"{API}/notes", json=away)) == (403, "forbidden")
    await made(grid_worker, "/notes", **away | {"place": place.d31_101})
    theirs = await made(manager, "/notes", **away)
    edit = await grid_worker.patch(f"{API}/notes/{theirs['id']}", json={"version": 1, "text": "x"})
    assert await code_of(edit) == (403, "forbidden")
    assert actions(database) == ["note.added", "note.added"]


# ── the map ───────────────────────────────────────────────────────────────────


async def test_the_map_shows_each_role_what_it_may_see(manager, grid_worker, place, database, signed_in):
    path = f"{API}/compounds/{HERE}/geojson"
    assert await code_of(await manager.get(path)) == (409, "compound_not_placed")
    with database.write() as session:
        compound = session.get_one(Compound, HERE)
        compound.longitude, compound.latitude, compound.bearing = 99.2, 25.1, 0.0
        session.add(
            Device(
                id="cam-1",
                compound=HERE,
                zone=place.yard,
                kind=DeviceKind.FACE_CAMERA,
                name="东门",
                secret_hash="$2b$never-shown",
                stage=Stage.APPROVED,
                x=1.0,
                y=2.0,
            )
        )

    async def kinds(browser, **params) -> dict[str, int]:
        answer = await browser.get(path, params=params)
        assert answer.headers["Content-Type"] == "application/geo+json"
        assert "$2b$" not in answer.text
        counts: dict[str, int] = {}
        for feature in answer.json()["features"]:
            kind = feature["properties"]["kind"]
            counts[kind] = counts.get(kind, 0) + 1
        return counts

    assert await kinds(manager) == {"zone": 1, "building": 3, "device": 1}
    assert await kinds(manager, dwellings=True) == {"zone": 1, "building": 3, "device": 1, "dwelling": 13}
    assert await kinds(grid_worker, dwellings=True) == {"zone": 1, "building": 3, "dwelling": 8}
    assert await kinds(signed_in(Role.RESIDENT), dwellings=True) == {"zone": 1, "building": 3}
    assert (await manager.get(f"{API}/compounds/{THERE}/geojson")).status_code == 404


async def test_nothing_of_another_compound_is_found_or_changed(manager, database, place):
    with database.write() as session:
        there = houses.found(session, THERE)
    for path, given in (
        (f"/zones/{there.yard}", {"version": 1, "name": "x"}),
        (f"/buildings/{there.b3}", {"version": 1, "name": "x"}),
        (f"/units/{there.u31}", {"name": "x"}),
        (f"/dwellings/{there.d6_701}", {"version": 1, "state": "let"}),
        (f"/grids/{there.east}", {"version": 1, "name": "x"}),
    ):
        assert (await manager.patch(API + path, json=given)).status_code == 404, path
    assert (await manager.get(f"{API}/dwellings/{there.d6_701}")).status_code == 404
    assert (await manager.get(f"{API}/units", params={"building": there.b3})).json()["items"] == []
    assert (await manager.get(f"{API}/dwellings", params={"building": there.b3})).json()["items"] == []
    assert actions(database) == []
