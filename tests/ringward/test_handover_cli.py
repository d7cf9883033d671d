"""Hand-overs and the month from the command line."""

import json

import pypdf
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


def test_month_is_written_as_sheets_for_the_meeting_in_either_language(ringward, tmp_path):
    for language, title in (("zh", "户长会月度安防报告"), ("en", "The month, for the householders' meeting")):
        file = tmp_path / f"{language}.pdf"
        done = ringward("report", "month", "--pdf", str(file), "--language", language)
        assert done.exit_code == 0, done.output
        assert title in pypdf.PdfReader(file).pages[0].extract_text()
