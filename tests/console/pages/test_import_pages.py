"""Sheets that go in over the page: watched, told what is wrong in words, taken back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from console.context import Rooms
from console.security import CSRF_HEADER
from registry.imports.models import ImportJob, ImportState
from registry.models import Person
from storage import new_id
from tests.support.waiting import wait_until

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]

GOOD = "人员编号,姓名,手机号,地址,居住类型,是否户主\nP1,王五,10012340001,3-2-1801,业主,是\n".encode()
MIXED = GOOD + "P2,赵<b>六</b>,123,3-2-1801,家属,否\n".encode()


def send(client: TestClient, content: bytes, **form: str) -> str:
    """Sends a sheet of people; returns the page of its job."""
    answer = client.post(
        "/registry/import", data={"kind": "people", **form}, files={"file": ("a.csv", content)}
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def ended(client: TestClient, path: str) -> str:
    """The page once the job is through."""

    def through() -> str | None:
        html = client.get(path).text
        return None if "<progress" in html else html

    page: str = wait_until(through, "the job is through", 30)
    return page


def a_job(rooms: Rooms, **values: Any) -> str:
    """A job as another process has it in hand."""
    at = rooms.clock.now()
    job = new_id()
    fields: dict[str, Any] = {
        "kind": "people",
        "content_hash": "0" * 64,
        "actor": "u-manager",
        "dry_run": False,
        "partly": False,
        "state": ImportState.APPLYING,
        "started_at": at,
        "beat_at": at,
        "rows_total": 200,
        "rows_done": 50,
    }
    with rooms.database.write() as session:
        session.add(ImportJob(id=job, compound=rooms.compound, **fields | values))
    return job


def test_a_sheet_goes_in_and_is_taken_back(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager", "en")
    path = send(client, GOOD)
    html = ended(client, path)
    assert "The import is complete" in html
    assert re.search(r"<td>People</td><td class=\"number\">1</td>", html)
    undo = re.search(r'<details class="ask">.*?action="([^"]+/undo)"', html, re.DOTALL)
    assert undo
    assert client.post(undo[1]).headers["location"] == path
    html = ended(client, path)
    assert "The import was taken back" in html
    assert "/undo" not in html
    again = client.post(undo[1])
    assert again.status_code == 409
    assert 'role="alert"' in again.text
    with seeded.database.read() as session:
        assert session.scalars(select(Person).where(Person.external_id == "P1")).all() == []


@pytest.mark.parametrize(
    ("language", "column", "text"),
    [("zh-CN", "联系电话", "既不是手机号"), ("en", "phone", "neither a mobile nor a landline")],
)
def test_what_is_wrong_is_told_by_row_and_column_in_the_readers_language(
    visit: Visit, language: str, column: str, text: str
) -> None:
    client = visit("manager", language)
    html = ended(client, send(client, MIXED, dry_run="true"))
    row = re.search(r"<tbody><tr><td class=\"number\"[^>]*>3</td>.*?</tr>", html)
    assert row
    assert column in row[0]
    assert text in row[0]
    # What stood in the row is nobody's business here.
    assert "赵" not in html


def test_a_dry_run_writes_nothing_and_cannot_be_undone(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager", "en")
    html = ended(client, send(client, GOOD, dry_run="true"))
    assert "Nothing was written" in html
    assert "/undo" not in html
    with seeded.database.read() as session:
        assert session.scalars(select(Person).where(Person.external_id == "P1")).all() == []


def test_one_bad_row_stops_the_file_unless_the_good_ones_may_go_in_alone(visit: Visit) -> None:
    client = visit("manager", "en")
    assert "nothing was imported" in ended(client, send(client, MIXED))
    assert "The import is complete" in ended(client, send(client, MIXED, partly="true"))
    listed = client.get("/registry/import").text
    assert listed.count("/registry/import/") >= 2
    assert "manager" in listed


def test_the_bar_moves_while_the_job_is_at_work_and_stops_asking_when_it_ends(
    visit: Visit, seeded: Rooms
) -> None:
    job = a_job(seeded)
    client = visit("manager", "en")
    page = client.get(f"/registry/import/{job}").text
    assert 'value="50" max="200"' in page
    assert "50 of 200 rows" in page
    part = client.get(f"/registry/import/{job}", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert f'hx-get="/registry/import/{job}"' in part
    with seeded.database.write() as session:
        session.get_one(ImportJob, job).state = ImportState.APPLIED
    part = client.get(f"/registry/import/{job}", headers={"HX-Request": "true"}).text
    assert "hx-get" not in part
    assert "<progress" not in part


def test_a_job_whose_process_is_gone_can_be_taken_back(visit: Visit, seeded: Rooms) -> None:
    job = a_job(seeded)
    seeded.clock.advance(minutes=2)  # type: ignore[attr-defined]
    html = visit("manager", "en").get(f"/registry/import/{job}").text
    assert "The process that was at it is gone" in html
    assert f"/registry/import/{job}/undo" in html
    assert "hx-get" not in html


def test_while_one_is_at_work_another_waits(visit: Visit, seeded: Rooms) -> None:
    a_job(seeded)
    answer = visit("manager", "en").post(
        "/registry/import", data={"kind": "people"}, files={"file": ("a.csv", GOOD)}
    )
    assert answer.status_code == 409
    assert re.search(r'role="alert">[^<]*import', answer.text)


def test_without_a_file_the_form_says_so(visit: Visit) -> None:
    answer = visit("manager", "en").post("/registry/import", data={"kind": "people"})
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


@pytest.mark.parametrize("who", ["operator", "guard", "grid", "police", "auditor", "resident", "li"])
def test_only_the_office_imports(visit: Visit, seeded: Rooms, who: str) -> None:
    job = a_job(seeded)
    client = visit(who)
    assert client.get("/registry/import").status_code == 403
    assert client.get(f"/registry/import/{job}").status_code == 403
    assert client.post(f"/registry/import/{job}/undo").status_code == 403
    sent = client.post("/registry/import", data={"kind": "people"}, files={"file": ("a.csv", GOOD)})
    assert sent.status_code == 403


def test_a_form_without_its_token_imports_nothing(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager")
    del client.headers[CSRF_HEADER]
    sent = client.post("/registry/import", data={"kind": "people"}, files={"file": ("a.csv", GOOD)})
    assert sent.status_code == 403
    with seeded.database.read() as session:
        assert session.scalars(select(ImportJob)).all() == []


def test_a_file_too_large_for_the_page_is_refused_in_words(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager")
    for extra in ({"Content-Length": str(11 << 20)}, {}):
        answer = client.post(
            "/registry/import",
            data={"kind": "people"},
            files={"file": ("a.csv", b"x" * (11 << 20))},
            headers=extra,
        )
        assert answer.status_code == 413
        assert "文件太大" in answer.text
        assert answer.headers["content-type"].startswith("text/html")
    with seeded.database.read() as session:
        assert session.scalars(select(ImportJob)).all() == []


def test_an_import_of_nobody_is_not_found(visit: Visit) -> None:
    assert visit("manager").get("/registry/import/none").status_code == 404
    assert visit("manager").post("/registry/import/none/undo").status_code == 404


@pytest.mark.browser
def test_a_manager_watches_the_bar_until_it_is_done(browse: Browse, served: Any, seeded: Rooms) -> None:
    job = a_job(seeded)
    page = browse("manager", locale="en")
    page.goto(f"{served.url}/registry/import/{job}")
    bar = page.locator("progress")
    expect(bar).to_have_js_property("value", 50)
    with seeded.database.write() as session:
        session.get_one(ImportJob, job).rows_done = 150
    expect(bar).to_have_js_property("value", 150)
    with seeded.database.write() as session:
        session.get_one(ImportJob, job).state = ImportState.APPLIED
    expect(page.get_by_text("The import is complete")).to_be_visible()
    expect(bar).to_have_count(0)
