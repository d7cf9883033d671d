"""Who may sign what, and when leaders hear of it. Pure."""

import datetime as dt
import enum
from collections.abc import Collection
from typing import Final

SIGN_WITHIN: Final = dt.timedelta(minutes=30)
"""After the shift change; then the operators' leader hears of it."""


class Side(enum.StrEnum):
    """Which of the two somebody is."""

    OUTGOING = "outgoing"  # 交班
    INCOMING = "incoming"  # 接班


class EntryKind(enum.StrEnum):
    """What was written on a hand-over."""

    NOTE = "note"  # before anybody signed: it is signed along with the rest
    DISAGREEMENT = "disagreement"  # what one of the two does not sign for
    ADDENDUM = "addendum"  # after it was signed: beside it, never over it


def refused(
    side: Side,
    user: str,
    responder: str | None,
    signed: dict[Side, str],
    outgoing: Collection[str],
    incoming: Collection[str],
) -> str | None:
    """Why somebody may not sign a side, as a code; None where they may.

    `signed`: which user has signed which side. Codes: `handover_signed` (that side is), `handover_both`
    (nobody hands over to themselves), `handover_side` (the roster has them on the other side alone).
    """
    if side in signed:
        return "handover_signed"
    if user in signed.values():
        return "handover_both"
    mine, other = (outgoing, incoming) if side is Side.OUTGOING else (incoming, outgoing)
    if responder is not None and responder in other and responder not in mine:
        return "handover_side"
    return None


def kind_of(*, signed: bool, disagrees: bool) -> EntryKind:
    """What a text becomes: before anybody signed it is a note, later it stands beside what was signed."""
    if disagrees:
        return EntryKind.DISAGREEMENT
    return EntryKind.ADDENDUM if signed else EntryKind.NOTE


def is_late(until: dt.datetime, now: dt.datetime, *, signatures: int) -> bool:
    """Whether both should have signed by now."""
    return signatures < len(Side) and now >= until + SIGN_WITHIN
