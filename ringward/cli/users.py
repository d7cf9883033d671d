"""`ringward user`: people who may sign in."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from console.accounts import factors, service
from console.accounts.models import Role, User
from console.accounts.people import bind
from console.permissions import ALLOWED
from ringward.cli.common import console, fail, opened, settings
from storage.audit import AuditEntry, append

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    role: Annotated[Role, typer.Option(help="What they are; `ringward user roles` says what each may do.")],
    compound: Annotated[
        list[str] | None, typer.Option(help="May see this one; several times for several. None: all.")
    ] = None,
    responder: Annotated[str | None, typer.Option(help="Responder id of a volunteer.")] = None,
    person: Annotated[str | None, typer.Option(help="Person id of a resident.")] = None,
    device: Annotated[str | None, typer.Option(help="Device id of a terminal that asks by HTTP.")] = None,
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Add a user and print the one-time link to choose a password with.

    A terminal has no password: give it a token with `ringward token add`.

    Example: ringward user add li.operator --role operator --compound honghua
    """
    loaded = settings(data_dir=data_dir)
    with opened(loaded) as ground, ground.database.write() as session:
        try:
            binding = bind(session, role, compound or [], responder=responder, person=person, device=device)
            user = service.create_user(session, name, role, ground.clock.now(), **binding)
        except ValueError as error:
            raise fail(f"{error}") from None
        entry = AuditEntry(
            "cli", "administrator", "account.created", "administration", f"user:{user.id}", role.value
        )
        append(session, ground.clock.now(), entry)
        if role is Role.DEVICE:
            console.print(f"{user.name} has no password; next: ringward token add {user.name}")
            return
        token = service.issue_setup_link(session, user, ground.clock.now())
    console.print(f"{loaded.base_url}/setup/{token}")


@app.command("roles")
def roles() -> None:
    """List the roles and what each may do.

    Example: ringward user roles
    """
    for role in Role:
        actions = [action.value for action, allowed in ALLOWED.items() if role in allowed]
        console.print(f"[bold]{role.value}[/bold]: {', '.join(actions)}")


@app.command("disable")
def disable(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Sign a user out everywhere, for good; their tokens stop working too.

    Example: ringward user disable li.operator
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        user = session.scalars(select(User).where(User.name == service.spell(name))).one_or_none()
        if user is None:
            raise fail(f"no user {name}")
        service.deactivate(session, user, ground.clock.now(), by="cli", role="administrator")


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


@app.command("reset-factor")
def reset_factor(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Take away a second factor whose app and recovery codes are lost; ends all sessions.

    Example: ringward user reset-factor li.operator
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        user = session.scalars(select(User).where(User.name == service.spell(name))).one_or_none()
        if user is None:
            raise fail(f"no user {name}")
        if not factors.remove(session, user, ground.clock.now(), by="cli", role="administrator"):
            raise fail(f"{name} has no second factor")
        service.end_sessions(session, user)


@app.command("list")
def list_users(data_dir: Annotated[Path | None, typer.Option()] = None) -> None:
    """List who may sign in.

    Example: ringward user list
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        for user in session.scalars(select(User).order_by(User.name)):
            state = "active" if user.active else "inactive"
            console.print(
                f"{user.name}  {user.role}  {', '.join(user.compounds or ['all compounds'])}  {state}  "
                f"{'set' if user.password_hash else 'no'} password"
            )
