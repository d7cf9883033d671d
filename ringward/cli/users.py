"""`ringward user`: people who may sign in."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from console.accounts import service
from console.accounts.models import Role, User
from ringward.cli.common import console, fail, opened, settings

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[Role, typer.Option(help="operator, volunteer or administrator")],
    responder: Annotated[str | None, typer.Option(help="Responder id of a volunteer.")] = None,
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Add a user and print the one-time link to choose a password with.

    Example: ringward user add li.operator --role operator
    """
    loaded = settings(data_dir=data_dir)
    with opened(loaded) as ground, ground.database.write() as session:
        try:
            user = service.create_user(session, name, role, ground.clock.now(), responder_id=responder)
        except ValueError as error:
            raise fail(f"{error}") from None
        token = service.issue_setup_link(session, user, ground.clock.now())
    console.print(f"{loaded.base_url}/setup/{token}")


@app.command("link")
def link(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Print a new one-time link for a user who lost the password.

    Example: ringward user link li.operator
    """
    loaded = settings(data_dir=data_dir)
    with opened(loaded) as ground, ground.database.write() as session:
        user = session.scalars(select(User).where(User.name == service.spell(name))).one_or_none()
        if user is None:
            raise fail(f"no user {name}")
        token = service.issue_setup_link(session, user, ground.clock.now())
    console.print(f"{loaded.base_url}/setup/{token}")


@app.command("list")
def list_users(data_dir: Annotated[Path | None, typer.Option()] = None) -> None:
    """List who may sign in.

    Example: ringward user list
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        for user in session.scalars(select(User).order_by(User.name)):
            state = "active" if user.active else "inactive"
            console.print(
                f"{user.name}  {user.role}  {state}  {'set' if user.password_hash else 'no'} password"
            )
