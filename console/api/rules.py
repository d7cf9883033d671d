"""The rules of the compound: what each asks and with which numbers, the file, and its versions."""

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from alerts import mutes
from alerts.rulebook import health, intake, versions
from alerts.rulebook.advice import Tally
from alerts.rulebook.current import Current, current
from alerts.rulebook.findings import Finding
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.reading import LARGEST
from alerts.rulebook.ruletables import severity_bounds
from alerts.rulebook.versions import BadRulesError
from alerts.rulebook.writing import default, says
from alerts.rules import RULES, Entry, Mode
from alerts.rules.rule import Rule
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor
from console.texts import Texts, load, negotiate
from console.texts.rulebook import finding_text, rule_says, trade_off

router = APIRouter(tags=["rules"])
Reader = Annotated[User, may(Action.RULES_READ)]
# What is saved is what everybody is guarded by.
Saver = Annotated[User, may(Action.RULES_EDIT, proven=True)]
Language = Annotated[str | None, Header(alias="Accept-Language")]

FINDINGS_SHOWN: Final = 100


class ParameterView(BaseModel):
    """A number: what it is now, how it comes, from where to where it may be set, and what either does.

    `trade_off` and a rule's `says` are in the language that the request asks for.
    """

    name: str
    unit: str
    value: float
    default: float
    low: float
    high: float
    trade_off: str


class SeverityView(BaseModel):
    """1 critical … 4 notice; `gravest` and `mildest` are the bounds."""

    level: str
    value: int
    default: int
    gravest: int
    mildest: int


class RuleHealthView(BaseModel):
    """Seven days: alarms, how many somebody judged, and the false share of those."""

    alarms: int
    held: int
    judged: int
    false: int
    share: float | None


class RuleView(BaseModel):
    """A rule as it runs here. `says` is what it asks, `gate` the clauses without which it must not run."""

    id: str
    kind: str
    rings: list[str]
    says: str
    key: str
    safety: bool
    care: bool
    confirms: bool
    gate: list[str]
    enabled: bool
    zones: list[str]
    except_zones: list[str]
    severities: list[SeverityView]
    parameters: list[ParameterView]
    hours: list[str]
    mutes: int
    health: RuleHealthView


class FindingView(BaseModel):
    """What is wrong with a file, or strange in it; `text` in the language that the request asks for."""

    line: int
    level: str
    code: str
    where: str
    text: str


class FileStateView(BaseModel):
    """The file on disk, where the setting `rules_file` names one: refused, the old rules are in force."""

    looked_at: dt.datetime
    refused_since: dt.datetime | None
    findings: list[FindingView]


class RulesView(BaseModel):
    """`version` is what incidents name; `number` is None while everything is as it comes."""

    version: str
    number: int | None
    mode: Mode
    rules: list[RuleView]
    file: FileStateView | None


class VersionView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int
    author: str
    at: dt.datetime
    note: str | None
    digest: str


class RulesFileView(BaseModel):
    """The file as it was written. `number` 0: nothing was set, `text` is the commented file to start from."""

    number: int
    text: str
    author: str | None
    at: dt.datetime | None
    note: str | None


class RulesFileAsked(BaseModel):
    """`since` is the number that the editing started from: whoever saved in between is not overwritten."""

    text: Annotated[str, Field(max_length=LARGEST)]
    note: Annotated[str, Field(min_length=1, max_length=versions.NOTE_LONGEST)]
    since: Annotated[int, Field(ge=0)]


class RulesFileKept(BaseModel):
    """`new` is false where the text is that of the version in force."""

    number: int
    new: bool
    warnings: list[FindingView]


class RulesTextAsked(BaseModel):
    text: Annotated[str, Field(max_length=LARGEST)]


class RulesChecked(BaseModel):
    errors: int
    findings: list[FindingView]


class DifferenceView(BaseModel):
    """A unified diff."""

    old: int
    new: int
    diff: str


@router.get("/rules")
def rules(here: Here, _: Reader, language: Language = None) -> RulesView:
    """Every rule as it runs here now."""
    at = here.clock.now()
    texts = _texts(language)
    with here.database.read() as session:
        now = current(session, here.compound, at)
        counted = _health(session, here.compound, at)
        silent = [mute for mute in mutes.in_force(session, here.compound, at) if mute.starts_at <= at]
        state = intake.state(session, here.compound)
        return RulesView(
            version=now.book.version,
            number=now.number,
            mode=now.book.mode,
            rules=[
                _rule(
                    texts,
                    rule,
                    now,
                    sum(mute.rule == rule.id for mute in silent),
                    counted.get(rule.id, RuleHealthView(alarms=0, held=0, judged=0, false=0, share=None)),
                )
                for rule in RULES
            ],
            file=None
            if state is None
            else FileStateView(
                looked_at=state.looked_at,
                refused_since=state.refused_since,
                findings=[
                    finding_view(texts, intake.finding_of(one)) for one in state.findings[:FINDINGS_SHOWN]
                ],
            ),
        )


