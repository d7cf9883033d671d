"""`ringward routes`: the way of an incident, why, and who hears of it; the tree; a draft that cannot be used."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.routing import current
from alerts.routing.reading import default_text
from ringward.bench.routes import run as bench
from ringward.cli import app

runner = CliRunner()


@pytest.fixture(autouse=True)
def _tree_as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    yield
    current.use(None)


def run(*args: object, code: int = 0) -> str:
    given = [*(str(arg) for arg in args), "--data-dir", "none"]
    result = runner.invoke(app, ["routes", *given])
    assert result.exit_code == code, result.output
    return result.output


def test_way_is_printed_with_every_route_and_what_kept_it_from_matching() -> None:
    told = run(
        *("test", "--ring", "building", "--kind", "door.forced", "--severity", 2, "--at", "2026-11-23 02:00")
    )
    assert "2026-11-23 02:00 by the compound's clock" in told
    assert "· gate  not: ring = entrance" in told
    assert "→ inside" in told
    assert "neighbours: volunteer_police, patrol, guard\n  told at once" in told


def test_way_of_something_unconfirmed_says_who_hears_of_it_later() -> None:
    told = run("test", "--ring", "common", "--kind", "person.loitering", "--severity", 3, "--stage", "raised")
    assert "neighbours: volunteer_police, patrol, guard\n  hears of it once it is confirmed" in told
    assert "told after 10 s" in told


def test_way_as_json_has_all_of_it() -> None:
    body = json.loads(run("test", "--ring", "entrance", "--kind", "duress", "--severity", 1, "--json"))
    assert [one["receiver"] for one in body["receivers"]] == ["silent_desk"]
    assert body["receivers"][0]["teams"] == ["operator", "property"]
    assert body["receivers"][0]["on_duty"] is None


def test_unknown_label_or_time_is_refused_with_what_may_be_meant() -> None:
    assert "did you mean ring" in run(
        *("test", "--ring", "common", "--kind", "x", "--label", "rings=a"), code=1
    )
    assert "is no time" in run("test", "--ring", "common", "--kind", "x", "--at", "tonight", code=1)
    assert "did you mean door.forced" in run("test", "--ring", "common", "--kind", "door.force")


def test_tree_is_shown_and_its_file_can_be_copied() -> None:
    told = run("show")
    assert "  gate: ring = entrance → gate" in told
    assert "device-storm: while kind = device.storm is open" in told
    copied = runner.invoke(app, ["routes", "default"]).output
    assert copied.strip() == default_text().strip()


def test_draft_is_tried_and_one_with_a_hole_is_refused() -> None:
    draft = Path("draft.toml")
    draft.write_text(
        'version = 1\n[receivers.d]\nteam_kinds = ["operator"]\nwhen = "raised"\n[route]\nreceiver = "d"\n'
    )
    assert "d: operator" in run("test", "--ring", "common", "--kind", "x", "--file", draft)
    draft.write_text(draft.read_text().replace('[route]\nreceiver = "d"', '[route]\nname = "all"'))
    assert "route_no_receiver" in run("show", "--file", draft, code=1)


def test_bench_says_how_many_beside_its_ceiling() -> None:
    report = bench(decisions=1000, rounds=1)
    assert report.name == "routes"
    assert report.figures["decisions_per_s"] > 0
    assert set(report.ratios) == {
        "decisions_over_lookups",
        "decisions_over_required",
        "large_tree_over_required",
    }
