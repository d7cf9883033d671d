"""A plan is arithmetic over costs: it grows with what is asked, and says what it knows and what it does not."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ringward.cli import app
from ringward.planning import Costs, CostsError, Demand, built_in, plan, replaced

ONE = Demand(people=5000, devices=34, cameras=46)
COSTS = built_in()


def times(count: int) -> Demand:
    return Demand(ONE.people * count, ONE.devices * count, ONE.cameras * count, count)


def report(name: str, **figures: float) -> dict:
    return {
        "name": name,
        "at": "2026-12-01T08:00:00+00:00",
        "revision": "abc1234",
        "machine": {"cores": 16, "arch": "aarch64"},
        "settings": {},
        "figures": figures,
        "ceilings": {},
        "ratios": {},
    }


def test_every_cost_says_where_it_is_from() -> None:
    for name in COSTS:
        cost = COSTS.of(name)
        assert cost.source in {"measured", "assumed"}
        assert cost.by
        if cost.is_measured:
            assert cost.at, name
            assert cost.revision, name
            assert cost.machine, name


def test_every_cost_is_used_by_some_plan() -> None:
    small, large = plan(ONE, COSTS), plan(times(1000), COSTS)
    used = {cost.name for one in (small, large) for cost in one.used}
    # How many compounds still fit on one machine decides, and is added up in nothing.
    assert set(COSTS) - used == {"one_machine_compounds"}


@given(st.integers(1, 20_000), st.integers(1, 10))
def test_more_compounds_never_need_less(count: int, more: int) -> None:
    fewer, greater = plan(times(count), COSTS), plan(times(count + more), COSTS)
    assert greater.shards >= fewer.shards
    assert greater.cores >= fewer.cores * 0.98


@given(st.integers(1, 20_000))
def test_no_shard_is_fuller_than_it_may_be(count: int) -> None:
    made = plan(times(count), COSTS)
    assert all(one.share <= COSTS["utilisation"] * 1.01 for one in made.limits if one.splits)


def test_each_role_has_processes_for_its_load() -> None:
    made = plan(times(400), COSTS)
    recognition = next(part for part in made.parts if part.role == "recognition")
    assert recognition.processes >= recognition.cores
    alerts = next(part for part in made.parts if part.role == "alerts")
    assert alerts.processes * COSTS["compounds_per_alerts_process"] >= 400 / made.shards


def test_disks_follow_days_and_events() -> None:
    half = plan(replace(times(100), retention_days=90), COSTS)
    whole = plan(replace(times(100), retention_days=180), COSTS)
    gigabytes = [next(a.total for a in one.amounts if a.name.startswith("database")) for one in (half, whole)]
    assert gigabytes[1] == pytest.approx(2 * gigabytes[0])


def test_what_is_larger_than_measured_is_called_extrapolated() -> None:
    assert not plan(ONE, COSTS).extrapolated
    beyond = {cost.name: by for cost, by in plan(times(400), COSTS).extrapolated}
    # Two thousand devices were looked over, ten compounds' rules ran in one process.
    assert beyond["sweep_us_per_device"] == pytest.approx(400 * 80 / 2002)
    assert beyond["rules_cpu_ms"] == pytest.approx(3)
    assert "ingest_cpu_ms" not in beyond


def test_own_figures_take_the_place_of_ours() -> None:
    text = json.dumps(report("ingest", durable_events_per_s=100.0)) + "\n"
    text += json.dumps(report("rules", events_per_s=20_000.0, unheard_of=1.0))
    mine = replaced(COSTS, text)
    assert mine["ingest_events_per_s"] == 100
    assert mine["rules_cpu_ms"] == pytest.approx(0.05)
    told = mine.of("ingest_events_per_s")
    assert (told.at, told.revision, told.machine) == ("2026-12-01", "abc1234", "16 cores, aarch64")
    assert plan(times(50), mine).first.name == "one ingest client id"


def test_what_all_benchmarks_kept_is_read_too() -> None:
    kept = {
        "outcomes": [
            {"name": "ingest", "report": report("ingest", durable_events_per_s=7.0)},
            {"report": None},
        ]
    }
    assert replaced(COSTS, json.dumps(kept))["ingest_events_per_s"] == 7


@pytest.mark.parametrize("text", ["no json", "[1]", '{"figures": 3, "name": "x"}', '{"name": "x"}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(CostsError):
        replaced(COSTS, text)


def test_a_figure_of_nothing_is_refused() -> None:
    with pytest.raises(CostsError, match="above zero"):
        replaced(COSTS, json.dumps(report("ingest", durable_events_per_s=0)))


def test_a_slower_relay_makes_more_shards() -> None:
    slow = Costs(
        replace(COSTS.of(name), value=10.0) if name == "relay_cpu_ms" else COSTS.of(name) for name in COSTS
    )
    assert plan(times(1000), slow).shards > plan(times(1000), COSTS).shards
    assert plan(times(1000), slow).first_to_split.name == "the relay of one database"


def test_command_prints_the_plan(tmp_path) -> None:
    asked = ["plan", "--people", "250000", "--devices", "1700", "--cameras", "2300", "--compounds", "50"]
    told = CliRunner().invoke(app, [*asked, "--json"])
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert said["shards"] == 1
    assert said["roles"]["broker"]["processes"] == 3
    assert said["bottleneck"] in said["limits"]
    assert "stream_consumers" in said["assumed"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    assert CliRunner().invoke(app, [*asked, "--costs", str(wrong)]).exit_code == 1
    assert "First to give way" in CliRunner().invoke(app, asked).stdout
