"""Records whose time runs from when they ended: proofs, orders, imports, notes, sessions."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from alerts.absences import CareAbsence
from alerts.drills.models import Drill
from alerts.duty.models import Shift
from alerts.duty.rostermodels import DutyChange, DutySwap, RosterGap
from alerts.handover.models import Handover
from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.mutes import RuleMute
from alerts.notify.models import Notification
from alerts.patrols.models import PatrolRound, PatrolVisit
from alerts.review.models import Measure, Need
from alerts.routing.models import Silence
from alerts.rulebook.models import OperatingMode
from bus.deadletters import DeadLetter
from devices.commands.models import DeviceCommand
from devices.enrolments import DeleteOrder, OrderState
from devices.lists.models import TerminalPush
from privacy.holds import held_subjects
from privacy.models import Disclosure, DisclosureState, Erasure, ErasureStep, LegalHold, SubjectRequest
from privacy.retention.rows import Rows
from privacy.retention.scope import Ground, Scope
from registry.models import Consent, FaceTemplate, ImportChange, ImportFault, ImportJob, Person, SituationNote
from storage import UtcTime

# How long an answer to an `Idempotency-Key` is remembered.
_ANSWERS_KEPT: Final = dt.timedelta(hours=24)
# A refused sign-in is easier to explain while the session it belonged to is still there.
_ACCESS_KEPT: Final = dt.timedelta(days=1)


def _simple(
    name: str,
    setting: str | None,
    row: Any,
    over: Callable[[Scope], ColumnElement[bool]],
    *,
    of_compound: bool = True,
    kept: Callable[[Session, Scope], ColumnElement[bool] | None] = lambda _session, _scope: None,
    first: Callable[[Session, list[Any]], None] = lambda _session, _keys: None,
    more_tables: tuple[str, ...] = (),
    most: int = 500,
) -> Rows:
    """A class of one table with the key `id`; `first` deletes what hangs on the rows."""

    def select_over(scope: Scope) -> Select[Any]:
        query = select(row.id).where(over(scope))
        return query.where(row.compound == scope.of_compound) if of_compound else query

    def forget(session: Session, _ground: Ground, _scope: Scope, keys: list[Any]) -> None:
        first(session, keys)
        _delete(session, row, row.id.in_(keys))

    return Rows(
        name,
        setting,
        (row.__tablename__, *more_tables),
        select_over,
        forget,
        kept,
        whole_deployment=not of_compound,
        most=most,
    )


def _held_people(person: Any) -> Callable[[Session, Scope], ColumnElement[bool]]:
    return lambda _session, scope: person.in_(held_subjects("person", scope.at))


def _consent_over(scope: Scope) -> ColumnElement[bool]:
    """Life and three years: from the withdrawal, or from when its person was erased."""
    cutoff = scope.cutoff("proofs")
    erased = exists().where(Person.id == Consent.person, Person.erased_at < cutoff)
    standing = exists().where(FaceTemplate.consent == Consent.id)
    return and_(or_(Consent.withdrawn_at < cutoff, erased), ~standing)


def _forget_steps(session: Session, erasures: list[Any]) -> None:
    _delete(session, ErasureStep, ErasureStep.erasure.in_(erasures))


def _request_over(scope: Scope) -> ColumnElement[bool]:
    answered_by = exists().where(Erasure.request == SubjectRequest.id)
    return and_(SubjectRequest.closed_at < scope.cutoff("proofs"), ~answered_by)


def _of_old_import(row: Any) -> Callable[[Scope], ColumnElement[bool]]:
    def over(scope: Scope) -> ColumnElement[bool]:
        ended = func.coalesce(ImportJob.ended_at, ImportJob.started_at)
        jobs = select(ImportJob.id).where(
            ImportJob.compound == scope.of_compound, ended < scope.cutoff("imports")
        )
        return and_(row.compound == scope.of_compound, row.job.in_(jobs))

    return over


def _job_over(scope: Scope) -> ColumnElement[bool]:
    undoable = exists().where(ImportChange.job == ImportJob.id)
    faulty = exists().where(ImportFault.job == ImportJob.id)
    return and_(ImportJob.started_at < scope.cutoff("audit"), ~undoable, ~faulty)


RECORDS: Final = (
    _simple("consents", "proofs", Consent, _consent_over, kept=_held_people(Consent.person)),
    _simple(
        "erasures",
        "proofs",
        Erasure,
        lambda scope: Erasure.completed_at < scope.cutoff("proofs"),
        first=_forget_steps,
        more_tables=("erasure_steps",),
    ),
    _simple(
        "delete_orders",
        "proofs",
        DeleteOrder,
        # One that no terminal has confirmed stays visible: a face may still lie there.
        lambda scope: and_(
            DeleteOrder.state == OrderState.CONFIRMED, DeleteOrder.answered_at < scope.cutoff("proofs")
        ),
    ),
    _simple(
        "device_commands",
        "incidents",
        DeviceCommand,
        lambda scope: DeviceCommand.asked_at < scope.cutoff("incidents"),
    ),
    _simple(
        "terminal_pushes",
        "incidents",
        TerminalPush,
        lambda scope: TerminalPush.sent_at < scope.cutoff("incidents"),
    ),
    _simple(
        "subject_requests",
        "proofs",
        SubjectRequest,
        _request_over,
        kept=_held_people(SubjectRequest.person),
    ),
    _simple(
        "legal_holds",
        "audit",
        LegalHold,
        lambda scope: or_(
            LegalHold.ends_at < scope.cutoff("audit"), LegalHold.released_at < scope.cutoff("audit")
        ),
    ),
    _simple(
        "disclosures",
        "audit",
        Disclosure,
        lambda scope: and_(
            Disclosure.state != DisclosureState.PENDING,
            func.coalesce(Disclosure.delivered_at, Disclosure.decided_at) < scope.cutoff("audit"),
        ),
    ),
    _simple("import_changes", "imports", ImportChange, _of_old_import(ImportChange)),
    _simple("import_faults", "imports", ImportFault, _of_old_import(ImportFault)),
    _simple("import_jobs", "audit", ImportJob, _job_over),
    _simple(
        "situation_notes",
        "passages",
        SituationNote,
        lambda scope: SituationNote.ends_at < scope.cutoff("passages"),
    ),
    _simple(
        "operating_modes",
        "incidents",
        OperatingMode,
        lambda scope: OperatingMode.ends_at < scope.cutoff("incidents"),
    ),
    # When somebody was away from home is nobody's to know once they are back.
    _simple(
        "care_absences",
        "passages",
        CareAbsence,
        lambda scope: CareAbsence.ends_at < scope.cutoff("passages"),
        kept=_held_people(CareAbsence.person),
    ),
    _simple("handovers", "incidents", Handover, lambda scope: Handover.made_at < scope.cutoff("incidents")),
    # What is still missing or to be done is no matter of time.
    _simple("measures", "incidents", Measure, lambda scope: Measure.ended_at < scope.cutoff("incidents")),
    _simple(
        "needs",
        "incidents",
        Need,
        lambda scope: and_(
            Need.ended_at < scope.cutoff("incidents"), ~exists().where(Measure.need == Need.id)
        ),
    ),
    _simple("silences", "incidents", Silence, lambda scope: Silence.ends_at < scope.cutoff("incidents")),
    _simple("rule_mutes", "incidents", RuleMute, lambda scope: RuleMute.ends_at < scope.cutoff("incidents")),
    _simple(
        "shifts",
        "incidents",
        Shift,
        lambda scope: Shift.ends_at < scope.cutoff("incidents"),
        of_compound=False,
    ),
    _simple(
        "duty_changes", "incidents", DutyChange, lambda scope: DutyChange.ends_at < scope.cutoff("incidents")
    ),
    _simple(
        "duty_swaps", "incidents", DutySwap, lambda scope: DutySwap.starts_at < scope.cutoff("incidents")
    ),
    _simple(
        "roster_gaps", "incidents", RosterGap, lambda scope: RosterGap.ends_at < scope.cutoff("incidents")
    ),
    _simple(
        "notifications",
        "incidents",
        Notification,
        lambda scope: and_(Notification.asked_at < scope.cutoff("incidents"), Notification.due_at.is_(None)),
    ),
    _simple("drills", "incidents", Drill, lambda scope: Drill.ended_at < scope.cutoff("incidents")),
    _simple(
        "work_orders",
        "incidents",
        WorkOrder,
        # What nobody has repaired stays on the list.
        lambda scope: and_(
            WorkOrder.state.in_([WorkOrderState.DONE, WorkOrderState.VERIFIED]),
            WorkOrder.opened_at < scope.cutoff("incidents"),
        ),
    ),
    _simple(
        "patrol_visits",
        "incidents",
        PatrolVisit,
        lambda scope: PatrolVisit.received_at < scope.cutoff("incidents"),
    ),
    _simple(
        "patrol_rounds",
        "incidents",
        PatrolRound,
        lambda scope: PatrolRound.counts_until < scope.cutoff("incidents"),
        first=lambda session, keys: _delete(session, PatrolVisit, PatrolVisit.round.in_(keys)),
    ),
    _simple(
        "dead_letters",
        "dead_letters",
        DeadLetter,
        lambda scope: DeadLetter.received_at < scope.cutoff("dead_letters"),
        of_compound=False,
        # Up to 8 MB each.
        most=10,
    ),
)


def _expired(name: str, key: Any, ends: str, kept_for: dt.timedelta, *extra: str) -> Rows:
    """Ways in that have ended. They belong to the console, above this room: named, not imported."""
    rows = table(name, column(ends, UtcTime), *(column(one, String) for one in extra))
    keys = key(rows.c)

    def over(scope: Scope) -> Select[Any]:
        return select(keys).where(rows.c[ends] < scope.at - kept_for)

    def forget(session: Session, _ground: Ground, scope: Scope, gone: list[Any]) -> None:
        session.execute(delete(rows).where(rows.c[ends] < scope.at - kept_for, keys.in_(gone)))

    return Rows(name, None, (name,), over, forget, whole_deployment=True)


ACCESS: Final = (
    _expired("user_sessions", lambda c: c.token_hash, "expires_at", _ACCESS_KEPT, "token_hash"),
    _expired("setup_links", lambda c: c.token_hash, "expires_at", _ACCESS_KEPT, "token_hash"),
    _expired("api_tokens", lambda c: c.id, "expires_at", dt.timedelta(days=30), "id"),
    _expired("search_counts", lambda c: c.id, "at", dt.timedelta(hours=1), "id"),
    _expired("half_sign_ins", lambda c: c.token_hash, "expires_at", _ACCESS_KEPT, "token_hash"),
    _expired("provider_requests", lambda c: c.state_hash, "expires_at", _ACCESS_KEPT, "state_hash"),
    _expired("known_devices", lambda c: c.token_hash, "expires_at", _ACCESS_KEPT, "token_hash"),
    _expired("sign_in_failures", lambda c: c.key, "last", _ACCESS_KEPT, "key"),
    _expired("idempotency_keys", lambda c: c.user + " " + c.key, "created_at", _ANSWERS_KEPT, "user", "key"),
)


def _delete(session: Session, row: Any, condition: ColumnElement[bool]) -> None:
    session.execute(delete(row).where(condition).execution_options(synchronize_session=False))
