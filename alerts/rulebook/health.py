"""How right rules are, by rule and device, from how operators ended their incidents; and what follows.

Seven days back. Judged is what somebody confirmed or called false; what cleared by itself, was
merged, held back or is still open says nothing. A rule that is mostly wrong at a device makes a
proposal, which a person approves or refuses: rules never change by themselves.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import mutes
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Incident
from alerts.rulebook.advice import NOT_FALSE, Advice, Proposed, Tally, advise
from alerts.rulebook.changing import NotWritableError, with_number
from alerts.rulebook.current import current
from alerts.rulebook.models import RuleProposal
from alerts.rulebook.versions import PURPOSE, keep, newest
from alerts.rulebook.writing import default
from alerts.rules import RULES, Mute
from registry import rows
from registry.errors import RefusedError
from storage import audit, content_id
from storage.audit import AuditEntry

log = structlog.get_logger(__name__)

WINDOW: Final = dt.timedelta(days=7)
MUTED_FOR: Final = dt.timedelta(days=7)
_NOUN: Final = "rule_proposal"
_SAYS_NOTHING: Final = frozenset({*UNDECIDED, State.AUTO_CLEARED, State.MERGED})
_Source = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Health:
    """One rule at one device: how many alarms, how many were held back, what was said of them."""

    rule: str
    device: str
    raised: int
    held: int
    tally: Tally


def health(
    session: Session,
    compound: str,
    at: dt.datetime,
    window: dt.timedelta = WINDOW,
    *,
    decided: "_Decided | None" = None,
) -> list[Health]:
    """By rule and device, the worst share first. `decided`: what came before a decision counts no more."""
    what = (Incident.rule, Incident.device_id, Incident.state, Incident.false_alarm_reason, Incident.held)
    found: dict[_Source, _Count] = defaultdict(_Count)
    query = select(*what, Incident.raised_at).where(
        Incident.compound == compound,
        Incident.raised_at > at - window,
        Incident.raised_at <= at,
        # An exercise says nothing of a rule.
        Incident.drill.is_(False),
    )
    for row in session.execute(query):
        if decided is None or decided.counts(row.rule, row.device_id, row.raised_at):
            found[row.rule, row.device_id].add(State(row.state), row.false_alarm_reason, held=row.held)
    read = [
        Health(rule, device, count.raised, count.held, count.tally())
        for (rule, device), count in found.items()
    ]
    return sorted(read, key=lambda one: (-(one.tally.share or 0), -one.tally.judged, one.rule, one.device))


class _Count:
    def __init__(self) -> None:
        self.raised = self.held = self.judged = 0
        self.reasons: Counter[str] = Counter()

    def add(self, state: State, reason: str | None, *, held: bool) -> None:
        self.raised += 1
        self.held += held
        if state in _SAYS_NOTHING or reason in NOT_FALSE:
            return
        self.judged += 1
        if state is State.FALSE_ALARM:
            self.reasons[reason or "other"] += 1

    def tally(self) -> Tally:
        return Tally(self.judged, self.reasons.total(), dict(self.reasons))


def survey(session: Session, compound: str, at: dt.datetime) -> dict[_Source, tuple[Tally, Proposed]]:
    """What the last seven days propose. Reads much and writes nothing.

    What was judged before somebody decided on a source was judged of another rule.
    """
    counted = health(session, compound, at, decided=_decided(session, compound))
    rules = {rule.id: rule for rule in RULES}
    entries = current(session, compound, at).file.entries
    found: dict[_Source, tuple[Tally, Proposed]] = {}
    for one in counted:
        rule = rules.get(one.rule)
        if rule is None:
            continue
        others = [other.tally for other in counted if other.rule == one.rule and other.device != one.device]
        elsewhere = Tally(sum(tally.judged for tally in others), sum(tally.false for tally in others))
        entry = entries.get(one.rule)
        proposed = advise(rule, one.tally, elsewhere, entry.values if entry is not None else {})
        if proposed is not None:
            found[one.rule, one.device] = (one.tally, proposed)
    return found


def record(
    session: Session, compound: str, found: Mapping[_Source, tuple[Tally, Proposed]], at: dt.datetime
) -> list[RuleProposal]:
    """Makes what a survey proposes and sets aside what it proposes no more; returns the new ones.

    Doing it again changes nothing: a proposal that still holds stays as it was made. Of the same
    parameter of a rule there is one, whichever of its devices are bad.
    """
    opened = {(row.rule, row.device): row for row in listed(session, compound, "open")}
    taken: set[tuple[str, str | None]] = {(row.rule, row.parameter) for row in opened.values()}
    made = []
    for source, (tally, proposed) in found.items():
        standing = opened.pop(source, None)
        if standing is not None and _same(standing, proposed):
            continue
        if standing is not None:
            opened[source] = standing
        elif proposed.parameter is not None and (source[0], proposed.parameter) in taken:
            continue
        taken.add((source[0], proposed.parameter))
        made.append(_row(compound, source, tally, proposed, at))
    for row in opened.values():
        row.state = "overtaken"
    session.flush()
    session.add_all(made)
    session.flush()
    if made:
        log.info("rules.proposed", compound=compound, proposals=len(made))
    return made


def open_count(session: Session) -> int:
    """How many wait for a person, in all compounds that the session sees."""
    waiting = select(func.count()).select_from(RuleProposal)
    return session.scalar(waiting.where(RuleProposal.state == "open")) or 0


def listed(session: Session, compound: str, state: str | None = None) -> Sequence[RuleProposal]:
    """Proposals, newest first; of one state where it is named."""
    query = select(RuleProposal).where(RuleProposal.compound == compound)
    if state is not None:
        query = query.where(RuleProposal.state == state)
    return session.scalars(query.order_by(RuleProposal.made_at.desc(), RuleProposal.id)).all()


def decide(
    session: Session, compound: str, proposal_id: str, *, approve: bool, by: Actor, at: dt.datetime
) -> RuleProposal:
    """A person's word on a proposal, audited. Approved, what it says is done in the same commit.

    A parameter makes a new version of the rules file with its comments; a mute is made for seven
    days; a device is for a person to look at. Raises `MissingError`, `RefusedError`:
    proposal_settled, rule_proposal_overtaken (the parameter is no longer what it was),
    rules_not_writable (the file has to be changed by hand); and what `versions.keep` raises.
    """
    rows.lock(session, RuleProposal, compound, [proposal_id], _NOUN)
    row = rows.find(session, RuleProposal, compound, proposal_id, _NOUN)
    if row.state != "open":
        raise RefusedError("proposal_settled", state=row.state)
    if approve and row.advice == Advice.PARAMETER:
        _change(session, row, by, at)
    elif approve and row.advice == Advice.MUTE_PLACE:
        mute = Mute(row.rule, row.device, at, at + MUTED_FOR)
        mutes.make(session, compound, mute, f"proposal {row.id}", by, at)
    row.state = "approved" if approve else "refused"
    row.decided_by, row.decided_at = by.id, at
    session.flush()
    detail = f"{row.state} {row.rule} {row.advice}"
    entry = AuditEntry(
        by.id, by.role, "rule.proposal_decided", PURPOSE, f"rule_proposal:{row.id}", detail, compound
    )
    audit.append(session, at, entry)
    return row


def _change(session: Session, row: RuleProposal, by: Actor, at: dt.datetime) -> None:
    assert row.parameter is not None
    assert row.proposed is not None
    now = current(session, row.compound, at)
    entry = now.file.entries.get(row.rule)
    rule = next((one for one in RULES if one.id == row.rule), None)
    usual = {one.name: one.default for one in rule.parameters} if rule is not None else {}
    values = usual | dict(entry.values if entry is not None else {})
    if values.get(row.parameter) != row.present:
        raise RefusedError("rule_proposal_overtaken")
    last = newest(session, row.compound)
    try:
        text = with_number(
            last.text if last is not None else default(), row.rule, row.parameter, row.proposed
        )
    except NotWritableError:
        raise RefusedError("rules_not_writable") from None
    note = f"proposal {row.id}"
    keep(session, row.compound, text, by, at, note=note, since=last.number if last is not None else 0)


def _row(compound: str, source: _Source, tally: Tally, proposed: Proposed, at: dt.datetime) -> RuleProposal:
    rule, device = source
    return RuleProposal(
        id=content_id(compound, rule, device, str(proposed.advice), at.isoformat()),
        compound=compound,
        rule=rule,
        device=device,
        advice=str(proposed.advice),
        parameter=proposed.parameter,
        present=proposed.present,
        proposed=proposed.proposed,
        alarms=tally.judged,
        false_alarms=tally.false,
        reasons=dict(tally.reasons),
        made_at=at,
        state="open",
    )


def _same(row: RuleProposal, proposed: Proposed) -> bool:
    return (row.advice, row.parameter, row.present, row.proposed) == (
        str(proposed.advice),
        proposed.parameter,
        proposed.present,
        proposed.proposed,
    )


def _decided(session: Session, compound: str) -> "_Decided":
    found = session.execute(
        select(RuleProposal.rule, RuleProposal.device, RuleProposal.advice, RuleProposal.state)
        .add_columns(func.max(RuleProposal.decided_at))
        .where(RuleProposal.compound == compound, RuleProposal.decided_at.is_not(None))
        .group_by(RuleProposal.rule, RuleProposal.device, RuleProposal.advice, RuleProposal.state)
    )
    decided = _Decided()
    for rule, device, advice, state, at in found:
        decided.note(rule, device if (advice, state) != (Advice.PARAMETER, "approved") else None, at)
    return decided


class _Decided:
    """Since when alarms count: of a source since somebody decided on it, of all of a rule's devices
    since a parameter of it was changed.
    """

    def __init__(self) -> None:
        self._at: dict[tuple[str, str | None], dt.datetime] = {}

    def note(self, rule: str, device: str | None, at: dt.datetime) -> None:
        self._at[rule, device] = max(at, self._at.get((rule, device), at))

    def counts(self, rule: str, device: str, raised_at: dt.datetime) -> bool:
        return all(raised_at > at for at in (self._at.get((rule, one)) for one in (device, None)) if at)
