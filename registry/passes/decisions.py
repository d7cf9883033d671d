"""Deciding on visitor passes: approving, refusing, revoking, extending, a new QR."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from registry import rows
from registry.errors import RefusedError
from registry.passes.hosts import host_of, require_here
from registry.passes.models import PassState, VisitorPass
from registry.passes.terms import extended
from registry.passes.visiting import new_token, token_hash

REOPENS_FOR: Final = dt.timedelta(days=1)
"""How long after its end a pass can still be extended; later a new one is a new decision."""


def find(session: Session, compound: str, pass_id: str) -> VisitorPass:
    """Raises `MissingError("visitor_pass")`."""
    return rows.find(session, VisitorPass, compound, pass_id, "visitor_pass")


def approve(session: Session, visitor_pass: VisitorPass, version: int, *, by: str, at: dt.datetime) -> None:
    """Lets a requested pass hold. Raises `pass_decided`, `pass_over`, `host_not_here`, `StaleEditError`."""
    _decide(session, visitor_pass, version, PassState.APPROVED, by=by, at=at)


def refuse(session: Session, visitor_pass: VisitorPass, version: int, *, by: str, at: dt.datetime) -> None:
    """Refuses a requested pass. Raises `pass_decided` and `StaleEditError`."""
    _decide(session, visitor_pass, version, PassState.REFUSED, by=by, at=at)


def revoke(session: Session, visitor_pass: VisitorPass, version: int, *, by: str, at: dt.datetime) -> None:
    """Ends a pass, or takes a request back. Raises `pass_not_alive` and `StaleEditError`."""
    rows.at_version(visitor_pass, version)
    if visitor_pass.state not in {PassState.REQUESTED, PassState.APPROVED}:
        raise RefusedError("pass_not_alive", state=str(visitor_pass.state))
    _settle(session, visitor_pass, PassState.REVOKED, by, at)


def extend(
    session: Session,
    visitor_pass: VisitorPass,
    ends_at: dt.datetime,
    version: int,
    *,
    by: str,
    at: dt.datetime,
) -> None:
    """Moves the end of an approved pass, also of one that has just ended and whose visitor is still here.

    Raises `pass_not_alive`, `host_not_here`, `StaleEditError` and what `pass_terms.extended` raises.
    """
    rows.at_version(visitor_pass, version)
    if visitor_pass.state != PassState.APPROVED:
        raise RefusedError("pass_not_alive", state=str(visitor_pass.state))
    if visitor_pass.ends_at < at - REOPENS_FOR:
        raise RefusedError("pass_over")
    require_here(session, visitor_pass.compound, [host_of(visitor_pass)], at)
    visitor_pass.ends_at = extended(visitor_pass.kind, ends_at, at)
    _settle(session, visitor_pass, PassState.APPROVED, by, at)


def renew_token(
    session: Session,
    visitor_pass: VisitorPass,
    version: int,
    *,
    at: dt.datetime,
    mint: Callable[[], str] = new_token,
) -> str:
    """A new token for a QR that was lost or passed on; the old one opens nothing from now on.

    Raises `pass_not_alive` and `StaleEditError`.
    """
    rows.at_version(visitor_pass, version)
    if visitor_pass.state not in {PassState.REQUESTED, PassState.APPROVED} or visitor_pass.ends_at < at:
        raise RefusedError("pass_not_alive", state=str(visitor_pass.state))
    token = mint()
    visitor_pass.token_hash = token_hash(token)
    session.flush()
    return token


def _decide(
    session: Session,
    visitor_pass: VisitorPass,
    version: int,
    state: PassState,
    *,
    by: str,
    at: dt.datetime,
) -> None:
    rows.at_version(visitor_pass, version)
    if visitor_pass.state != PassState.REQUESTED:
        raise RefusedError("pass_decided", state=str(visitor_pass.state))
    if state is PassState.APPROVED:
        if visitor_pass.ends_at <= at:
            raise RefusedError("pass_over")
        require_here(session, visitor_pass.compound, [host_of(visitor_pass)], at)
    _settle(session, visitor_pass, state, by, at)


def _settle(session: Session, visitor_pass: VisitorPass, state: PassState, by: str, at: dt.datetime) -> None:
    visitor_pass.state = state
    visitor_pass.decided_by = by
    visitor_pass.decided_at = at
    session.flush()
