"""Reports as pages and as files: what each role sees of them, and that they name nobody."""

import csv
import io
import re
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.context import Rooms
from console.pages.reports import NAMES
from storage.audit import AuditRow

Visit = Callable[..., TestClient]


def test_a_tenancy_that_ends_is_listed_with_its_dwelling_and_without_a_name(visit: Visit) -> None:
    html = visit("manager", "en").get("/registry/reports/tenancies").text
    row = re.search(r"<tr><td[^>]*data-label=\"Stage\".*?</tr>", html)
    assert row
    for shown in ("Ends within seven days", "3幢2单元18层1802室", "Tenant", "p-3"):
        assert shown in row[0]
    assert "尖" not in html


def test_what_does_not_coincide_is_counted_and_filtered(visit: Visit) -> None:
    client = visit("manager", "en")
    html = client.get("/registry/reports/consistency").text
    counts = dict(re.findall(r'code=(\w+)"[^>]*><span class="n">(\d+)</span>', html))
    assert counts["never_verified"] == "2"
    only = client.get("/registry/reports/consistency?code=never_verified").text
    assert only.count("<tr><td") == 2
    assert client.get("/registry/reports/consistency?code=nonsense").status_code == 200


def test_a_few_of_each_kind_stand_beneath_each_other_and_all_of_one_by_itself(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.reports._OF_EACH", 1)
    client = visit("manager", "en")
    html = client.get("/registry/reports/consistency").text
    assert html.count(">Residence that nobody has verified<") == 1
    assert "the file has them all" in html
    only = client.get("/registry/reports/consistency?code=never_verified").text
    assert only.count("<tr><td") == 2
    assert "the file has them all" not in only


@pytest.mark.parametrize(
    ("path", "counting"),
    [
        ("/registry/reports/consistency", "console.api.reports.reports.consistency"),
        ("/registry/reports/tenancies", "console.api.reports.reports.tenancies"),
        ("/registry/reports/verification", "console.api.reports.reports.unverified"),
        ("/registry/reports/vacancies", "console.api.reports.reports.vacancies"),
        ("/console/reports/month", "console.api.months.figures"),
    ],
)
def test_nobody_who_writes_waits_for_a_report(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, path: str, counting: str
) -> None:
    module, _, name = counting.rpartition(".")
    count = getattr(resolve_name(module), name)
    reading = []

    def watched(session: Session, *args: Any, **named: Any) -> Any:
        reading.append(session.connection().get_execution_options().get("ringward_read", False))
        return count(session, *args, **named)

    monkeypatch.setattr(counting, watched)
    assert visit("admin", "en").get(path).status_code == 200
    assert reading == [True]


def test_verification_and_vacancies_name_dwellings(visit: Visit) -> None:
    client = visit("manager", "en")
    assert "Never verified" in client.get("/registry/reports/verification").text
    assert "5幢2单元18层1801室" in client.get("/registry/reports/vacancies").text


# Nobody has left yet whose key opens still: that report is tried where somebody leaves.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "leavers"])
def test_each_report_can_be_taken_away(visit: Visit, name: str) -> None:
    answer = visit("manager", "en").get(f"/registry/reports/{name}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="{name}-20261123.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_a_grid_workers_reports_are_of_the_own_grid(visit: Visit) -> None:
    vacant = visit("grid", "en").get("/registry/reports/vacancies").text
    assert "5幢" not in vacant
    assert "3幢" in visit("grid", "en").get("/registry/reports/tenancies").text


def test_reading_a_report_is_audited(visit: Visit, seeded: Rooms) -> None:
    visit("manager").get("/registry/reports/tenancies")
    with seeded.database.read() as session:
        assert session.scalars(select(AuditRow.action)).all() == ["report.tenancies"]


@pytest.mark.parametrize("who", ["operator", "guard", "police", "auditor", "resident", "li"])
def test_others_read_no_reports(visit: Visit, who: str) -> None:
    client = visit(who)
    paths = [
        "/registry/reports",
        *(f"/registry/reports/{name}{end}" for name in NAMES for end in ("", ".csv")),
    ]
    assert {client.get(path).status_code for path in paths} == {403}


def test_an_unknown_report_is_not_found(visit: Visit) -> None:
    client = visit("manager")
    assert client.get("/registry/reports/everything").status_code == 404
    assert client.get("/registry/reports/everything.csv").status_code == 404
