"""A run as figures in the shape of the benchmarks, and as a section of docs/reliability.md."""

import json
from pathlib import Path
from typing import Final

from ringward.bench.report import Report, percentile, report
from tests.chaos.history import DELAY_S
from tests.chaos.trial import Given, Outcome

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- report of {database}: begin -->", "<!-- report of {database}: end -->"


def report_of(given: Given, outcome: Outcome) -> Report:
    verdict = outcome.verdict
    waits = {by: found for by, found in outcome.waits_ms.items() if found}
    figures: dict[str, float] = {
        "events_said": verdict.said,
        "events_acknowledged": verdict.acknowledged,
        "events_stored": verdict.stored,
        "events_lost": verdict.lost,
        "events_doubled": verdict.doubled,
        "events_invented": verdict.invented,
        "messages_refused": verdict.refused,
        "refusals_lost": verdict.refusals_lost,
        "doors_forced": verdict.doors,
        "doors_late": verdict.doors_late,
        "incidents": verdict.incidents,
        "incidents_missing": verdict.incidents_missing,
        "incidents_doubled": verdict.incidents_doubled,
        "incidents_invented": verdict.incidents_invented,
        "notifications_due": verdict.notifications_due,
        "notifications_missing": verdict.notifications_missing,
        "letters": verdict.letters,
        "letters_extra": verdict.letters_extra,
        "letters_beyond_faults": verdict.letters_beyond_faults,
        "letters_invented": verdict.letters_invented,
        "faults": verdict.faults,
        "single_faults": sum(felt.single for felt in verdict.felt.values()),
        "doors_in_single_faults": sum(felt.doors for felt in verdict.felt.values()),
        "delayed_too_long": verdict.too_late,
        "single_fault_delay_worst_s": max((felt.worst_s for felt in verdict.felt.values()), default=0.0),
        "door_to_phone_usual_s": verdict.usual_s or 0.0,
        "door_to_phone_slowest_s": verdict.slowest_s or 0.0,
        "speaking_s": outcome.seconds,
        "run_s": outcome.took_s,
        **{f"said_to_{by}_p50_ms": percentile(found, 0.5) for by, found in waits.items()},
        **{f"said_to_{by}_p99_ms": percentile(found, 0.99) for by, found in waits.items()},
    }
    settings = {
        "events": given.events,
        "rate_per_s": given.rate,
        "doors": given.doors,
        "faults": given.faults,
        "single_share": given.single,
        "seed": given.seed,
        "database": given.database,
        "bus": "nats-server",
    }
    return report("chaos", settings, figures, {}, {})


def page(found: Report, outcome: Outcome, ended_by: str | None) -> tuple[str, str]:
    """The database that it is of, and its section."""
    figures, settings = found.figures, found.settings
    database = str(settings["database"])
    verdict = outcome.verdict
    machine = found.machine
    kept = [
        ("acknowledged events lost", verdict.lost + verdict.refusals_lost, verdict.acknowledged),
        ("events stored twice, or never said", verdict.doubled + verdict.invented, verdict.stored),
        ("forced doors known in time without an incident", verdict.incidents_missing, verdict.incidents),
        (
            "incidents more than one a door, or of none",
            verdict.incidents_doubled + verdict.incidents_invented,
            verdict.incidents,
        ),
        ("people due who were not told", verdict.notifications_missing, verdict.notifications_due),
        (
            "letters beyond one more a fault, or of no try",
            verdict.letters_beyond_faults + verdict.letters_invented,
            verdict.letters,
        ),
        (
            f"doors in single faults told more than {DELAY_S:g} s later than usual",
            verdict.too_late,
            int(figures["doors_in_single_faults"]),
        ),
    ]
    lines = [
        f"**{found.at}**, revision `{found.revision}`, {machine['cores']} cores ({machine['arch']}), Python"
        f" {machine['python']}; {database}, {settings['bus']}; seed {settings['seed']},"
        f" {settings['rate_per_s']:g} events/s asked for. {verdict.said:,} events and {verdict.faults:,} faults"
        f" in {outcome.seconds / 60:.0f} minutes."
        + (f" Ended early by {ended_by}." if ended_by is not None else ""),
        "",
        "| promise broken | times | of |",
        "|---|---:|---:|",
        *(f"| {what} | {times:,} | {of:,} |" for what, times, of in kept),
        "",
        (
            f"A door's alarm took {verdict.usual_s or 0:.2f} s to the last phone of the control room while nothing was"
            f" wrong, {verdict.slowest_s or 0:.1f} s at worst over all faults. {verdict.doors_late:,} of"
            f" {verdict.doors:,} doors were known later than 15 s and completed history; {verdict.letters_extra:,}"
            f" letters came a second time."
        ),
        "",
        "| fault | times | single | doors in these | slowest, beyond the usual (s) | over the limit |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {felt.faults} | {felt.single} | {felt.doors}"
            f" | {f'{felt.worst_s:.1f}' if felt.doors else ''} | {felt.too_late or ''} |"
            for name, felt in sorted(verdict.felt.items())
        ),
        "",
        "<details><summary>All figures</summary>",
        "",
        "```json",
        json.dumps(found.figures, indent=1),
        "```",
        "</details>",
    ]
    if verdict.differences:
        lines += [
            "",
            "What was different, the first of it:",
            "",
            *(f"- {one}" for one in verdict.differences),
        ]
    return database, "\n".join(lines)


def write(section: tuple[str, str], path: Path = PAGE) -> None:
    """Puts a section between its markers. Raises `ValueError` where the page has none."""
    database, text = section
    begin, end = BEGIN.format(database=database), END.format(database=database)
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path.name} has no place for a report of {database}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