@router.get("/rules/file")
def rules_file(here: Here, _: Reader) -> RulesFileView:
    """The file in force."""
    with here.database.read() as session:
        row = versions.newest(session, here.compound)
        if row is None:
            return RulesFileView(number=0, text=default(), author=None, at=None, note=None)
        return _file(row)


@router.put("/rules/file")
def set_rules_file(
    here: Here, user: Saver, asked: RulesFileAsked, language: Language = None
) -> RulesFileKept:
    """Puts a file in force. With errors nothing changes: 422 `rules_refused` lists all of them."""
    texts = _texts(language)
    try:
        with here.database.write() as session:
            reading = versions.check(session, here.compound, asked.text)
            row, new = versions.keep(
                session,
                here.compound,
                asked.text,
                as_actor(user),
                here.clock.now(),
                note=asked.note,
                since=asked.since,
            )
            warnings = [finding_view(texts, one) for one in reading.warnings]
            return RulesFileKept(number=row.number, new=new, warnings=warnings)
    except BadRulesError as error:
        shown = [finding_view(texts, one).model_dump() for one in error.findings[:FINDINGS_SHOWN]]
        raise ProblemError(422, "rules_refused", "The rules file has errors", findings=shown) from None


@router.post("/rules/check")
def check_rules(here: Here, _: Reader, asked: RulesTextAsked, language: Language = None) -> RulesChecked:
    """What is wrong with a draft; changes nothing."""
    texts = _texts(language)
    with here.database.read() as session:
        reading = versions.check(session, here.compound, asked.text)
    shown = [finding_view(texts, one) for one in reading.findings[:FINDINGS_SHOWN]]
    return RulesChecked(errors=len(reading.errors), findings=shown)


@router.get("/rules/versions")
def rule_versions(here: Here, _: Reader) -> list[VersionView]:
    """All versions, newest first, without their texts."""
    with here.database.read() as session:
        return [VersionView.model_validate(row) for row in versions.history(session, here.compound)]


@router.get("/rules/versions/{number}")
def rule_version(here: Here, _: Reader, number: int) -> RulesFileView:
    """One version as it was written."""
    with here.database.read() as session:
        return _file(versions.numbered(session, here.compound, number))


@router.get("/rules/versions/{number}/difference")
def rule_difference(here: Here, _: Reader, number: int, *, against: int) -> DifferenceView:
    """What a version has changed `against` an older one."""
    with here.database.read() as session:
        old, new = (versions.numbered(session, here.compound, one) for one in (against, number))
        return DifferenceView(old=old.number, new=new.number, diff=versions.difference(old, new))


def finding_view(texts: Texts, finding: Finding) -> FindingView:
    """A finding in words."""
    return FindingView(
        line=finding.line,
        level="error" if finding.error else "warning",
        code=finding.code,
        where=finding.where,
        text=finding_text(texts, finding),
    )


def _texts(language: str | None) -> Texts:
    return load(negotiate(None, language))


def _file(row: RuleVersion) -> RulesFileView:
    return RulesFileView(number=row.number, text=row.text, author=row.author, at=row.at, note=row.note)


def _health(session: Session, compound: str, at: dt.datetime) -> dict[str, RuleHealthView]:
    """By rule, all its devices together."""
    found: dict[str, RuleHealthView] = {}
    for one in health.health(session, compound, at):
        known = found.get(one.rule, RuleHealthView(alarms=0, held=0, judged=0, false=0, share=None))
        tally = Tally(known.judged + one.tally.judged, known.false + one.tally.false)
        found[one.rule] = RuleHealthView(
            alarms=known.alarms + one.raised,
            held=known.held + one.held,
            judged=tally.judged,
            false=tally.false,
            share=tally.share,
        )
    return found


def _rule(texts: Texts, rule: type[Rule], now: Current, muted: int, healthy: RuleHealthView) -> RuleView:
    entry = now.file.entries.get(rule.id, Entry())
    severities = []
    for level, usual in rule.severities.items():
        gravest, mildest = severity_bounds(rule, level)
        severities.append(
            SeverityView(
                level=level,
                value=entry.severities.get(level, usual),
                default=usual,
                gravest=gravest,
                mildest=mildest,
            )
        )
    return RuleView(
        id=rule.id,
        kind=rule.kind,
        rings=sorted(rule.rings),
        says=rule_says(texts, rule.id, says(rule)),
        key=rule.key,
        safety=rule.safety,
        care=rule.care,
        confirms=rule.confirms,
        gate=list(rule.gate),
        enabled=entry.enabled,
        zones=sorted(entry.zones),
        except_zones=sorted(entry.except_zones),
        severities=severities,
        parameters=[
            ParameterView(
                name=one.name,
                unit=one.unit,
                value=entry.values.get(one.name, one.default),
                default=one.default,
                low=one.low,
                high=one.high,
                trade_off=trade_off(texts, rule.id, one.name, one.trade_off),
            )
            for one in rule.parameters
        ],
        hours=[hours.name for hours in entry.hours],
        mutes=muted,
        health=healthy,
    )
