"""`ringward token`: how programs and terminals come in over HTTP."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from console.accounts import service, tokens
from console.accounts.models import User
from console.accounts.tokens import Scope
from ringward.cli.common import console, fail, opened, settings
from storage.audit import AuditEntry, append

app = typer.Typer(help="Tokens of programs and terminals.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]


@app.command("add")
def add(
    user: Annotated[str, typer.Argument(help="Whose role the program acts in.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[Scope], typer.Option(help="May be given several times.")],
    days: Annotated[int, typer.Option(min=1, max=730, help="How long it is valid.")] = 365,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it, this once.

    Example: ringward token add gate1 --name "gate 1 terminal" --scope read --scope write
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        owner = session.scalars(select(User).where(User.name == service.spell(user))).one_or_none()
        if owner is None or not owner.active:
            raise fail(f"no active user {user}")
        at = ground.clock.now()
        token = tokens.issue_api_token(
            session, owner, name[:64], scope, at=at, expires_at=at + dt.timedelta(days=days)
        )
        entry = AuditEntry("cli", "administrator", "token.issued", "administration", f"user:{owner.id}")
        append(session, at, entry)
    console.out(token)


@app.command("list")
def list_tokens(data_dir: DataDir = None) -> None:
    """List tokens; what they are is kept nowhere.

    Example: ringward token list
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        now = ground.clock.now()
        for token, user in tokens.api_tokens(session):
            state = "valid" if token.expires_at > now else "ended"
            console.print(
                f"{token.id}  {user}  {token.name}  {','.join(token.scopes)}  {state} "
                f"until {token.expires_at:%Y-%m-%d}  "
                f"{f'used {token.last_used:%Y-%m-%d}' if token.last_used else 'never used'}",
                markup=False,
            )


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, as `list` says it.")], data_dir: DataDir = None
) -> None:
    """End a token at once.

    Example: ringward token revoke 019aa1b2c3d47e5f8a9b0c1d2e3f4a5b
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        if not tokens.revoke_api_token(session, token_id):
            raise fail(f"no token {token_id}")
        entry = AuditEntry("cli", "administrator", "token.revoked", "administration", f"token:{token_id}")
        append(session, ground.clock.now(), entry)
