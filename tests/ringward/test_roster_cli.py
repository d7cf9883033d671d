"""`ringward roster` from a shell: patterns become rosters, and what is missing is said."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from alerts.duty.models import Responder, Shift, Team, TeamKind
from ringward.cli import app
from ringward.foundation import Foundation
from storage import Database
from tests.support.compound import COMPOUND

runner = CliRunner(env={"COLUMNS": "200", "LC_ALL": "C"})


@pytest.fixture
def data(ground: Foundation) -> Path:
    """A deployment with four operators, whose names only its own keys open."""
    with ground.database.write() as session:
        session.add(Team(id="ops", compound=COMPOUND, name="监控室", kind=TeamKind.OPERATOR))
        session.flush()
        session.add_all(Responder(id=f"o{n}", team="ops", name=f"o{n} 某") for n in range(1, 5))
    return ground.settings.data_dir


def run(data: Path, *args: str, code: int = 0) -> str:
    result = runner.invoke(app, ["roster", *args, "--data-dir", str(data)])
    assert result.exit_code == code, result.output
    return result.output


def made(data: Path) -> str:
    groups = [word for n in range(1, 5) for word in ("--group", f"o{n}")]
    return run(data, "make", "three-shifts", "--team", "ops", "--name", "监控室", *groups).strip()


def test_three_shifts_leave_no_minute_without_an_operator(data):
    roster = made(data)
    shown = json.loads(run(data, "show", "--json"))
    assert [one["id"] for one in shown["rosters"]] == [roster]
    (team,) = shown["teams"]
    assert len(team["now"]) == len(team["next"]) == 1
    missing = json.loads(run(data, "gaps", "--hours", "240", "--json", code=1))["gaps"]
    assert "operator" not in {one["need"] for one in missing}
    assert "responder" in {one["need"] for one in missing}
    assert "某" not in run(data, "show")


def test_expansion_is_what_is_written(data):
    roster = made(data)
    duties = json.loads(run(data, "expand", roster, "--json"))["duties"]
    database = Database.at(data / "ringward.db")
    with database.read() as session:
        places = set(session.scalars(select(Shift.place)))
    database.close()
    assert {one["place"] for one in duties} & places
    assert run(data, "expand", roster, "--days", "2").count("\n") >= 6
    assert "no such roster" in run(data, "expand", "none", code=1)


def test_calendar_is_shown_and_overruled(data):
    shown = json.loads(run(data, "calendar", "--year", "2026", "--json"))
    assert {"day": "2026-02-14", "kind": "make_up", "name": "Spring Festival", "own": False} in shown["days"]
    said = run(data, "calendar", "--day", "2026-12-24", "--kind", "holiday", "--name", "社区日")
    assert "2026-12-24  holiday   社区日  (own)" in said
    assert "not known" in run(data, "calendar", "--year", "2031")


def test_roster_of_nobody_is_refused(data):
    words = ("make", "5+2", "--team", "ops", "--name", "x", "--group", "nobody")
    assert "does not work here" in run(data, *words, code=1)
