"""What several commands need: settings, an opened deployment, and plain words for errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console

from ringward import logs
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import migrate, ringmark

console = Console(highlight=False, soft_wrap=True)


def settings(**overrides: object) -> Settings:
    """The settings, or an explanation of what is wrong with them and exit code 2."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        loaded = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            console.print(f"[red]setting {where}[/red]: {problem['msg']}")
        raise typer.Exit(2) from None
    logs.configure(loaded.log_level, loaded.log_format)
    return loaded


@contextmanager
def opened(loaded: Settings) -> Iterator[Foundation]:
    """A deployment's database and keys, brought to the present schema."""
    ground = lay(loaded)
    try:
        migrate.upgrade(ground.database)
        ringmark.ensure(ground.database, ground.ring, ground.clock.now())
        yield ground
    except (migrate.SchemaTooNewError, ringmark.ForeignRingError) as error:
        raise fail(str(error)) from None
    finally:
        ground.database.close()


def fail(message: str) -> typer.Exit:
    """Prints what went wrong; raise the result."""
    console.print(f"[red]{message}[/red]")
    return typer.Exit(1)
