"""Imports and exports over HTTP: a job to ask for, faults in the asker's words, a file with its mark."""

import asyncio
import io
import zipfile

import openpyxl
import pytest
from console_world import COMPOUND
from sqlalchemy import select

from console.accounts.models import Role
from registry.models import Person
from storage.audit import AuditRow

DWELLINGS = "房屋地址,房屋状态\n3号楼2单元1801室,自住\n".encode()
PEOPLE = "人员编号,姓名,手机号,地址,居住类型,是否户主\nP1,王五,10012345678,3-2-1801,业主,是\nP2,赵六,123,3-2-1801,家属,否\n".encode()


async def ended(browser, job: str) -> dict:
    """The job once its thread is through."""
    async with asyncio.timeout(30):
        while True:
            answer = (await browser.get(f"/api/v1/imports/{job}")).json()
            if answer["state"] not in {"checking", "applying", "undoing"}:
                return answer
            await asyncio.sleep(0.02)


async def send(browser, content: bytes, **asked) -> dict:
    answer = await browser.post("/api/v1/imports", params=asked, files={"file": ("a.csv", content)})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/v1/imports/{answer.json()['id']}"
    return await ended(browser, answer.json()["id"])


@pytest.fixture
def manager(signed_in, world):
    return signed_in(Role.PROPERTY_MANAGER)


