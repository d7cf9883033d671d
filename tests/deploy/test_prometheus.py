"""Alert rules and recorded rules: read by promtool, and each alert tried by what it is for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringward.measures.catalogue import families
from tests.deploy import promtool
from tests.deploy.alert_cases import CASES, Case

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus"


def groups(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((RULES / name).read_text())["groups"]


def alerts() -> dict[str, dict[str, Any]]:
    """Each alert with its fields."""
    return {rule["alert"]: rule for group in groups("alerts.yml") for rule in group["rules"]}


def minutes(wait: str | None) -> float:
    number, unit = (wait[:-1], wait[-1]) if wait else ("0", "m")
    return float(number) * {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}[unit]


def test_promtool_reads_configuration_and_rules() -> None:
    done = promtool.run("check", "config", RULES / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_name_metrics_that_exist() -> None:
    text = (RULES / "alerts.yml").read_text() + (RULES / "recording.yml").read_text()
    recorded = set(re.findall(r"record: (\S+)", text))
    samples = set().union(*(family.samples for family in families(ROOT)))
    asked = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert set(re.findall(r"\bringward_\w+", re.sub(r"`[^`]*`", "", asked))) <= samples
    assert set(re.findall(r"\bringward:\w+:\w+", asked)) == recorded


def test_each_alert_says_how_grave_it_is_what_it_means_and_where_its_page_is() -> None:
    found = alerts()
    assert len(found) > 70
    assert (RULES / "alerts.yml").read_text().count("- alert: ") == len(found), "each once"
    for name, fields in found.items():
        assert fields["labels"] in ({"severity": "critical"}, {"severity": "warning"}), name
        assert set(fields["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert all(fields["annotations"].values()), name
        assert fields["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}", name


@pytest.mark.parametrize("page", ["runbook.md", "runbook.zh-CN.md"])
def test_each_alert_has_its_page_in_the_run_book_and_each_page_its_alert(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    sections = {part.split("\n", 1)[0]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}
    assert list(sections) == [name for name in sections if name in alerts()]
    assert set(sections) == set(alerts())
    for name, section in sections.items():
        assert f"*{alerts()[name]['labels']['severity']}*" in section, name
        assert section.count("\n- **") == 3, name


def test_each_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == set(alerts())


def _test(case: Case, series: dict[str, str], when: float, fires: bool) -> dict[str, Any]:
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "name": f"{case.alert} {'fires' if fires else 'is silent'} at {when:g} min",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(group(ALERTS{{alertname="{case.alert}",alertstate="firing"}}))',
                "eval_time": f"{round(when * 60)}s",
                "exp_samples": expected,
            }
        ],
    }


def _tests(case: Case) -> Iterator[dict[str, Any]]:
    yield _test(case, case.fires, case.at, True)
    yield _test(case, case.quiet, case.at, False)
    wait = minutes(alerts()[case.alert].get("for"))
    if wait:
        yield _test(case, case.fires, wait / 2, False)


def test_each_alert_fires_when_it_should_and_is_silent_when_it_should_not(tmp_path: Path) -> None:
    """Each with its own rule and what is recorded for it: all rules for all cases would take minutes."""
    recorded, rules, books = groups("recording.yml"), alerts(), []
    for number, case in enumerate(CASES):
        rule = rules[case.alert]
        used = [
            {**group, "rules": [r for r in group["rules"] if r["record"] in rule["expr"]]}
            for group in recorded
        ]
        own = tmp_path / f"{number}-rules.yml"
        own.write_text(json.dumps({"groups": [*used, {"name": "alerts", "rules": [rule]}]}))
        book = {
            "rule_files": [str(own)],
            "evaluation_interval": "15s" if case.at < 60 else "1m" if case.at < 600 else "10m",
            # Alerts rest on what is recorded: in one moment, this comes first.
            "group_eval_order": [group["name"] for group in recorded],
            "tests": list(_tests(case)),
        }
        # YAML has JSON in it.
        books.append(tmp_path / f"{number}-cases.yml")
        books[-1].write_text(json.dumps(book))
    done = promtool.run("test", "rules", *books)
    assert done.returncode == 0, "\n".join(
        re.findall(r"(?s)FAILED.*?(?=\nUnit|\Z)", done.stdout + done.stderr)
    )
