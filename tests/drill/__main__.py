"""`python -m tests.drill`: the drill on SQLite and on PostgreSQL, as a table; `--write` puts it into the guide."""

import argparse
import datetime as dt
import os
import platform
import re
import tempfile
from pathlib import Path

from tests.drill.drill import Report, run

GUIDE = Path(__file__).parents[2] / "docs" / "backup.md"
BEGIN, END = "<!-- drill -->", "<!-- /drill -->"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/backup.md")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--events", type=int, default=200, help="events of each of three devices")
    asked = parser.parse_args()
    reports = []
    with tempfile.TemporaryDirectory(prefix="ringward-drill-") as made:
        folder = Path(made)
        if asked.only != "postgresql":
            reports.append(run("SQLite", folder / "sqlite", events=asked.events))
        if asked.only != "sqlite":
            reports.append(_on_postgres(folder / "postgresql", asked.events))
    text = table(reports)
    print(text)
    if asked.write:
        guide = GUIDE.read_text()
        GUIDE.write_text(
            re.sub(f"(?s){BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", guide), encoding="utf-8"
        )


def table(reports: list[Report]) -> str:
    """As Markdown, with the machine and the day."""
    load = os.getloadavg()[0]
    lines = [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, load {load:.0f}.",
        "",
        "| database | step | seconds | seen |",
        "|---|---|--:|---|",
    ]
    for report in reports:
        lines += [f"| {report.kind} | {what} | {took:.1f} | {seen} |" for what, took, seen in report.steps]
        lines.append(
            f"| {report.kind} | **from an empty directory to a working system** | **{report.back_in_s:.1f}** | |"
        )
    return "\n".join(lines)


def _on_postgres(folder: Path, events: int) -> Report:
    from tests.support.postgres import Postgres

    with tempfile.TemporaryDirectory(prefix="ringward-pg-") as made:
        server = Postgres(Path(made))
        try:
            with server.empty() as url, server.empty() as elsewhere:
                return run("PostgreSQL", folder, url, elsewhere, server.binaries, events=events)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
