"""`ringward check-config`: what is wrong with settings, rules and routes, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from pydantic import ValidationError
from sqlalchemy.orm import Session

from alerts.plans import reading as plans
from alerts.routing import reading as routes
from alerts.routing.gathering import clock_of
from alerts.routing.proving import prove
from alerts.routing.reaching import manned
from alerts.routing.times import CHINA
from alerts.rulebook.file import Reading, load
from alerts.rulebook.findings import nearest
from alerts.rulebook.versions import check, newest
from bus.embedded import MAX_ACK_PENDING, MOST_IN_FLIGHT
from console.texts import Texts
from console.texts.rulebook import finding_text
from ingest.share import ShareError
from ringward import schema
from ringward.cli.common import console, fail
from ringward.cli.rules_words import Language, texts_in
from ringward.foundation import ingest_share
from ringward.settings import Settings
from storage import Database, migrate

IN_FORCE: Final = "rules in force"
NATS_FILTERS_MOST: Final = MOST_IN_FLIGHT // MAX_ACK_PENDING


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to say: of which file or part, on which line of it (0: of no line)."""

    of: str
    line: int
    level: str
    code: str
    text: str


def check_config(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A rules file. Without one: settings, rules in force, routes."),
    ] = None,
    lang: Language = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """Say what is wrong with the configuration, without changing anything; exit code 1 with errors.

    Zones, devices and lanes of a rules file are looked up where the deployment has a database.

    Example: ringward check-config rules.toml
    """
    texts = texts_in(lang)
    said = list(examine(path, texts, data_dir))
    errors = sum(one.level == "error" for one in said)
    if as_json:
        body = {"errors": errors, "warnings": len(said) - errors, "findings": [asdict(one) for one in said]}
        console.out(msgspec.json.encode(body).decode())
    else:
        show(said, texts)
        console.print(f"{errors} errors, {len(said) - errors} warnings")
    if errors:
        raise typer.Exit(1)


def show(said: Sequence[Said], texts: Texts) -> None:
    """By line, errors red."""
    for one in said:
        colour = "red" if one.level == "error" else "yellow"
        place = f"{one.of}:{one.line}" if one.line else one.of
        console.print(f"[{colour}]{texts(f'rulebook.{one.level}')}[/{colour}] {place}: ", end="")
        console.out(one.text)


def of_reading(name: str, reading: Reading, texts: Texts) -> list[Said]:
    """What was found in a rules file, in words."""
    return [
        Said(name, one.line, "error" if one.error else "warning", one.code, finding_text(texts, one))
        for one in reading.findings
    ]


def read_text(path: Path) -> str:
    """A rules file's text; fails in words."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise fail(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None


def examine(path: Path | None, texts: Texts, data_dir: Path | None) -> Iterator[Said]:
    """What is wrong with a rules file, or without one with all that is configured."""
    try:
        loaded = Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        yield from _of_settings(error, texts)
        if path is not None:
            yield from of_reading(str(path), load(read_text(path)), texts)
        return
    if path is None:
        yield from _of_share(loaded)
    if path is None and loaded.plans_file is not None:
        yield from _of_plans(loaded.plans_file)
    database = _database(loaded)
    if database is None:
        file = path or loaded.rules_file
        if file is not None:
            yield from of_reading(str(file), load(read_text(file)), texts)
        if path is None:
            yield from _of_routes(None, loaded, texts)
        return
    try:
        with database.read() as session:
            yield from _of_rules(session, loaded, path, texts)
            if path is None:
                yield from _of_routes(session, loaded, texts)
    finally:
        database.close()


def _of_share(loaded: Settings) -> Iterator[Said]:
    try:
        found = ingest_share(loaded)
    except ShareError as error:
        yield Said(
            "settings", 0, "error", "ingest_share", f"ingest_compounds, ingest_vendor_topics: {error}."
        )
        return
    if len(found.filters()) > NATS_FILTERS_MOST:
        text = (
            f"ingest_compounds: {len(found.filters())} topic filters are more than nats-server serves one "
            f"client ({NATS_FILTERS_MOST}); Mosquitto and EMQX take them."
        )
        yield Said("settings", 0, "warning", "ingest_share_wide", text)


def _of_rules(session: Session, loaded: Settings, path: Path | None, texts: Texts) -> Iterator[Said]:
    file = path or loaded.rules_file
    if file is not None:
        yield from of_reading(str(file), check(session, loaded.compound, read_text(file)), texts)
    if path is not None:
        return
    row = newest(session, loaded.compound)
    if row is not None:
        # Zones go and rules change after a file was taken in.
        name = f"{IN_FORCE} (version {row.number})"
        yield from of_reading(name, check(session, loaded.compound, row.text), texts)


def _of_settings(error: ValidationError, texts: Texts) -> Iterator[Said]:
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        text = f"{name}: {problem['msg']}."
        guess = nearest(name, Settings.model_fields) if problem["type"] == "extra_forbidden" else None
        if guess is not None:
            text += " " + texts("rulebook.hint.did_you_mean", guess=guess)
        yield Said("settings", 0, "error", problem["type"], text)


def _of_plans(path: Path) -> Iterator[Said]:
    try:
        plans.read(read_text(path))
    except plans.PlanError as error:
        for fault in error.faults:
            yield Said(str(path), 0, "error", fault.code, f"{fault.where}: {fault.text}")


def _of_routes(session: Session | None, loaded: Settings, texts: Texts) -> Iterator[Said]:
    """What is wrong with the routing tree: its file, and its ways, with who works here if that is known."""
    file = loaded.routes_file
    reading = routes.load(routes.default_text() if file is None else read_text(file))
    by, here = CHINA, None
    if session is not None:
        by, here = clock_of(session, loaded.compound), manned(session, loaded.compound)
    name = "routes" if file is None else str(file)
    for one in (*reading.findings, *prove(reading, by, here)):
        level = "error" if one.error else "warning"
        # Lines of the tree that Ringward comes with are nobody's to look up.
        yield Said(name, one.line if file is not None else 0, level, one.code, finding_text(texts, one))


def _database(loaded: Settings) -> Database | None:
    """The deployment's database, None where there is none yet or it has another schema: then less is said."""
    if loaded.database_url is None and not (loaded.data_dir / "ringward.db").exists():
        return None
    database = Database(loaded.database)
    try:
        database.ping()
        if not migrate.drift(database, schema.metadata):
            return database
        console.print("[yellow]the database has another schema: zones are not checked")
    except Exception as error:  # noqa: BLE001 - whatever the driver says: `ringward doctor` is for that
        console.print(f"[yellow]the database does not answer ({type(error).__name__}): zones are not checked")
    database.close()
    return None
