"""The tiers of `tiers.toml` are held against the tests that they name."""

import ast
import tomllib
from pathlib import Path

import pytest

from devices.adapters import ADAPTERS

ROOT = Path(__file__).parents[3]
TIERS = ("bronze", "silver", "gold", "platinum")
TOLD = tomllib.loads((ROOT / "devices/adapters/tiers.toml").read_text())


def found_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_adapter_states_its_tier_and_nothing_else_does() -> None:
    assert set(TOLD) == set(ADAPTERS)


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_tier_rests_on_tests_that_exist(name: str) -> None:
    entry = TOLD[name]
    reached = TIERS[: TIERS.index(entry["tier"]) + 1]
    assert set(entry) == {"tier", *reached}, "one list of tests for each tier up to the one that is stated"
    for tier in reached:
        assert entry[tier], f"{tier} rests on nothing"
        for named in entry[tier]:
            file, _, test = named.partition("::")
            path = ROOT / file
            assert path.is_file(), named
            found = found_in(path)
            assert test in found if test else found, named


@pytest.mark.parametrize("name", sorted(TOLD))
def test_gold_commands_or_needs_none_and_silver_has_a_test_for_each_quirk(name: str) -> None:
    entry, adapter = TOLD[name], ADAPTERS[name]
    rank = TIERS.index(entry["tier"])
    if rank >= TIERS.index("gold"):
        assert any("test_commands" in named or "command" in named for named in entry["gold"])
    if rank >= TIERS.index("silver") and adapter.heartbeat_s is not None:
        assert any("alive" in named or "online" in named or "intake" in named for named in entry["silver"])
