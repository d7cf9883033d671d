"""`ringward migrate`: the schema first, before anything of the new version starts."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ringward.cli.common import console, fail, settings
from storage import Database, migrate


def migrate_command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 where this version may not work yet.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON object.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """Bring the database to this version's schema while the version before goes on working.

    Example: ringward migrate --check || ringward migrate
    """
    loaded = settings(data_dir=data_dir)
    if not check and loaded.database_url is None:
        loaded.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(loaded.database, name="ringward-migrate")
    try:
        if check and loaded.database_url is None and not (loaded.data_dir / "ringward.db").exists():
            raise fail("there is no database yet: `ringward migrate` makes it")
        before = migrate.standing(database)
        if not check:
            migrate.upgrade(database)
        found = migrate.standing(database)
    except migrate.SchemaTooNewError as error:
        raise fail(str(error)) from None
    finally:
        database.close()
    fits = not (found.is_behind or found.is_beyond)
    if as_json:
        said = {"from": before.at, "at": found.at, "needs": found.head, "floor": found.floor, "fits": fits}
        console.print_json(json.dumps(said))
    elif not check and before.at != found.at:
        console.print(f"schema {before.at or 'none'} → {found.at}")
    else:
        console.print(f"schema {found.at or 'none'}; this version is of {found.head}")
    if not fits:
        raise typer.Exit(1)
