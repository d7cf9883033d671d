"""Writes boards/*.json of this folder from boards.toml: `python deploy/grafana/generate.py`.

With `--check` nothing is written; the exit code says whether the files are up to date.
"""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "boards.toml"
BOARDS = HERE / "boards"

COLUMNS = 24
HEIGHT = 7
WIDTHS = {"stat": 4, "timeseries": 8, "wide": 24}
SCHEMA = 37
"""Of Grafana 9.1; later ones bring it up to their own."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def boards() -> list[dict[str, Any]]:
    """What boards.toml describes."""
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"))["board"]


def render() -> dict[Path, str]:
    """Each board's file and its text."""
    described = boards()
    links = [
        {"title": one["title"], "type": "link", "url": f"/d/ringward-{one['name']}", "keepTime": True}
        for one in described
    ]
    return {
        BOARDS / f"{one['name']}.json": json.dumps(_board(one, links), indent=1, ensure_ascii=False) + "\n"
        for one in described
    }


def _board(described: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "uid": f"ringward-{described['name']}",
        "title": f"Ringward · {described['title']}",
        "description": described["says"],
        "tags": ["ringward"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "links": [link for link in links if link["url"] != f"/d/ringward-{described['name']}"],
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
            ]
        },
        "panels": _panels(described["panel"]),
    }


def _panels(described: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(described, 1):
        width = WIDTHS[panel.get("size", "timeseries")]
        if x + width > COLUMNS:
            x, y = 0, y + HEIGHT
        made.append(_panel(number, panel, {"x": x, "y": y, "w": width, "h": HEIGHT}))
        x += width
    return made


def _panel(number: int, panel: Mapping[str, Any], place: Mapping[str, int]) -> dict[str, Any]:
    alone = panel.get("size") == "stat"
    drawn: dict[str, Any] = {"unit": panel.get("unit", "short"), "min": panel.get("min", 0)}
    if "bad" in panel:
        drawn["thresholds"] = {
            "mode": "absolute",
            "steps": [{"color": "green", "value": None}, {"color": "red", "value": panel["bad"]}],
        }
    options: dict[str, Any] = {"legend": {"displayMode": "list", "placement": "bottom"}}
    if alone:
        # The worst of all series is what one number shows.
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    else:
        drawn["custom"] = {"fillOpacity": 10, "showPoints": "never", "lineWidth": 1}
        if "bad" in panel:
            drawn["custom"]["thresholdsStyle"] = {"mode": "line"}
    return {
        "id": number,
        "type": "stat" if alone else "timeseries",
        "title": panel["title"],
        "description": panel.get("says", ""),
        "datasource": DATASOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": drawn, "overrides": []},
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend}
            for n, (legend, expr) in enumerate(panel["ask"].items())
        ],
    }


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    pages = render()
    if "--check" in sys.argv[1:]:
        return int(any(not p.exists() or p.read_text(encoding="utf-8") != text for p, text in pages.items()))
    BOARDS.mkdir(exist_ok=True)
    for path in BOARDS.glob("*.json"):
        if path not in pages:
            path.unlink()
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
