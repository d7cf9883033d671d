"""The boards are what boards.toml describes, ask in words that Prometheus reads, and of metrics that exist."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ringward.measures.catalogue import families
from tests.deploy import promtool

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("grafana_generate", GRAFANA / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def boards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((GRAFANA / "boards").glob("*.json"))]


def queries() -> list[str]:
    return [target["expr"] for board in boards() for panel in board["panels"] for target in panel["targets"]]


def test_boards_are_what_is_described(generate: ModuleType) -> None:
    rendered = generate.render()
    assert {path: path.read_text() for path in (GRAFANA / "boards").glob("*.json")} == rendered, (
        "run: python deploy/grafana/generate.py"
    )


def test_boards_can_be_read_by_grafana() -> None:
    found = boards()
    assert len({board["uid"] for board in found}) == len(found) >= 6
    for board in found:
        assert len(board["uid"]) <= 40
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert len(board["links"]) == len(found) - 1
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not taken & cells, panel["title"]
            taken |= cells
            assert panel["datasource"]["uid"] == "${datasource}"
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"q:{n}", "expr": expr} for n, expr in enumerate(queries())]
    book = tmp_path / "queries.yml"
    book.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = promtool.run("check", "rules", book)
    assert done.returncode == 0, done.stdout + done.stderr
    rules[0]["expr"] = "sum(rate(up)"
    book.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    assert promtool.run("check", "rules", book).returncode != 0


def test_queries_and_legends_name_what_exists() -> None:
    known = {sample: family for family in families(ROOT) for sample in family.samples}
    recorded = {
        rule["record"]
        for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "recording.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    asked = "\n".join(queries())
    assert set(re.findall(r"\bringward_\w+", asked)) <= set(known)
    assert set(re.findall(r"\bringward:\w+:\w+", asked)) <= recorded
    for board in boards():
        for target in (target for panel in board["panels"] for target in panel["targets"]):
            names = re.findall(r"\bringward_\w+", target["expr"])
            labels = {"instance", "job"}.union(*(known[name].labels for name in names))
            if names:
                assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, target


def test_most_of_what_is_measured_is_on_a_board() -> None:
    asked = "\n".join(queries()) + (ROOT / "deploy" / "prometheus" / "recording.yml").read_text()
    shown = [family for family in families(ROOT) if any(sample in asked for sample in family.samples)]
    assert len(shown) / len(families(ROOT)) > 0.75
