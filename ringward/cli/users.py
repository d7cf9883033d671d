"""`ringward user`: people who may sign in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from console.accounts import service
from console.accounts.models import Role, User
from console.permissions import ALLOWED
from devices.models import Device
from registry.models import Compound, Person
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


def bind(
    session: Session,
    role: Role,
    compounds: Sequence[str],
    *,
    responder: str | None,
    person: str | None,
    device: str | None,
) -> dict[str, Any]:
    """Whom and what a new user is tied to. Raises `ValueError` in words for whoever asked.

    A resident and a terminal see the compound of their person or device and no other.
    """
    for compound in compounds:
        if session.get(Compound, compound) is None:
            known = ", ".join(session.scalars(select(Compound.id).order_by(Compound.id)))
            raise ValueError(f"no compound {compound}; there are: {known or 'none'}")
    for given, belongs_to, word in (
        (responder, {Role.VOLUNTEER, Role.GUARD, Role.GRID_WORKER, Role.OPERATOR}, "responder"),
        (person, {Role.RESIDENT}, "person"),
        (device, {Role.DEVICE}, "device"),
    ):
        if given is not None and role not in belongs_to:
            raise ValueError(f"--{word} does not go with the role {role}")
    home: str | None = None
    if role is Role.RESIDENT:
        row = session.get(Person, person) if person else None
        if row is None or row.erased_at is not None:
            raise ValueError(f"no person {person}" if person else "a resident needs --person")
        home = row.compound
    elif role is Role.DEVICE:
        terminal = session.get(Device, device) if device else None
        if terminal is None:
            raise ValueError(f"no device {device}" if device else "a device needs --device")
        home = terminal.compound
    elif responder is not None and session.get(Responder, responder) is None:
        raise ValueError(f"no responder {responder}")
    if home is not None and set(compounds) - {home}:
        raise ValueError(f"this {role} belongs to {home} and sees no other compound")
    seen = [home] if home is not None else list(dict.fromkeys(compounds)) or None
    return {"compounds": seen, "responder_id": responder, "person_id": person, "device_id": device}


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
