"""What is to be told, to whom, by what; and the log of every try."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime, tracing


class Purpose(enum.StrEnum):
    """Why somebody is told something; the words and the urgency go by it."""

    INCIDENT = "incident"  # an incident that concerns the receiver
    ESCALATION = "escalation"  # nobody took it in time
    OFFER = "offer"  # will you go?
    TAKEN = "taken"  # somebody else leads
    CALLED_OFF = "called_off"
    LONE_WORKER = "lone_worker"  # are you all right?
    HELP = "help"  # a responder needs help
    SHIFT = "shift"  # your duty begins, ends, or was changed
    SWAP = "swap"  # a colleague asks to swap
    ROSTER_GAP = "roster_gap"
    HANDOVER = "handover"
    PATROL = "patrol"
    REVIEW = "review"
    MEASURE = "measure"
    WORK_ORDER = "work_order"
    REPORT = "report"  # what became of what you reported
    CHANNEL = "channel"  # a way to reach people is dead
    TEST = "test"


class NotificationState(enum.StrEnum):
    """Where a notification stands."""

    PENDING = "pending"  # something is still to be tried
    TOLD = "told"  # a channel has a receipt, or nothing further is asked for
    ANSWERED = "answered"  # the receiver did something about it
    WITHDRAWN = "withdrawn"  # it is over; whatever was not sent is not sent any more
    EXPIRED = "expired"
    UNREACHED = "unreached"  # every channel was tried


class ChannelKind(enum.StrEnum):
    """The ways to reach somebody or something."""

    WEB_PUSH = "web_push"
    PHONE_PAGE = "phone_page"  # the open page of our own: needs no cloud
    APPRISE = "apprise"  # WeCom, DingTalk, Feishu, ServerChan, PushPlus, SMS gateways, e-mail, ntfy, Bark
    WEBHOOK = "webhook"
    MQTT = "mqtt"  # sirens, lights, loudspeakers
    CONSOLE = "console"  # the sound of the control room
    TELEPHONE = "telephone"  # a number that the operator is shown to call


class AttemptState(enum.StrEnum):
    """What came of one try on one channel."""

    SENDING = "sending"
    HANDED_OVER = "handed_over"  # the next one took it; nobody has said that it came
    RECEIVED = "received"  # a receipt
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # it may have gone out: the process or the other side went away meanwhile


class Notification(OwnedByCompound, Base):
    """One thing for one receiver. `key` makes it one, however often it is asked for."""

    __tablename__ = "notifications"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[Purpose] = mapped_column(String(16))
    # A responder, or a channel of the compound (a siren, a team's group chat, a webhook).
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"))
    channel: Mapped[str | None] = mapped_column(String(32))
    severity: Mapped[int] = mapped_column(Integer)
    # By the receiver's rule for what is important, else by the default one.
    important: Mapped[bool] = mapped_column(Boolean, default=False)
    # An exercise: said in every word, and never sent out of the house.
    drill: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    incident: Mapped[str | None] = mapped_column(String(32))
    dispatch: Mapped[str | None] = mapped_column(String(32))
    # Codes and places that fill the words' blanks; never who somebody is.
    arguments: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    state: Mapped[NotificationState] = mapped_column(String(16))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # When the next channel is tried, None when nothing is left to do.
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # When `due_at` was set, None: in the asking. Later than now: the clock was set back since.
    moved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Which step of the receiver's rule comes next, from 0, and how often the rule was gone through.
    step: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    round: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # When the first channel was tried.
    begun_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # What keeps it until `due_at`, before anything was tried: see `holding`.
    held_by: Mapped[str | None] = mapped_column(String(16))
    # The notification whose letter says this one too ("and 7 more").
    bundle: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # In which trace it was asked for (see `storage.tracing`).
    trace: Mapped[str | None] = mapped_column(tracing.column(), default=tracing.current)

    __table_args__ = (
        UniqueConstraint("compound", "key"),
        Index("ix_notifications_due", "due_at"),
        Index("ix_notifications_responder", "responder", "asked_at"),
        Index("ix_notifications_begun", "begun_at"),
        Index("ix_notifications_incident", "incident"),
        Index("ix_notifications_bundle", "bundle"),
    )


class NotificationAttempt(Base):
    """One try on one channel: the log that keeps anything from being sent twice.

    `id` is what a receipt names: 128 random bits, which nobody guesses. Whoever knows it has had the letter.
    """

    __tablename__ = "notification_attempts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    notification: Mapped[str] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"))
    contact: Mapped[str] = mapped_column(String(32))
    kind: Mapped[ChannelKind] = mapped_column(String(16))
    # Of the notification's tries, from 1; which step of the rule it was, and in which round of it.
    number: Mapped[int] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    round: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    state: Mapped[AttemptState] = mapped_column(String(16))
    # Who is sending it, and until when nobody else takes it for lost.
    holder: Mapped[str | None] = mapped_column(String(64))
    held_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # When the outcome was known, and when a receipt came.
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    received_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # A code (timeout, gone, too_many, refused, server_error …), never what the other side said.
    error: Mapped[str | None] = mapped_column(String(32))
    # The place of the try itself in the notification's trace: a receipt follows from it.
    trace: Mapped[str | None] = mapped_column(tracing.column())

    __table_args__ = (
        UniqueConstraint("notification", "contact", "number"),
        Index("ix_notification_attempts_at", "at"),
        # One letter at a time goes to one address, whatever the number of processes.
        Index(
            "uq_notification_attempts_sending",
            "contact",
            unique=True,
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
    )


def under_way() -> ColumnElement[bool]:
    """Tries under way. Said as the small index of them says it, which a bound value would not find."""
    return NotificationAttempt.state == literal_column(f"'{AttemptState.SENDING.value}'")


class Contact(OwnedByCompound, Base):
    """A way to reach a responder, or (without one) a channel of the compound itself."""

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"), index=True)
    kind: Mapped[ChannelKind] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    # The subscription, URL or number, sealed: it is a key to somebody's phone.
    address: Mapped[str] = mapped_column(EncryptedText)
    # What signs or opens it, where it needs something.
    secret: Mapped[str | None] = mapped_column(EncryptedText)
    # Zones, severities and the like of a compound's channel; of nobody.
    settings: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Health: when it last worked, when it last did not, how often not since it did, since when it is dead.
    worked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    failed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(String(32))
    dead_since: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Not before this moment: the other side has asked for a pause.
    paused_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class ContactStep(Base):
    """A step of a responder's rule: after so many seconds without an answer this contact is tried."""

    __tablename__ = "contact_steps"

    responder: Mapped[str] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"), primary_key=True)
    important: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    contact: Mapped[str] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    # Seconds after the step before it, 0…3600; of the first one after the asking.
    after_s: Mapped[int] = mapped_column(Integer)
