"""Hand-overs and the month from the command line."""

import json

import pytest
from typer.testing import CliRunner

from registry.models import Compound
from ringward.cli import app
from ringward.cli.common import opened, settings


@pytest.fixture
def ringward(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGWARD_DATA_DIR", str(tmp_path))
    with opened(settings()) as ground, ground.database.write() as session:
        if session.get(Compound, ground.settings.compound) is None:
            session.add(Compound(id=ground.settings.compound, name="红花", time_zone="Asia/Shanghai"))
    return lambda *words: CliRunner().invoke(app, list(words))


def test_hand_over_is_made_and_shown_as_it_stands(ringward):
    assert ringward("handover", "show").exit_code != 0
    made = ringward("handover", "make")
    assert made.exit_code == 0, made.output
    shown = ringward("handover", "show")
    assert shown.exit_code == 0, shown.output
    assert "stands as it was made" in shown.output
    found = json.loads(ringward("handover", "show", "--json").stdout)
    assert (found["stands"], found["signatures"]) == (True, {})
    assert made.output.startswith(found["id"])
    assert ringward("handover", "show", "nothing").exit_code != 0


def test_month_is_printed_in_three_ways(ringward):
    assert json.loads(ringward("report", "month", "--json").stdout)["totals"]["total"] == 0
    assert ringward("report", "month", "--csv").stdout.splitlines()[1] == "alarms,all,total,0"
    assert "alarms" in ringward("report", "month").output
    assert ringward("report", "month", "2026-13").exit_code != 0
