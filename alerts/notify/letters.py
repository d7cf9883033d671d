"""What a letter is made from, and who finds the words: the catalogue lives above this room."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from alerts.duty.models import TeamKind
from alerts.notify.models import ChannelKind, Purpose

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Told:
    """The facts of a notification for one try: codes, places, times; never who somebody is."""

    notification: str
    compound: str
    purpose: Purpose
    severity: int
    asked_at: dt.datetime
    kind: ChannelKind
    important: bool = False
    drill: bool = False
    incident: str | None = None
    dispatch: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    # Which team the receiver is of: volunteers get advice too; None for a compound's channel.
    team: TeamKind | None = None
    # How many others this one letter stands for ("and 7 more").
    more: int = 0


class Words(Protocol):
    """Says it in a language."""

    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        """Title, body, and the path of the console that shows more."""
        ...


@runtime_checkable
class Answerable(Protocol):
    """Words that also know how a letter may be answered from where it is shown, unopened."""

    def replies(self, told: Told, language: str) -> Mapping[str, str]:
        """Replies and what is said to each, by code; empty where there is nothing to answer."""
        ...
