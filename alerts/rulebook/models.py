"""Versions of a compound's rules, how it is run, and what is proposed to change."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Float, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime


class RuleVersion(OwnedByCompound, Base):
    """One version of the rules file, as it was written; never changed. The highest number is in force."""

    __tablename__ = "rule_versions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    # SHA-256 of the text: the same file again is no new version.
    digest: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    note: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (UniqueConstraint("compound", "number"),)


class RulesFileState(OwnedByCompound, Base):
    """What came of the file that the setting `rules_file` names, when it was last looked at.

    One row a compound. A file with errors is not taken in: here it says so to every process.
    """

    __tablename__ = "rule_files"

    compound: Mapped[str] = mapped_column(String(64), primary_key=True)
    # SHA-256 of the text; empty where there was none to be read.
    digest: Mapped[str] = mapped_column(String(64))
    looked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Since when it has been refused; None while what it says is in force.
    refused_since: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # As `Finding.plain` gives them.
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)


class OperatingMode(OwnedByCompound, Base):
    """A time in which the compound is on guard: heightened or emergency, approved by another, with an end."""

    __tablename__ = "operating_modes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    approved_by: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Ended before its end.
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_operating_modes_time", "compound", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="ends"),
    )


class RuleProposal(OwnedByCompound, Base):
    """What should change where operators called most of a rule's alarms at a device false; a person says."""

    __tablename__ = "rule_proposals"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    device: Mapped[str] = mapped_column(String(64))
    # What to do: parameter, look_at_device or mute_place (`alerts.rulebook.advice.Advice`).
    advice: Mapped[str] = mapped_column(String(16))
    # With `parameter` only: which, what it is now, and what it should be.
    parameter: Mapped[str | None] = mapped_column(String(32))
    present: Mapped[float | None] = mapped_column(Float)
    proposed: Mapped[float | None] = mapped_column(Float)
    # Counts of the seven days, and what operators gave as reasons.
    alarms: Mapped[int] = mapped_column(Integer)
    false_alarms: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[dict[str, Any]] = mapped_column(JsonText)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # open, approved, refused, overtaken.
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class RuleTrial(OwnedByCompound, Base):
    """A draft of the rules that is tried on the stored past; one at a time a compound.

    `result` is as `alerts.rulebook.trials.Result.plain` gives it: counts, kinds and places, of nobody.
    """

    __tablename__ = "rule_trials"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    # The rule whose page it was asked for on; None for a whole file.
    rule: Mapped[str | None] = mapped_column(String(16))
    # The number of the version that the draft is made of; 0 where nothing was set.
    base: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # running, done, failed, cancelled.
    state: Mapped[str] = mapped_column(String(16))
    # When somebody last looked at the page, and when whoever reads the past last said so.
    looked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    heard_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # How far the past has been read: of a thousand, and how many things were seen in it.
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    seen: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Why it has no result: too_much, too_long, left, asked, broken.
    why: Mapped[str | None] = mapped_column(String(16))
    result: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    # The version that was made of it.
    kept_as: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        Index(
            "uq_rule_trials_running",
            "compound",
            unique=True,
            sqlite_where=sql("state = 'running'"),
            postgresql_where=sql("state = 'running'"),
        ),
    )
