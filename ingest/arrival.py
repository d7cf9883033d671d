"""What comes in and what goes back: the two ends of an intake."""

import datetime as dt

import msgspec

from devices.adapters.contract import HttpReply, Outgoing


class Arrival(msgspec.Struct, frozen=True):
    """A message as it came in. `retained` ones are the broker's memory, not news."""

    topic: str
    payload: bytes
    received_at: dt.datetime
    retained: bool = False
    # The broker says that it may have delivered this before.
    again: bool = False
    # For what was pushed by HTTP: who signed in, and what the body is.
    signed_in: str | None = None
    content_type: str | None = None
    # History that was set aside and is looked at again: raises nothing.
    late: bool = False


class Settled(msgspec.Struct, frozen=True):
    """What the sender is told now that its message is safe; `refused` is the code of a dead letter."""

    answers: tuple[Outgoing, ...] = ()
    reply: HttpReply | None = None
    refused: str | None = None