async def test_a_sheet_goes_in_and_comes_out_again(manager, database) -> None:
    assert (await send(manager, DWELLINGS, kind="dwellings"))["state"] == "applied"
    refused = await send(manager, PEOPLE, kind="people")
    assert (refused["state"], refused["error"], refused["faults"]) == ("refused", "rows_refused", 1)
    dry = await send(manager, PEOPLE, kind="people", dry_run=True, partly=True)
    assert (dry["state"], dry["counts"]["people"]["created"]) == ("checked", 1)
    done = await send(manager, PEOPLE, kind="people", partly=True)
    assert (done["state"], done["rows_done"], done["stalled"]) == ("applied", 2, False)
    with database.read() as session:
        person = session.scalars(select(Person).where(Person.external_id == "P1")).one()
        assert (person.name, person.compound) == ("王五", COMPOUND)
    answer = await manager.post(f"/api/v1/imports/{done['id']}/undo")
    assert (answer.status_code, answer.json()["state"]) == (202, "undoing")
    undone = await ended(manager, done["id"])
    assert (undone["state"], undone["counts"]["undo"]["deleted"]["people"]) == ("undone", 1)
    again = await manager.post(f"/api/v1/imports/{done['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "import_not_undoable")
    listed = (await manager.get("/api/v1/imports", params={"limit": 2})).json()
    assert (len(listed["items"]), listed["items"][0]["id"] != "", bool(listed["next_cursor"])) == (
        2,
        True,
        True,
    )


async def test_faults_are_told_in_the_askers_language_and_page_by_page(manager) -> None:
    await send(manager, DWELLINGS, kind="dwellings")
    job = (await send(manager, PEOPLE, kind="people"))["id"]
    path = f"/api/v1/imports/{job}/faults"
    chinese = (await manager.get(path, headers={"Accept-Language": "zh-CN"})).json()["items"]
    english = (await manager.get(path, headers={"Accept-Language": "en"})).json()["items"]
    assert chinese == [
        {
            "row": 3,
            "column": "phone",
            "column_name": "联系电话",
            "code": "phone_length",
            "text": "既不是手机号，也不是固定电话号码。",
            "warning": False,
        }
    ]
    assert english[0]["text"] == "This is neither a mobile nor a landline number."
    bad = PEOPLE + "P3,甲,1,3-2-1801,业主,\nP4,乙,1,3-2-1801,业主,\n".encode()
    job = (await send(manager, bad, kind="people"))["id"]
    page = (await manager.get(f"/api/v1/imports/{job}/faults", params={"limit": 2})).json()
    rest = (await manager.get(f"/api/v1/imports/{job}/faults", params={"cursor": page["next_cursor"]})).json()
    assert [fault["row"] for fault in page["items"] + rest["items"]] == [3, 4, 5]
    assert rest["next_cursor"] is None


async def test_a_request_that_is_sent_twice_is_one_import(manager) -> None:
    headers = {"Idempotency-Key": "k"}
    asked = {"params": {"kind": "dwellings"}, "files": {"file": ("a.csv", DWELLINGS)}, "headers": headers}
    first = await manager.post("/api/v1/imports", **asked)
    await ended(manager, first.json()["id"])
    second = await manager.post("/api/v1/imports", **asked)
    assert first.json() == second.json()
    other = await manager.post("/api/v1/imports", **asked | {"params": {"kind": "people"}})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_form_without_a_file_and_a_file_too_large_are_refused(manager) -> None:
    empty = await manager.post("/api/v1/imports", params={"kind": "people"}, data={"x": "y"})
    assert (empty.status_code, empty.json()["code"]) == (422, "file_missing")
    unknown = await manager.post("/api/v1/imports", params={"kind": "pets"}, files={"file": b"x"})
    assert unknown.status_code == 422
    huge = {"Content-Length": str(300 << 20), "Content-Type": "multipart/form-data; boundary=x"}
    for path in ("/api/v1/imports", "/api/v1/imports/photos", "/api/v1/people"):
        answer = await manager.post(path, headers=huge, content=b"x")
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_is_not_read_of_somebody_who_may_not_import(signed_in, anonymous, world) -> None:
    read = []

    async def body():
        read.append(1)
        yield b"x"

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    operator = signed_in(Role.OPERATOR)
    for browser, status in ((anonymous, 401), (operator, 403)):
        answer = await browser.post("/api/v1/imports?kind=people", headers=form, content=body())
        assert answer.status_code == status
    # The transport reads the body for its own sake, the application must not have parsed it.
    answer = await operator.post("/api/v1/imports?kind=people", headers=form, content=b"no form at all")
    assert answer.json()["code"] == "forbidden"


async def test_photos_go_in_for_those_who_agreed(manager, database) -> None:
    with database.write() as session:
        session.get_one(Person, "adult").external_id = "P7"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("P7.jpg", b"a face")
        target.writestr("P8.jpg", b"a face")
    given = {"purpose": "face_access", "wording": "I agree", "channel": "counter", "given_by": "self"}
    assert (await manager.post("/api/v1/people/adult/consents", json=given)).status_code == 201
    answer = await manager.post("/api/v1/imports/photos", files={"file": archive.getvalue()})
    done = await ended(manager, answer.json()["id"])
    assert (done["state"], done["faults"]) == ("applied", 1)
    assert done["counts"]["face_templates"] == {"created": 1, "unchanged": 0}


async def test_an_import_of_another_compound_is_not_found(manager, signed_in, database) -> None:
    job = (await send(manager, DWELLINGS, kind="dwellings"))["id"]
    other = signed_in(Role.ADMINISTRATOR)
    other.headers["X-Ringward-Compound"] = "sifang"
    for answer in (
        await other.get(f"/api/v1/imports/{job}"),
        await other.get(f"/api/v1/imports/{job}/faults"),
        await other.post(f"/api/v1/imports/{job}/undo"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "import_not_found")
    assert (await other.get("/api/v1/imports")).json()["items"] == []


async def test_an_export_is_marked_masked_and_noted_with_its_digest(manager, database) -> None:
    await send(manager, DWELLINGS, kind="dwellings")
    answer = await manager.get("/api/v1/exports/registry", params={"purpose": "registry_maintenance"})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert manager.user.id in book.worksheets[0].cell(1, 1).value
    with database.read() as session:
        note = session.scalars(select(AuditRow).where(AuditRow.action == "registry.exported")).one()
        assert (note.actor, note.subject, note.purpose) == (
            manager.user.id,
            f"compound:{COMPOUND}",
            "registry_maintenance",
        )
        assert answer.headers["X-Content-SHA256"] in note.detail


async def test_id_numbers_need_a_reason_and_an_export_a_purpose(manager, database) -> None:
    path, asked = "/api/v1/exports/registry", {"purpose": "official_request", "id_numbers": True}
    assert (await manager.get(path)).status_code == 422
    missing = await manager.get(path, params=asked)
    assert (missing.status_code, missing.json()["code"]) == (422, "reason_required")
    given = await manager.get(path, params=asked | {"reason": "保公〔2026〕3号", "format": "csv"})
    assert zipfile.ZipFile(io.BytesIO(given.content)).namelist()[1] == "people.csv"
    with database.read() as session:
        note = session.scalars(select(AuditRow).where(AuditRow.action == "registry.exported")).one()
        assert "id_numbers reason=保公〔2026〕3号" in note.detail
