"""Incidents as a file for a spreadsheet: words and codes, of nobody, and nothing that it would calculate."""

import codecs
import csv
import io
from collections.abc import Iterable
from typing import Final

from alerts.history import outcome_of
from alerts.incidents.models import Incident
from console.pages.places import Names
from console.pages.view import Frame
from registry.exports.files import safe

ROWS_MAX: Final = 20_000
_COLUMNS: Final = (
    *("raised_at", "happened_at", "severity", "kind", "ring", "zone", "device", "rule"),
    *("state", "outcome", "reason", "drill", "id"),
)


def sheet(view: Frame, rows: Iterable[Incident], names: Names) -> bytes:
    """CSV in UTF-8 with a byte order mark, times by the compound's clock; no subject, no reason's facts."""
    t = view.t
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe(t(f"history.csv.{name}")) for name in _COLUMNS])
    for row in rows:
        cells = (
            f"{row.raised_at.astimezone(view.zone):%Y-%m-%d %H:%M:%S}",
            f"{row.happened_at.astimezone(view.zone):%Y-%m-%d %H:%M:%S}",
            t.code("severity", str(row.severity)),
            t.code("kind", row.kind),
            t.code("ring", str(row.ring)),
            names.zone(row.zone),
            names.device(row.device_id),
            row.rule,
            t.code("state", str(row.state)),
            t.code("history.outcome", str(outcome_of(row.state))),
            t.code("false_alarm", row.false_alarm_reason),
            t("history.yes") if row.drill else "",
            row.id,
        )
        writer.writerow([safe(cell) for cell in cells])
    return codecs.BOM_UTF8 + out.getvalue().encode()
