"""Applying for watch-list entries, deciding on them, lifting them.

An entry comes from an approved application and from nowhere else; many at once are many
applications, each with all of its fields (L-06).
"""

import datetime as dt
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from registry import rows
from registry.errors import RefusedError
from registry.watchlist import orders
from registry.watchlist.models import ApplicationState, WatchlistApplication, WatchlistEntry
from registry.watchlist.orders import Officer, Order
from storage import new_id

_MAY_APPROVE_PROPERTY: Final = frozenset({"administrator", orders.POLICE})


def apply(
    session: Session, compound: str, order: Order, *, applicant: Officer, at: dt.datetime
) -> WatchlistApplication:
    """Asks for an entry; nothing is looked for until somebody else has approved it.

    Raises `RefusedError`: `watchlist_field` (`field`), `watchlist_rings`, `watchlist_priority`,
    `watchlist_recipient`, `watchlist_order`, `watchlist_past`, `watchlist_early`, `watchlist_long`
    (`days`), `watchlist_role`, `watchlist_police_only`, `watchlist_basis`, `plate_malformed`,
    `watchlist_erased`, `watchlist_child`, `watchlist_credential`, `watchlist_in_use`,
    `watchlist_renewal`;
    and `MissingError` for a person, credential or entry that is not in the compound.
    """
    texts = {field: orders.checked_text(field, getattr(order, field)) for field in orders.LENGTHS}
    orders.check_period(order.starts_at, order.ends_at, at)
    orders.check_right(order, applicant.role)
    subject = orders.checked_subject(session, compound, order, applicant.role, at)
    if order.renews is not None:
        orders.check_renewal(session, compound, order, subject)
    application = WatchlistApplication(
        id=new_id(),
        compound=compound,
        subject_kind=order.subject_kind,
        subject=subject,
        legal_basis=order.legal_basis,
        applicant=applicant.id,
        applicant_role=applicant.role,
        rings=orders.checked_rings(order.rings),
        recipients=orders.checked_recipients(order.recipients),
        priority=orders.checked_priority(order.priority),
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        renews=order.renews,
        applied_at=at,
        state=ApplicationState.PENDING,
        **texts,
    )
    session.add(application)
    session.flush()
    return application


def approve(
    session: Session, application: WatchlistApplication, *, by: Officer, at: dt.datetime
) -> WatchlistEntry:
    """Makes the entry. What begins in the past by now begins now; the end stays what was asked for.

    Raises `RefusedError`: `two_people` for the applicant's own, `watchlist_right`
    where the role does not suffice, `watchlist_decided`, `watchlist_past` where its time is over,
    and what `apply` raises where the subject has changed since.
    """
    _check_decider(application, by)
    if application.ends_at <= at:
        raise RefusedError("watchlist_past")
    # Somebody may have been erased, or a card found again, while this waited.
    orders.checked_subject(session, application.compound, application, application.applicant_role, at)
    if application.renews is not None:
        orders.check_renewal(session, application.compound, application, application.subject)
    _settle(session, application, ApplicationState.APPROVED, by, at)
    entry = WatchlistEntry(
        id=new_id(),
        compound=application.compound,
        subject_kind=application.subject_kind,
        subject=application.subject,
        legal_basis=application.legal_basis,
        document_no=application.document_no,
        applicant=application.applicant,
        applicant_org=application.applicant_org,
        approver=by.id,
        reason=application.reason,
        rings=application.rings,
        recipients=application.recipients,
        priority=application.priority,
        starts_at=max(application.starts_at, at),
        ends_at=application.ends_at,
        renews=application.renews,
    )
    session.add(entry)
    session.flush()
    application.entry = entry.id
    session.flush()
    return entry


def refuse(session: Session, application: WatchlistApplication, *, by: Officer, at: dt.datetime) -> None:
    """Raises `two_people`, `watchlist_right`, `watchlist_decided`."""
    _check_decider(application, by)
    _settle(session, application, ApplicationState.REFUSED, by, at)


def withdraw(session: Session, application: WatchlistApplication, *, by: Officer, at: dt.datetime) -> None:
    """The applicant takes it back. Raises `watchlist_not_yours` and `watchlist_decided`."""
    if by.id != application.applicant:
        raise RefusedError("watchlist_not_yours")
    # The column for who decided is for the second person.
    _settle(session, application, ApplicationState.WITHDRAWN, None, at)


def lift(session: Session, entry: WatchlistEntry, *, by: Officer, at: dt.datetime) -> None:
    """Ends an entry before its time (撤控). Raises `watchlist_right` and `watchlist_ended`."""
    police = orders.is_police_matter(entry.subject_kind, entry.legal_basis)
    if by.role != orders.POLICE and (police or by.role not in orders.PROPERTY):
        raise RefusedError("watchlist_right")
    lifted = session.execute(
        update(WatchlistEntry)
        .where(
            WatchlistEntry.id == entry.id,
            WatchlistEntry.compound == entry.compound,
            WatchlistEntry.lifted_at.is_(None),
            WatchlistEntry.ends_at > at,
        )
        .values(lifted_at=at, lifted_by=by.id)
        .returning(WatchlistEntry.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(entry)
    if lifted is None:
        raise RefusedError("watchlist_ended")


def find_application(session: Session, compound: str, application_id: str) -> WatchlistApplication:
    """Raises `MissingError("watchlist_application")`."""
    return rows.find(session, WatchlistApplication, compound, application_id, "watchlist_application")


def find_entry(session: Session, compound: str, entry_id: str) -> WatchlistEntry:
    """Raises `MissingError("watchlist_entry")`."""
    return rows.find(session, WatchlistEntry, compound, entry_id, "watchlist_entry")


def _check_decider(application: WatchlistApplication, by: Officer) -> None:
    if by.id == application.applicant:
        raise RefusedError("two_people")
    police = orders.is_police_matter(application.subject_kind, application.legal_basis)
    if by.role not in ({orders.POLICE} if police else _MAY_APPROVE_PROPERTY):
        raise RefusedError("watchlist_right")


def _settle(
    session: Session,
    application: WatchlistApplication,
    state: ApplicationState,
    by: Officer | None,
    at: dt.datetime,
) -> None:
    """Moves a pending application on; the database decides between two who press at once."""
    settled = session.execute(
        update(WatchlistApplication)
        .where(
            WatchlistApplication.id == application.id,
            WatchlistApplication.compound == application.compound,
            WatchlistApplication.state == ApplicationState.PENDING,
        )
        .values(state=state, decided_by=by.id if by else None, decided_at=at)
        .returning(WatchlistApplication.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(application)
    if settled is None:
        raise RefusedError("watchlist_decided", state=str(application.state))
