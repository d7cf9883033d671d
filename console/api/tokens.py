"""Tokens of programs and terminals, whoever's they are."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from console.accounts import tokens, tokenwork
from console.accounts.models import User
from console.accounts.tokens import Scope
from console.accounts.tokenwork import TokenRefusedError, TokenWanted
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError, not_found

router = APIRouter(prefix="/tokens", tags=["tokens"])
Reader = Annotated[User, may(Action.TOKENS_EDIT)]
Editor = Annotated[User, may(Action.TOKENS_EDIT, proven=True)]
Short = Annotated[str, Field(min_length=1, max_length=64)]


class TokenView(BaseModel):
    """A token but for what it is itself."""

    id: str
    name: str
    owner: str
    scopes: list[str]
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used: dt.datetime | None


class Tokens(BaseModel):
    items: list[TokenView]


class TokenGiven(BaseModel):
    """`owner` is the sign-in name in whose role the program acts; at most two years."""

    name: Short
    owner: Short
    scopes: list[Scope] = Field(min_length=1)
    expires_at: AwareDatetime


class TokenIssued(BaseModel):
    """`token` is shown this once."""

    id: str
    token: str


@router.get("")
def list_tokens(here: Here, user: Reader) -> Tokens:
    """All tokens, the newest first."""
    del user
    with here.database.read() as session:
        return Tokens(
            items=[
                TokenView(
                    id=token.id,
                    name=token.name,
                    owner=owner,
                    scopes=token.scopes,
                    created_at=token.created_at,
                    expires_at=token.expires_at,
                    last_used=token.last_used,
                )
                for token, owner in tokens.api_tokens(session)
            ]
        )


@router.post("", status_code=201)
def issue_token(here: Here, user: Editor, given: TokenGiven) -> TokenIssued:
    """Makes a token."""
    wanted = TokenWanted(given.name, given.owner, tuple(given.scopes), given.expires_at)
    try:
        with here.database.write() as session:
            made = tokenwork.issue(session, user, wanted, here.clock.now())
    except TokenRefusedError as error:
        raise ProblemError(422, error.code, "No token is made") from None
    return TokenIssued(id=made.id, token=made.token)


@router.delete("/{token_id}", status_code=204)
def revoke_token(here: Here, user: Editor, token_id: Annotated[str, Path(max_length=32)]) -> Response:
    """Ends a token at once."""
    with here.database.write() as session:
        if not tokenwork.revoke(session, user, token_id, here.clock.now()):
            raise not_found("token")
    return Response(status_code=204)
