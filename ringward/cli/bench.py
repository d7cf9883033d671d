"""`ringward bench`: how fast it is here, beside what this machine could do at best."""

from pathlib import Path
from typing import Annotated

import typer

from ringward import logs
from ringward.cli import bench_all, bench_system
from ringward.cli.bench_report import AsJson, tell
from ringward.cli.common import fail, settings

app = typer.Typer(help="Measure this machine.", no_args_is_help=True)

app.command("all")(bench_all.everything)
app.command("page")(bench_all.page)
app.command("e2e")(bench_system.e2e)
app.command("scale")(bench_system.scale)
app.command("fairness")(bench_system.fairness)
app.command("soak")(bench_system.soak)
app.command("stores")(bench_system.stores)


@app.command("ingest")
def ingest(
    events: Annotated[int, typer.Option(min=100, max=200_000, help="Events a round.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Medians are taken over the rounds.")] = 3,
    size: Annotated[
        int, typer.Option(min=300, max=400_000, help="Bytes an event; from 10,000 on a picture's.")
    ] = 2048,
    as_json: AsJson = False,
) -> None:
    """Durable events a second (QoS 1, publish → commit → PUBACK) beside raw paho manual ack.

    Example: ringward bench ingest --json
    """
    from ringward.bench.ingest import run

    # To standard error and only what went wrong: standard output is the result's.
    logs.configure("warning", "console")
    tell(run(events=events, rounds=rounds, size=size), as_json=as_json)


