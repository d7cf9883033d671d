"""What the console needs of the rest of the process, handed over once at the start."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from fastapi import Request
from prometheus_client import CollectorRegistry

from alerts.incidents.actor import Actor
from alerts.plans import Plan, default_plans
from console.accounts.provider import Provider
from console.settingsbook import SettingsBook
from console.tryout import Tried, TriedMessage
from devices.near import PRIVATE, Network, networks
from privacy.retention import RetentionPolicy
from registry.faces.templates import ConsentMissingError
from storage import Clock, Database, MediaStore

__all__ = ["ConsentMissingError", "EnrolledPhoto", "PhotoEnroller", "PhotoRefusedError", "Rooms", "rooms"]


class PhotoRefusedError(Exception):
    """A photo cannot become a template; `code` says why (`no_face`, `several_faces`, `blurred` …)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"photo refused: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class EnrolledPhoto:
    """What came of an enrolment; `quality` is the engine's own measure, None when it has none."""

    template_id: str
    media_id: str | None
    quality: float | None


class PhotoEnroller(Protocol):
    """Makes a template of a photo.

    Raises `ConsentMissingError` where the person has not agreed and `PhotoRefusedError`
    where the photo is no good; in both cases nothing is kept. It opens its own transaction.
    """

    def enrol(self, person_id: str, photo: bytes, actor: Actor) -> EnrolledPhoto: ...


@dataclass(frozen=True)
class Rooms:
    """The other rooms as the console sees them. Stored at `app.state.rooms`."""

    database: Database
    media: MediaStore
    clock: Clock
    # The compound this console looks after; nothing of another one is shown.
    compound: str
    nats_url: str | list[str]
    nats_options: dict[str, Any]
    # None where this process has no face engine: enrolment answers 503.
    portrait_engine: PhotoEnroller | None
    broker_ready: Callable[[], bool]
    ingest_ready: Callable[[], bool]
    metrics_registry: CollectorRegistry
    # How long each class of data is kept here.
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    # How long a device's old secret works beside its new one, where nobody says otherwise.
    secret_overlap: dt.timedelta = dt.timedelta(hours=1)
    # Where cameras may be whose stream is read.
    camera_networks: tuple[Network, ...] = networks(PRIVATE)
    # What is done for each kind of incident; asked for, since a compound may have its own.
    plans: Callable[[], Sequence[Plan]] = default_plans
    # Why an incident of a compound was raised, as JSON; None where this process cannot read the past.
    explain: Callable[[str, str], dict[str, Any]] | None = None
    # The public key that browsers subscribe to pushed letters with; None where none are sent.
    push_key: Callable[[], str] | None = None
    # What would become of a message, for the test bench; None where this process cannot try one.
    tryout: Callable[[str, TriedMessage], Tried] | None = None
    # Begins the trial of a draft of the rules, by compound and id; None where nothing can be rehearsed.
    rehearse: Callable[[str, str], None] | None = None
    # The deployment's settings, to be read and changed; None where this process has none.
    settings: SettingsBook | None = None
    # Where chats and webhooks may be although it is no address of the Internet.
    receiver_networks: tuple[Network, ...] = ()
    # Roles that must have a second factor.
    second_factor_roles: frozenset[str] = frozenset()
    # The organisation's own sign-in; None where there is none.
    provider: Provider | None = None
    # Where a browser finds this console; None: as the request says.
    public_url: str | None = None


# Which of the deployment's compounds a request is about; without it the console's own.
COMPOUND_HEADER = "X-Ringward-Compound"
COMPOUND_COOKIE = "ringward_compound"


def rooms(request: Request) -> Rooms:
    """The dependency that endpoints and pages take, bound to the compound that is asked for.

    Whether the user may see that compound is for `console.security` to say. The database
    in it reads and writes no other compound's rows (see `storage.tenancy`).
    """
    known = getattr(request.state, "rooms", None)
    if known is None:
        whole = cast("Rooms", request.app.state.rooms)
        asked = request.headers.get(COMPOUND_HEADER) or request.cookies.get(COMPOUND_COOKIE)
        compound = asked[:64] if asked else whole.compound
        known = replace(whole, compound=compound, database=whole.database.within(compound))
        request.state.rooms = known
    return cast("Rooms", known)
