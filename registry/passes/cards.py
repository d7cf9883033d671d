"""Cards that the gate hands to visitors: a number that opens while the pass does, and no longer.

A terminal's list can hold a card; the QR of a pass it cannot, since of that only a hash is kept.
"""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import lookups
from registry.credentials.issuing import ref_key, spell_ref
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.errors import RefusedError
from registry.passes.admission import in_force
from registry.passes.models import PassState, VisitorPass

_KIND: Final = CredentialKind.CARD


def hand_out(session: Session, visitor_pass: VisitorPass, number: str, at: dt.datetime) -> None:
    """Gives a visitor a card, in place of one that was handed out before.

    Raises `pass_not_alive`, `credential_in_use` where the number opens for somebody else, and
    what `spell_ref` raises.
    """
    spelt = spell_ref(_KIND, number) or ""
    if visitor_pass.state != PassState.APPROVED or visitor_pass.ends_at < at:
        raise RefusedError("pass_not_alive", state=str(visitor_pass.state))
    key = lookups.credential_key(visitor_pass.compound, _KIND, spelt)
    if _opens_for_another(session, visitor_pass, key, at):
        raise RefusedError("credential_in_use")
    visitor_pass.card, visitor_pass.card_key = spelt, key
    session.flush()


def take_back(session: Session, visitor_pass: VisitorPass) -> None:
    """The card lies in the gate's drawer again and opens nothing."""
    visitor_pass.card = visitor_pass.card_key = None
    session.flush()


def by_card(session: Session, compound: str, number: str, at: dt.datetime) -> VisitorPass | None:
    """The pass that a card was handed out for and that holds now. Raises what `spell_ref` raises."""
    return session.scalars(
        select(VisitorPass).where(
            *in_force(compound, at), VisitorPass.card_key == ref_key(compound, _KIND, number)
        )
    ).first()


def _opens_for_another(session: Session, visitor_pass: VisitorPass, key: str, at: dt.datetime) -> bool:
    registered = select(Credential.id).where(
        Credential.compound == visitor_pass.compound,
        Credential.ref_key == key,
        Credential.status == CredentialStatus.ACTIVE,
    )
    handed_out = select(VisitorPass.id).where(
        VisitorPass.compound == visitor_pass.compound,
        VisitorPass.card_key == key,
        VisitorPass.id != visitor_pass.id,
        VisitorPass.state == PassState.APPROVED,
        VisitorPass.ends_at >= at,
    )
    return any(session.scalars(query.limit(1)).first() is not None for query in (registered, handed_out))
