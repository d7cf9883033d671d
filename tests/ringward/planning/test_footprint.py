"""What a plan asks of `ringward bench footprint` is what that measures."""

import pytest

from ringward.bench import footprint
from ringward.planning import built_in


def test_figures_are_those_that_costs_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "_ROLES", ("relay",))
    monkeypatch.setattr(footprint, "_SETTLE_S", 0.2)
    monkeypatch.setattr(footprint, "_DEVICES", 20)
    monkeypatch.setattr(footprint, "_COMPOUNDS", 20)
    # A day is a day of any length here.
    monkeypatch.setattr(footprint, "EVENTS_A_DAY", 600)
    figures = footprint.run(events=500, database_url=None).figures
    assert all(value > 0 for value in figures.values())
    costs = built_in()
    asked = {figure for name in costs if (figure := costs.of(name).figure)}
    asked = {figure.removeprefix("footprint.") for figure in asked if figure.startswith("footprint.")}
    roles = {f"{role}_resident_mb" for role in ("ingest", "devices", "alerts", "notify", "keeper")}
    assert asked - roles <= set(figures)
