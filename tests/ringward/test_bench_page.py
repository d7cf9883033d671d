"""The whole programme of benchmarks as one run and one page: what is kept, and what the page says of it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringward.bench import page, suite
from ringward.bench.programme import PROGRAMME, Entry
from ringward.bench.report import Report
from ringward.bench.suite import Outcome, Run
from ringward.bench.targets import TARGETS, Target
from ringward.cli.bench import app

runner = CliRunner()


def report(name: str, revision: str = "abc", **figures: float) -> Report:
    machine = {"cores": 2, "arch": "x86_64", "python": "3.11.2", "memory_gb": 8.0, "load_1min": 0.1}
    return Report(name, "2026-11-29T01:00:00+00:00", revision, machine, {"size": 3}, figures, {}, {})


def ran(*outcomes: Outcome, at: str = "2026-11-29T01:00:00+00:00", full: bool = True) -> Run:
    return Run(at, "abc", full, list(outcomes))


def measured(name: str, elsewhere: float = 0.0, **figures: float) -> Outcome:
    return Outcome(name, 60.0, elsewhere, report(name, **figures))


def written(folder: Path, *runs: Run) -> str:
    page.write(folder / "performance.md", runs)
    return (folder / "performance.md").read_text()


def test_every_entry_is_a_command_and_every_target_has_an_entry() -> None:
    commands = {command.name for command in app.registered_commands}
    assert {one.name for one in PROGRAMME} <= commands
    assert {target.bench for target in TARGETS} <= {one.name for one in PROGRAMME}
    # Whatever measures is in the programme; the two others are the programme itself.
    assert commands - {one.name for one in PROGRAMME} == {"all", "page"}


def test_promise_that_is_missed_is_said(tmp_path: Path) -> None:
    kept = measured("console", screens_missing=0, first_page_bytes=90_000)
    shown = written(tmp_path, ran(kept))
    assert f"2 of 2 are met. {len(TARGETS) - 2} more were not measured here." in shown
    assert "Without a figure here: `ingest`" in shown
    broken = measured("console", screens_missing=3, first_page_bytes=90_000)
    shown = written(tmp_path, ran(broken))
    assert "1 of 2 are met." in shown
    (row,) = [line for line in shown.splitlines() if "a screen did not show" in line]
    assert row.endswith("| at most 0 | 3 | **missed** |")


def test_bound_itself_is_within_the_promise() -> None:
    assert Target("a", "b", "at most", 5, "c").met(5)
    assert Target("a", "b", "at least", 5, "c").met(5)
    assert not Target("a", "b", "at most", 5, "c").met(5.01)
    assert not Target("a", "b", "at least", 5, "c").met(4.99)


def test_median_of_several_runs_stands_with_its_range(tmp_path: Path) -> None:
    runs = [
        ran(measured("routes", decisions_per_s=value), at=f"2026-11-29T0{hour}:00:00+00:00")
        for hour, value in enumerate((100.0, 300.0, 140.0))
    ]
    assert "| `decisions_per_s` | 140 (100 – 300) |  |" in written(tmp_path, *runs)


def test_run_beside_others_and_quick_form_are_called_what_they_are(tmp_path: Path) -> None:
    quiet = written(tmp_path, ran(measured("routes", decisions_per_s=1.0)))
    assert "Others used the machine" not in quiet
    assert "The quick form" not in quiet
    busy = written(tmp_path, ran(measured("routes", 1.4, decisions_per_s=1.0), full=False))
    assert "Others used the machine" in busy
    assert "1.40 cores" in busy
    assert "The quick form" in busy


def test_benchmark_that_failed_is_named_and_keeps_no_other_from_the_page(tmp_path: Path) -> None:
    failed = Outcome("ingest", 3.0, 0.0, failed="exit code 1: Traceback\nTimeoutError: no answer")
    shown = written(tmp_path, ran(failed, measured("routes", decisions_per_s=1.0)))
    assert "`ingest` of 2026-11-29T01:00:00+00:00 came to no figure: TimeoutError: no answer" in shown
    assert "| `decisions_per_s` | 1 |  |" in shown


def test_plots_are_whole_and_load_nothing(tmp_path: Path) -> None:
    shown = written(tmp_path, ran(measured("console", screens_missing=1, first_page_bytes=300_000)))
    plot = tmp_path / "plots" / "bench-targets.svg"
    assert "(plots/bench-targets.svg)" in shown
    root = ET.fromstring(plot.read_text())
    texts = " ".join(root.itertext())
    assert "the first page with all that it loads" in texts
    hrefs = [value for one in root.iter() for key, value in one.attrib.items() if key.endswith("href")]
    assert all(value.startswith("#") for value in hrefs)


def test_soaks_samples_and_growth_and_neighbours_are_drawn(tmp_path: Path) -> None:
    waits = {
        f"{scene}_answer_{share}_ms": 2.0
        for scene in ("calm", "mad_camera", "mad_compound", "stuck_worker")
        for share in ("p50", "p99")
    }
    costs = {"compounds_1_cpu_an_event_ms": 4.0, "compounds_8_cpu_an_event_ms": 5.0}
    keep = tmp_path / "bench.json"
    sample = {"s": 60.0, "processes": {"core": {"memory_mb": 90.0}}}
    suite.trail_of(keep).write_text(json.dumps(sample) + "\n" + json.dumps(sample | {"s": 120.0}) + "\n")
    run = ran(measured("fairness", **waits), measured("scale", **costs), measured("soak", lost=0.0))
    page.write(tmp_path / "performance.md", [run], suite.trail_of(keep))
    drawn = {path.name for path in (tmp_path / "plots").iterdir()}
    assert drawn == {"bench-fairness.svg", "bench-scale.svg", "bench-soak.svg"}
    # What this run did not measure leaves no plot of another one.
    page.write(tmp_path / "performance.md", [ran(measured("routes", decisions_per_s=1.0))])
    assert not list((tmp_path / "plots").iterdir())


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (12345.6, "12,346"), (0.012345, "0.0123"), (123.4, "123"), (2.0, "2"), (150000, "150,000")],
)
def test_numbers_have_the_digits_that_count(value: float, shown: str) -> None:
    assert page.number(value) == shown


def test_each_runs_in_a_process_of_its_own_and_is_kept_when_the_next_one_fails(tmp_path: Path) -> None:
    keep = tmp_path / "kept" / "bench.json"
    entries = (
        Entry("routes", "", ("--decisions", "1000", "--rounds", "1")),
        Entry("routes-that-are-none", "", ()),
    )
    told: list[Outcome] = []
    run = suite.run_all(entries, revision="abc", full=False, keep=keep, tell=told.append)
    good, bad = run.outcomes
    assert good.report is not None
    assert good.report.figures["decisions_per_s"] > 0
    assert bad.report is None
    assert "exit code 2" in (bad.failed or "")
    assert told == run.outcomes
    assert suite.read(keep) == run
    # What is kept is not measured again at the same revision; what failed is tried again.
    again = suite.run_all(entries, revision="abc", full=False, keep=keep, tell=told.append, go_on=True)
    assert again.outcome("routes") == good
    assert [one.name for one in told[2:]] == ["routes-that-are-none"]
    other = suite.run_all((), revision="def", full=False, keep=keep, tell=told.append, go_on=True)
    assert other.outcomes == []


def test_page_of_kept_runs_by_command(tmp_path: Path) -> None:
    kept = tmp_path / "a.json"
    suite._write(kept, ran(measured("routes", decisions_per_s=7.0)))
    out = tmp_path / "docs" / "performance.md"
    answer = runner.invoke(app, ["page", str(kept), "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    assert "| `decisions_per_s` | 7 |  |" in out.read_text()
    kept.write_text("{}")
    answer = runner.invoke(app, ["page", str(kept), "--out", str(out)])
    assert answer.exit_code == 1
    assert "holds no results" in answer.output


def test_unknown_name_is_refused_before_anything_runs(tmp_path: Path) -> None:
    answer = runner.invoke(app, ["all", "--only", "ingest,nothing", "--keep", str(tmp_path / "x.json")])
    assert answer.exit_code == 2
    assert "nothing" in answer.output
    assert not (tmp_path / "x.json").exists()
