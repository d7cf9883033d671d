"""Trying a draft of the rules on the stored past, and only then putting it in force."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from alerts.rulebook import changing, trials, versions
from alerts.rulebook.changing import NotWritableError, RuleChange
from alerts.rulebook.models import RuleTrial
from alerts.rulebook.reading import LARGEST
from alerts.rulebook.versions import BadRulesError
from alerts.rulebook.writing import default
from alerts.rules import RULES, Entry
from console.accounts.models import User
from console.api.places import Here
from console.api.rules import FINDINGS_SHOWN, Saver, finding_view
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor
from console.texts import load, negotiate
from registry.errors import MissingError, RefusedError

router = APIRouter(tags=["rules"])
Editor = Annotated[User, may(Action.RULES_EDIT)]
Language = Annotated[str | None, Header(alias="Accept-Language")]

_RULES = {rule.id: rule for rule in RULES}


class RuleChangeAsked(BaseModel):
    """A rule and what should be otherwise of it: whether it runs, numbers by name, levels by name."""

    rule: Annotated[str, Field(max_length=16)]
    enabled: bool | None = None
    values: Annotated[dict[Annotated[str, Field(max_length=32)], float], Field(max_length=40)] = {}
    severities: Annotated[dict[Annotated[str, Field(max_length=32)], int], Field(max_length=20)] = {}


class TrialAsked(BaseModel):
    """A whole draft, or a change of the file in force. `since`: the version that either is made of.

    `days` of the past: 1, 3, 7, 14 or 31.
    """

    since: Annotated[int, Field(ge=0)]
    days: int = 7
    text: Annotated[str | None, Field(max_length=LARGEST)] = None
    change: RuleChangeAsked | None = None


class TrialSaved(BaseModel):
    note: Annotated[str, Field(min_length=1, max_length=versions.NOTE_LONGEST)]


class ChangedView(BaseModel):
    """A value of a rule that the draft has otherwise: `name` is enabled, severity.day, or a number's."""

    rule: str
    name: str
    was: bool | float
    now: bool | float


class TrialView(BaseModel):
    """`state`: running, done, failed, cancelled; `why` it has no result. `done`: 0…1, of the past read.

    `result` holds counts (`whole`, by kind in `kinds`, `same`) and `differences` one by one, each with
    the id of the incident that there was of it; none names anybody.
    """

    id: str
    rule: str | None
    base: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    asked_by: str
    asked_at: dt.datetime
    state: str
    why: str | None
    done: float
    seen: int
    result: dict[str, Any] | None
    kept_as: int | None
    changes: list[ChangedView]
    # A unified diff of the whole file.
    diff: str


class TrialKept(BaseModel):
    number: int


@router.post("/rules/trials", status_code=202)
def ask_trial(here: Here, user: Editor, asked: TrialAsked, language: Language = None) -> TrialView:
    """Begins to try a draft on the past; 409 `trial_running` while somebody else tries one.

    What errors a draft has is answered like that of `PUT /rules/file`; a draft of a version that is
    no longer in force with 409 `stale_version`.
    """
    if here.rehearse is None:
        raise ProblemError(503, "trial_unavailable", "This process cannot read the past")
    at = here.clock.now()
    try:
        with here.database.write() as session:
            text = asked.text if asked.change is None else _changed(session, here.compound, asked.change)
            if text is None:
                raise RefusedError("trial_same")
            rule = None if asked.change is None else asked.change.rule
            row = trials.ask(
                session, here.compound, text, asked.days, as_actor(user), at, base=asked.since, rule=rule
            )
            shown = _view(session, row)
    except BadRulesError as error:
        texts = load(negotiate(None, language))
        found = [finding_view(texts, one).model_dump() for one in error.findings[:FINDINGS_SHOWN]]
        raise ProblemError(422, "rules_refused", "The rules file has errors", findings=found) from None
    here.rehearse(here.compound, shown.id)
    return shown


@router.get("/rules/trials/{trial_id}")
def rule_trial(here: Here, _: Editor, trial_id: str) -> TrialView:
    """How far it is, and what came of it. One that nobody asks for any more ends by itself."""
    at = here.clock.now()
    with here.database.read() as session:
        row = trials.find(session, here.compound, trial_id)
        if not trials.wants_a_look(row, at):
            return _view(session, row)
    with here.database.write() as session:
        return _view(session, trials.look(session, here.compound, trial_id, at))


@router.post("/rules/trials/{trial_id}/cancelling")
def cancel_trial(here: Here, _: Editor, trial_id: str) -> TrialView:
    """Ends a trial that runs."""
    with here.database.write() as session:
        return _view(session, trials.cancel(session, here.compound, trial_id, here.clock.now()))


@router.post("/rules/trials/{trial_id}/saving")
def save_trial(here: Here, user: Saver, trial_id: str, asked: TrialSaved) -> TrialKept:
    """Puts the draft that was tried in force, as the next version."""
    with here.database.write() as session:
        row = trials.save(session, here.compound, trial_id, as_actor(user), here.clock.now(), asked.note)
        return TrialKept(number=row.number)


def _changed(session: Session, compound: str, asked: RuleChangeAsked) -> str:
    """The file in force with a rule changed; itself where nothing is."""
    rule = _RULES.get(asked.rule)
    if rule is None:
        raise MissingError("rule")
    levels = set(asked.severities) - set(rule.severities)
    if levels or set(asked.values) - {one.name for one in rule.parameters}:
        raise RefusedError("rule_value_unknown")
    newest = versions.newest(session, compound)
    text = newest.text if newest is not None else default()
    entry = versions.check(session, compound, text).file.entries.get(rule.id, Entry())
    wanted = RuleChange(asked.enabled, asked.values, asked.severities)
    change = changing.difference(rule, entry, wanted)
    if changing.changes_nothing(change):
        raise RefusedError("trial_same")
    try:
        return changing.with_change(text, rule.id, change)
    except NotWritableError:
        raise RefusedError("rule_not_writable") from None


def _view(session: Session, row: RuleTrial) -> TrialView:
    old = default() if row.base == 0 else versions.numbered(session, row.compound, row.base).text
    entries: list[Mapping[str, Entry]] = [
        versions.check(session, row.compound, text).file.entries for text in (old, row.text)
    ]
    return TrialView(
        id=row.id,
        rule=row.rule,
        base=row.base,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=row.state,
        why=row.why,
        done=row.done / 1000,
        seen=row.seen,
        result=row.result,
        kept_as=row.kept_as,
        changes=[
            ChangedView(rule=one.rule, name=".".join(one.path), was=one.was, now=one.now)
            for one in changing.changed(entries[0], entries[1], RULES)
        ],
        diff=versions.diff(old, row.text),
    )
