"""`ringward recognition`: scores read, proposals decided on, from a shell."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from recognition.feedback import answers
from recognition.models import CameraView, DecisionRow, ProposalState, ThresholdProposal, Verdict
from ringward.cli import app
from ringward.cli.common import console
from storage import Database, SystemClock, migrate, new_id
from storage.audit import AuditRow
from tests.support.compound import COMPOUND, settle_in

runner = CliRunner()


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whichever width the terminal was when the command line was first loaded."""
    monkeypatch.setattr(console, "width", 200)


NOW = SystemClock().now()


@pytest.fixture
def data(tmp_path: Path, vault) -> Path:
    folder = tmp_path / "data"
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    with database.write() as session:
        for verdict in (Verdict.MATCH, Verdict.MATCH, Verdict.MATCH, Verdict.NO_MATCH):
            row = DecisionRow(
                sighting_id=new_id(),
                event_id=new_id(),
                compound=COMPOUND,
                subject_kind="face",
                outcome="identified",
                person_id="p1",
                score=0.4,
                threshold=0.5,
                engine="dlib",
                engine_version="19.24",
                candidates=[],
                reasons=[],
                evidence={},
                milliseconds=5,
                device="cam-1",
                at=NOW,
                decided_at=NOW,
            )
            session.add(row)
            session.flush()
            answers.give(session, row, verdict, by="op", at=NOW)
        for proposal, device in (("prop-1", "cam-1"), ("prop-2", "door-1")):
            session.add(
                ThresholdProposal(
                    id=proposal,
                    compound=COMPOUND,
                    device=device,
                    engine="dlib",
                    engine_version="19.24",
                    shift_now=0.0,
                    shift_proposed=-0.03,
                    grounds={
                        "towards": "stricter",
                        "right": 3,
                        "false": 1,
                        "missed": 2,
                        "strangers": 5,
                        "promised": 0.001,
                        "rate_low": 0.004,
                        "rate_high": 0.03,
                    },
                    state=ProposalState.OPEN,
                    made_at=NOW,
                )
            )
    database.close()
    return folder


def run(data: Path, *words: str) -> tuple[int, str]:
    answer = runner.invoke(app, ["recognition", *words, "--data-dir", str(data)])
    return answer.exit_code, answer.output


def rows(data: Path, model):
    database = Database.at(data / "ringward.db")
    with database.read() as session:
        found = session.scalars(select(model)).all()
        session.expunge_all()
    database.close()
    return found


def test_score_is_read_by_people_and_by_programs(data: Path) -> None:
    code, shown = run(data, "score")
    assert code == 0
    assert "cam-1" in shown
    assert "1/4 25.00% (0.63%–80.59%)" in shown
    code, shown = run(data, "score", "--days", "1", "--json")
    (camera,) = json.loads(shown)["cameras"]
    assert (camera["device"], camera["named"], camera["unnamed"]) == ("cam-1", 4, 0)
    assert camera["false_of_named"]["count"] == 1
    assert camera["missed_of_judged"]["value"] is None
    assert "p1" not in shown


def test_proposals_say_what_they_rest_on(data: Path) -> None:
    _, shown = run(data, "proposals")
    assert "prop-1  cam-1  dlib 19.24  +0.000 → -0.030 (stricter)  open" in shown
    assert "false 1 of 4 judged names; missed 2 of 7 judged without a name" in shown
    assert "strangers named: 0.400% to 3.000%, promised 0.100%" in shown
    found = json.loads(run(data, "proposals", "--json")[1])["proposals"]
    assert {one["id"]: one["grounds"]["false"] for one in found} == {"prop-1": 1, "prop-2": 1}


def test_approved_moves_refused_stays_and_both_are_audited_and_final(data: Path) -> None:
    assert run(data, "approve", "prop-1") == (0, "cam-1: +0.000 → -0.030\n")
    assert run(data, "refuse", "prop-2") == (0, "door-1: stays at +0.000\n")
    assert {row.device: row.threshold_shift for row in rows(data, CameraView)} == {"cam-1": -0.03}
    decided = [
        (row.actor, row.subject, row.detail)
        for row in rows(data, AuditRow)
        if row.action == "threshold.decided"
    ]
    assert decided == [
        ("cli", "device:cam-1", "approved prop-1"),
        ("cli", "device:door-1", "refused prop-2"),
    ]
    code, shown = run(data, "approve", "prop-2")
    assert (code, "decided on already" in shown) == (1, True)
    assert run(data, "proposals")[1] == "nothing is proposed\n"
    assert "approved" in run(data, "proposals", "--all")[1]


def test_proposal_that_is_not_there(data: Path) -> None:
    code, shown = run(data, "refuse", "prop-9")
    assert (code, "no proposal prop-9" in shown) == (1, True)
