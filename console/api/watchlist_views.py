"""What a watch-list entry looks like to whom: all of it, or only that there is one."""

import datetime as dt
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from console.accounts.models import User
from registry.models import (
    ApplicationState,
    LegalBasis,
    Ring,
    WatchlistApplication,
    WatchlistEntry,
    WatchlistSubject,
)
from registry.watchlist.lookout import may_know

Text = Annotated[str, Field(min_length=1, max_length=64)]


class OrderDetails(BaseModel):
    """Whom or what is looked for, on what ground, for whom."""

    model_config = ConfigDict(from_attributes=True)

    subject: str
    legal_basis: LegalBasis
    document_no: str
    applicant: str
    applicant_org: str | None
    reason: str
    rings: list[Ring]
    recipients: list[str]
    priority: int


class EntryDetails(OrderDetails):
    approver: str
    lifted_by: str | None


class EntryView(BaseModel):
    """An entry; `details` is None for those who may know only that there is one."""

    id: str
    subject_kind: WatchlistSubject
    starts_at: dt.datetime
    ends_at: dt.datetime
    lifted_at: dt.datetime | None
    in_force: bool
    renews: str | None
    details: EntryDetails | None


class ApplicationView(BaseModel):
    """An application; `entry` is what came of it."""

    id: str
    subject_kind: WatchlistSubject
    state: ApplicationState
    starts_at: dt.datetime
    ends_at: dt.datetime
    applied_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    entry: str | None
    renews: str | None
    details: OrderDetails | None


class OrderAsked(BaseModel):
    """All that the law wants said; many entries are many of these. Without `starts_at` it begins now."""

    subject_kind: WatchlistSubject
    # A plate, or a person's or credential's id.
    subject: Text
    legal_basis: LegalBasis
    document_no: str
    applicant_org: str
    reason: str
    rings: list[Ring]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime
    recipients: list[Text] = []
    priority: int = 3


class RenewalAsked(BaseModel):
    """What is new of a renewal; subject, basis, rings and recipients stay what they were."""

    document_no: str
    applicant_org: str
    reason: str
    ends_at: AwareDatetime


def entry_view(entry: WatchlistEntry, user: User, at: dt.datetime) -> EntryView:
    lifted = entry.lifted_at is not None and entry.lifted_at <= at
    known = may_know(entry, user.id, user.role)
    return EntryView(
        id=entry.id,
        subject_kind=entry.subject_kind,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        lifted_at=entry.lifted_at,
        in_force=entry.starts_at <= at < entry.ends_at and not lifted,
        renews=entry.renews,
        details=EntryDetails.model_validate(entry) if known else None,
    )


def application_view(application: WatchlistApplication, user: User) -> ApplicationView:
    known = may_know(application, user.id, user.role)
    return ApplicationView(
        id=application.id,
        subject_kind=application.subject_kind,
        state=application.state,
        starts_at=application.starts_at,
        ends_at=application.ends_at,
        applied_at=application.applied_at,
        decided_by=application.decided_by,
        decided_at=application.decided_at,
        entry=application.entry,
        renews=application.renews,
        details=OrderDetails.model_validate(application) if known else None,
    )
