"""Which terminals keep a list, and the batches that were sent to them."""

import datetime as dt
import enum

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class Carries(enum.StrEnum):
    """What may lie on a terminal. Somebody decides it for each: a face goes nowhere by itself."""

    # Nobody has decided: nothing is put there, and only orders to forget are sent.
    UNDECIDED = "undecided"
    # The list is emptied and stays empty.
    NOTHING = "nothing"
    CARDS = "cards"
    # Faces of those who have agreed, and cards: a list of faces alone there is not
    # (法释〔2021〕15号 art. 10).
    FACES = "faces"


class TerminalList(OwnedByCompound, Base):
    """The list of one terminal: what it is for, and when the terminal may be spoken to next."""

    __tablename__ = "terminal_lists"

    device: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    carries: Mapped[Carries] = mapped_column(String(16))
    # The approval after which the whole list was sent: a later one means a terminal that was
    # reset, exchanged or in other hands.
    approval_seen: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Batches in a row that the terminal refused as a whole or did not answer.
    failures: Mapped[int] = mapped_column(Integer, default=0)
    paused_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    next_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # What the last round counted: people who should be there, and how many of them with a face.
    wanted: Mapped[int] = mapped_column(Integer, default=0)
    wanted_faces: Mapped[int] = mapped_column(Integer, default=0)
    counted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Why less is there than might be: a code of `devices.lists.wanted.Lack`.
    lack: Mapped[str | None] = mapped_column(String(32))


class PushKind(enum.StrEnum):
    """The two commands of a list; the adapters' words."""

    ENROL = "enrol"
    DELETE = "delete"


class PushState(enum.StrEnum):
    """Where a batch stands. Only `sent` is still on its way."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    # Some people were taken and some were not: each row of theirs says why.
    PARTLY = "partly"
    FAILED = "failed"
    # No answer came. It is sent again, under the same references: twice is as good as once.
    UNCERTAIN = "uncertain"


class TerminalPush(OwnedByCompound, Base):
    """A batch for one terminal. Its id is the command's on the wire."""

    __tablename__ = "terminal_pushes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    kind: Mapped[PushKind] = mapped_column(String(8))
    state: Mapped[PushState] = mapped_column(String(16))
    people: Mapped[int] = mapped_column(Integer)
    sent_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # When silence becomes uncertainty.
    answer_by: Mapped[dt.datetime] = mapped_column(UtcTime)
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    taken: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    # The terminal's own code and words for the whole batch, or ours: broker_away, no_answer.
    code: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str | None] = mapped_column(String(500))

    __table_args__ = (
        # A terminal takes one batch at a time, whoever sends it.
        Index(
            "uq_terminal_pushes_in_flight",
            "device",
            unique=True,
            sqlite_where=sql("state = 'sent'"),
            postgresql_where=sql("state = 'sent'"),
        ),
        Index("ix_terminal_pushes_device", "device", "sent_at"),
        Index("ix_terminal_pushes_sent", "compound", "sent_at"),
    )