@app.command("decide")
def decide(
    seconds: Annotated[int, typer.Option(min=5, max=600, help="How long.")] = 30,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="Pictures a second of each kind.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Publish → decision for 640×480 faces and plates, p50 and p99.

    Example: ringward bench decide --seconds 60 --json
    """
    from ringward.bench.decide import run

    logs.configure("warning", "console")
    tell(run(seconds=seconds, rate=rate), as_json=as_json)


@app.command("recognise")
def recognise(
    pictures: Annotated[
        int, typer.Option(min=3, max=1000, help="Of 1280×720, with one to three faces.")
    ] = 30,
    backlog: Annotated[int, typer.Option(min=10, max=5000, help="Pictures for one process, then two.")] = 200,
    engine: Annotated[
        str | None, typer.Option(help="A model of the shelf to measure beside dlib's engine.")
    ] = None,
    shelf: Annotated[Path | None, typer.Option(help="Its folder; without: that of the settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recognition on one core beside the plain face_recognition recipe; two processes beside one.

    Example: ringward bench recognise --engine w600k-mbf --json
    """
    from recognition.engines import ModelError, Shelf
    from ringward.bench.recognise import run

    logs.configure("warning", "console")
    if engine is not None:
        shelf = shelf or settings().data_dir / "models"
        try:
            Shelf(shelf).verify(engine)
        except ModelError as error:
            raise fail(str(error)) from None
    tell(run(pictures=pictures, backlog=backlog, shelf=shelf, engine=engine), as_json=as_json)


@app.command("gallery")
def gallery(
    rounds: Annotated[int, typer.Option(min=5, max=10_000, help="Searches of each kind.")] = 60,
    stored: Annotated[int, typer.Option(min=100, max=1_000_000, help="Templates in the register.")] = 100_000,
    million: Annotated[bool, typer.Option(help="Search a million templates as well; takes 1.5 GB.")] = False,
    as_json: AsJson = False,
) -> None:
    """How long a search takes by size, and how soon a gallery is there and follows the register.

    Example: ringward bench gallery --million --json
    """
    from ringward.bench.gallery import run

    logs.configure("warning", "console")
    tell(run(rounds=rounds, stored=stored, million=million), as_json=as_json)


@app.command("flood")
def flood(
    seconds: Annotated[int, typer.Option(min=2, max=600, help="Of each measurement.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Medians are taken over the rounds.")] = 3,
    mad_qos: Annotated[
        int, typer.Option(min=0, max=1, help="Of the mad device: with 1 the broker's disk is measured too.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """How long the others wait for their acknowledgement while one device sends 1,000 a second.

    Example: ringward bench flood --json
    """
    from ringward.bench.flood import run

    logs.configure("warning", "console")
    tell(run(seconds=seconds, rounds=rounds, mad_qos=mad_qos), as_json=as_json)


@app.command("backlog")
def backlog(
    devices: Annotated[int, typer.Option(min=1, max=2000, help="That spoke during the outage.")] = 300,
    events: Annotated[int, typer.Option(min=100, max=500_000, help="Of all of them together.")] = 30_000,
    hours: Annotated[float, typer.Option(min=0.1, max=72, help="How long the outage was.")] = 8.0,
    live_seconds: Annotated[int, typer.Option(min=2, max=600, help="Live events before and during.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Drain what devices said during an outage while new events come in.

    Example: ringward bench backlog --json
    """
    from ringward.bench.backlog import run

    logs.configure("warning", "console")
    tell(run(devices=devices, events=events, hours=hours, live_seconds=live_seconds), as_json=as_json)


@app.command("burst")
def burst(
    messages: Annotated[int, typer.Option(min=1, max=2000, help="Then twice as many.")] = 100,
    megabytes: Annotated[float, typer.Option(min=0.1, max=7.5, help="Of each message.")] = 4.0,
    as_json: AsJson = False,
) -> None:
    """Let pictures come all at once; how much memory ingest takes, and how much for twice as many.

    Example: ringward bench burst --json
    """
    from ringward.bench.burst import run

    logs.configure("warning", "console")
    tell(run(messages=messages, megabytes=megabytes), as_json=as_json)


@app.command("registry")
def registry(
    communities: Annotated[int, typer.Option(min=1, max=20, help="Of 4,737 people each.")] = 10,
    questions: Annotated[int, typer.Option(min=100, max=100_000, help="Of each kind.")] = 5_000,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database to measure beside SQLite.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generate a street and ask for a person's dwellings and a dwelling's people; erase some.

    Example: ringward bench registry --json
    """
    from ringward.bench.registry import run

    logs.configure("warning", "console")
    tell(run(communities=communities, questions=questions, database_url=database_url), as_json=as_json)


@app.command("retention")
def retention(
    events: Annotated[
        int, typer.Option(min=1000, max=5_000_000, help="Old events, a decision each.")
    ] = 200_000,
    seconds: Annotated[int, typer.Option(min=2, max=600, help="Of ingest alone, to compare with.")] = 15,
    as_json: AsJson = False,
) -> None:
    """Delete old passages while 200 events a second come in; how fast, and whether devices notice.

    Example: ringward bench retention --json
    """
    from ringward.bench.retention import run

    logs.configure("warning", "console")
    tell(run(events=events, seconds=seconds), as_json=as_json)


@app.command("pieces")
def pieces(
    events: Annotated[int, typer.Option(min=1000, max=5_000_000, help="Rows of each round.")] = 200_000,
    weeks: Annotated[int, typer.Option(min=2, max=52, help="Pieces of the second round.")] = 26,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database; without it the tests' own server.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Event tables in one piece and in many: storing, asking, retention, beside PostgreSQL's own.

    Example: ringward bench pieces --events 200000 --json
    """
    from ringward.bench.pieces import NoPostgresError, run

    logs.configure("warning", "console")
    try:
        tell(run(events=events, weeks=weeks, database_url=database_url), as_json=as_json)
    except NoPostgresError as error:
        raise fail(str(error)) from None


@app.command("import")
def import_(
    people: Annotated[int, typer.Option(min=100, max=150_000, help="Rows of the sheet.")] = 50_000,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database to measure beside SQLite.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a sheet of invented people, again, and take it back, while somebody else writes.

    Example: ringward bench import --people 50000 --json
    """
    from ringward.bench.import_ import run

    logs.configure("warning", "console")
    tell(run(people=people, database_url=database_url), as_json=as_json)


@app.command("hour")
def hour(
    devices: Annotated[int, typer.Option(min=1, max=2000, help="Of all vendors.")] = 300,
    minutes: Annotated[float, typer.Option(min=1, max=240, help="Virtual minutes from seven.")] = 60,
    speed: Annotated[float, typer.Option(min=1, max=600, help="Times as fast as real.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed is the same hour.")] = 7,
    faults: Annotated[str, typer.Option(help="none, mild or harsh.")] = "mild",
    as_json: AsJson = False,
) -> None:
    """An hour of a compound's traffic in a minute, and whether anything was lost; ends with 1 if so.

    Example: ringward bench hour --devices 300 --json
    """
    from devices.simulator.faults import LEVELS
    from ringward.bench.hour import run

    if faults not in LEVELS:
        raise typer.BadParameter(f"one of: {', '.join(LEVELS)}")
    logs.configure("error", "console")
    result, outcome = run(devices=devices, minutes=minutes, speed=speed, seed=seed, faults=faults)
    tell(result, as_json=as_json)
    if not outcome.verdict.clean:
        for difference in outcome.verdict.differences:
            typer.echo(difference, err=True)
        raise typer.Exit(1)


@app.command("rules")
def rules(
    communities: Annotated[int, typer.Option(min=1, max=20, help="Each with a day behind it.")] = 10,
    events: Annotated[int, typer.Option(min=1000, max=1_000_000, help="Of all of them together.")] = 40_000,
    as_json: AsJson = False,
) -> None:
    """Events a second through all rules on one core, and what a community's day takes to remember.

    Example: ringward bench rules --communities 10 --json
    """
    from ringward.bench.rules import run

    logs.configure("warning", "console")
    tell(run(communities=communities, events=events), as_json=as_json)


@app.command("replay")
def replay(
    days: Annotated[int, typer.Option(min=1, max=31, help="Of 38,600 events each.")] = 7,
    as_json: AsJson = False,
) -> None:
    """A week read from SQLite and judged by all rules, and a day restored, in seconds of one core.

    Example: ringward bench replay --days 7 --json
    """
    from ringward.bench.replay import run

    logs.configure("warning", "console")
    tell(run(days=days), as_json=as_json)


@app.command("incident")
def incident(
    seconds: Annotated[int, typer.Option(min=3, max=600, help="Of each measurement.")] = 10,
    rate: Annotated[float, typer.Option(min=1, max=2000, help="Events a second.")] = 200,
    share: Annotated[
        float, typer.Option(min=0.001, max=1, help="Share of the events that become an incident each.")
    ] = 0.1,
    as_json: AsJson = False,
) -> None:
    """Event → committed incident through bus and rules, beside the same way without rules.

    Example: ringward bench incident --json
    """
    from ringward.bench.incident import run

    logs.configure("warning", "console")
    tell(run(seconds=seconds, rate=rate, share=share), as_json=as_json)


@app.command("notify")
def notify(
    seconds: Annotated[int, typer.Option(min=2, max=600, help="Of the run without faults.")] = 60,
    incidents: Annotated[int, typer.Option(min=1, max=100_000, help="In that time.")] = 1_000,
    responders: Annotated[int, typer.Option(min=100, max=5_000, help="People on duty.")] = 200,
    fault_seconds: Annotated[int, typer.Option(min=2, max=600, help="Of the run with faults.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Incident → routed → a push service has the letter, each once; with faults at most once more for each.

    Example: ringward bench notify --json
    """
    from ringward.bench.notify import run

    logs.configure("error", "console")
    tell(
        run(seconds=seconds, incidents=incidents, responders=responders, fault_seconds=fault_seconds),
        as_json=as_json,
    )


@app.command("routes")
def routes(
    decisions: Annotated[int, typer.Option(min=1000, max=10_000_000, help="Of each round.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Medians are taken over the rounds.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Routing decisions a second on one core, beside looking the answers up in a dictionary.

    Example: ringward bench routes --json
    """
    from ringward.bench.routes import run

    tell(run(decisions=decisions, rounds=rounds), as_json=as_json)


@app.command("console")
def screens(
    seconds: Annotated[int, typer.Option(min=2, max=600, help="While incidents flow.")] = 30,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="Incidents a second.")] = 2,
    consoles: Annotated[int, typer.Option(min=1, max=200, help="Open live pages.")] = 50,
    phones: Annotated[int, typer.Option(min=0, max=1_000, help="Open volunteers' pages.")] = 300,
    communities: Annotated[
        int, typer.Option(min=0, max=20, help="Of nearly 5,000 people each, for the pages.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Incident → on every screen, what the console's process needs for it, and how long each page takes.

    Example: ringward bench console --json
    """
    from ringward.bench.console import run

    logs.configure("error", "console")
    tell(
        run(seconds=seconds, rate=rate, consoles=consoles, phones=phones, communities=communities),
        as_json=as_json,
    )


@app.command("footprint")
def footprint(
    events: Annotated[int, typer.Option(min=500, max=200_000, help="Events taken in and relayed.")] = 10_000,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL; without: one of a wheel, where there is one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What an event and a process take: bytes, processor time, memory. `ringward plan` reckons with it.

    Example: ringward bench footprint --json
    """
    from ringward.bench.footprint import run

    logs.configure("error", "console")
    tell(run(events=events, database_url=database_url), as_json=as_json)


@app.command("idle")
def idle(
    compounds: Annotated[int, typer.Option(min=2, max=2_000, help="In which nothing happens.")] = 100,
    seconds: Annotated[int, typer.Option(min=2, max=3_600, help="Each measurement.")] = 30,
    on: Annotated[str, typer.Option(help="sqlite or postgresql, that of a wheel.")] = "sqlite",
    as_json: AsJson = False,
) -> None:
    """What compounds cost while nothing happens: percent of a core by role, beside a single compound.

    Example: ringward bench idle --on postgresql --json
    """
    from ringward.bench.idle import run

    if on not in {"sqlite", "postgresql"}:
        raise fail(f"{on} is no database to measure on: sqlite or postgresql")
    logs.configure("error", "console")
    tell(run(compounds=compounds, seconds=seconds, on=on), as_json=as_json)


@app.command("shards")
def shards(
    events: Annotated[int, typer.Option(min=100, max=100_000, help="Of each compound and round.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Medians are taken over the rounds.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Two ingests that share the compounds beside one: events a second, and what an event costs.

    Example: ringward bench shards --json
    """
    from ringward.bench.shards import run

    logs.configure("error", "console")
    try:
        tell(run(events=events, rounds=rounds), as_json=as_json)
    except LookupError as error:
        raise fail(str(error)) from None
