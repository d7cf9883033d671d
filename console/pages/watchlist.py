"""The watch-list (布控): what is in force, what waits for a second person, and the form to ask.

Who may not know whom an entry names sees that there is one and until when. Nothing is looked for
until somebody other than the applicant has approved it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import Role, User
from console.api import watchlist, watchlist_orders
from console.api.paging import Paging
from console.api.watchlist import Which
from console.api.watchlist_orders import Decided
from console.api.watchlist_views import ApplicationView, EntryView, OrderAsked, RenewalAsked
from console.context import Rooms, rooms
from console.pages import looking, registry_reads
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.view import Frame, frame, render
from console.permissions import Action, allowed, may
from registry.models import ApplicationState, LegalBasis, Ring, WatchlistSubject
from registry.watchlist.orders import LONGEST, POLICE, POLICE_BASES, is_police_matter

router = APIRouter(prefix="/console/watchlist")
Reader = Annotated[User, may(Action.WATCHLIST_READ)]
Applicant = Annotated[User, may(Action.WATCHLIST_APPLY)]
Approver = Annotated[User, may(Action.WATCHLIST_APPROVE, proven=True)]

SOON: Final = dt.timedelta(days=7)
"""How long before its end an entry is marked: a renewal takes a second person, who has to be found."""

PRIORITIES: Final = (1, 2, 3, 4)
_SHOWN: Final = 50
_START: Final = "/console/watchlist"


@router.get("")
def overview(
    request: Request,
    user: Reader,
    which: Which = Which.IN_FORCE,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What waits, and what is in force; each look is noted with the purpose of the sitting."""
    return _page(request, user, which, cursor)


@router.get("/new")
def new(request: Request, user: Applicant, person: str = "", plate: str = "") -> Response:
    """The form: basis, document, reason and end have to be said."""
    fields = {"subject": (person or plate)[:64], "subject_kind": "person" if person else "plate"}
    return _form(request, user, Outcome(), fields)


@router.post("/new")
def apply(request: Request, user: Applicant, form: Filled) -> Response:
    """Asks for an entry."""
    view = frame(request)

    def act() -> None:
        given = body(
            OrderAsked,
            subject_kind=form("subject_kind"),
            subject=form("subject"),
            legal_basis=form("legal_basis"),
            document_no=form("document_no"),
            applicant_org=form("applicant_org"),
            reason=form("reason"),
            rings=form.all("rings"),
            starts_at=None,
            ends_at=_last_moment(form.needed_day("last_day"), view),
            priority=form.number("priority"),
        )
        watchlist_orders.apply(rooms(request), request, user, given)

    outcome = refusal(act, "new", form)
    if outcome.refused:
        return _form(request, user, outcome, {})
    return RedirectResponse(f"{_START}?done=applied", 303)


@router.post("/applications/{application_id}/decision")
def decide(request: Request, user: Approver, application_id: str, form: Filled) -> Response:
    """Approves or refuses; never the applicant."""
    verdict = form("verdict")
    return _done(
        request,
        user,
        f"application-{application_id}",
        f"watch_{verdict}",
        lambda: watchlist_orders.decide(rooms(request), user, application_id, body(Decided, verdict=verdict)),
    )


@router.post("/applications/{application_id}/withdrawal")
def withdraw(request: Request, user: Applicant, application_id: str) -> Response:
    """The applicant takes it back."""
    return _done(
        request,
        user,
        f"application-{application_id}",
        "watch_withdrawn",
        lambda: watchlist_orders.withdraw(rooms(request), user, application_id),
    )


@router.get("/{entry_id}")
def entry(request: Request, user: Reader, entry_id: str) -> Response:
    """One entry, with what it hit for those who may know."""
    return _one(request, user, entry_id)


@router.post("/{entry_id}/renewal")
def prolong(request: Request, user: Applicant, entry_id: str, form: Filled) -> Response:
    """Asks that it goes on; a second person decides again."""
    view = frame(request)

    def act() -> None:
        given = body(
            RenewalAsked,
            document_no=form("document_no"),
            applicant_org=form("applicant_org"),
            reason=form("reason"),
            ends_at=_last_moment(form.needed_day("last_day"), view),
        )
        watchlist_orders.renew(rooms(request), request, user, entry_id, given)

    outcome = refusal(act, "renewal", form)
    if outcome.refused:
        return _one(request, user, entry_id, outcome)
    return RedirectResponse(f"{_START}?done=applied", 303)


@router.post("/{entry_id}/lifting")
def lift(request: Request, user: Applicant, entry_id: str) -> Response:
    """Ends it before its time (撤控)."""
    outcome = refusal(lambda: watchlist.lift(rooms(request), user, entry_id), "lift")
    if outcome.refused:
        return _one(request, user, entry_id, outcome)
    return RedirectResponse(f"{_START}?done=watch_lifted", 303)


def _last_moment(day: dt.date, view: Frame) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(23, 59, 59), view.zone)


def _done(request: Request, user: User, form: str, done: str, act: Callable[[], object]) -> Response:
    outcome = refusal(act, form)
    if outcome.refused:
        return _page(request, user, Which.IN_FORCE, None, outcome)
    return RedirectResponse(f"{_START}?done={done}", 303)


def _page(
    request: Request, user: User, which: Which, cursor: str | None, outcome: Outcome | None = None
) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    waiting = watchlist_orders.applications(
        here, user, Paging(None, _SHOWN), purpose, [ApplicationState.PENDING]
    ).items
    own = _own_decided(here, user, purpose)
    listed = watchlist.entries(here, user, Paging(cursor, _SHOWN), purpose, which)
    return render(
        view,
        "watchlist.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(_START),
        waiting=waiting,
        why_not={one.id: _why_not(user, one) for one in waiting},
        decided=own,
        entries=listed.items,
        older=listed.next_cursor,
        newest=cursor is None,
        which=which,
        kinds=list(Which),
        soon=view.now + SOON,
        may_apply=allowed(user, Action.WATCHLIST_APPLY),
        names=_names(here, [*waiting, *own, *listed.items]),
    )


def _own_decided(here: Rooms, user: User, purpose: Any) -> Sequence[ApplicationView]:
    """What became of one's own: an applicant learns it here."""
    if not allowed(user, Action.WATCHLIST_APPLY):
        return []
    states = [ApplicationState.REFUSED, ApplicationState.APPROVED]
    found = watchlist_orders.applications(here, user, Paging(None, 10), purpose, states).items
    return [one for one in found if one.details is not None and one.details.applicant == user.id]


def _why_not(user: User, application: ApplicationView) -> str | None:
    """Why this reader cannot decide; None where they can. The registry says no all the same."""
    details = application.details
    if details is not None and details.applicant == user.id:
        return "own"
    if not allowed(user, Action.WATCHLIST_APPROVE) or details is None:
        return "role"
    police = is_police_matter(application.subject_kind, details.legal_basis)
    if police and user.role != Role.POLICE:
        return "police"
    return None


def _names(here: Rooms, shown: Collection[ApplicationView | EntryView]) -> dict[str, str]:
    """Names of those who asked and decided, where the reader may know of the entry at all."""
    ids: set[str | None] = set()
    for one in shown:
        if one.details is not None:
            ids |= {one.details.applicant, getattr(one.details, "approver", None)}
            ids.add(getattr(one, "decided_by", None))
    with here.database.read() as session:
        return dict(registry_reads.user_names(session, ids))


def _one(request: Request, user: User, entry_id: str, outcome: Outcome | None = None) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    found = watchlist.entry(here, user, entry_id, purpose)
    hits = watchlist.hits(here, user, entry_id, purpose).items if found.details else []
    return render(
        view,
        "watchlist_entry.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        purpose=purpose,
        change=looking.change_at(f"{_START}/{entry_id}"),
        entry=found,
        hits=hits,
        names=_names(here, [found]),
        soon=view.now + SOON,
        latest=(max(view.now, found.ends_at) + LONGEST).astimezone(view.zone).date(),
        may_act=found.details is not None
        and allowed(user, Action.WATCHLIST_APPLY)
        and _may_lift(user, found),
    )


def _may_lift(user: User, found: EntryView) -> bool:
    details = found.details
    return details is not None and (
        user.role == Role.POLICE or not is_police_matter(found.subject_kind, details.legal_basis)
    )


def _form(request: Request, user: User, outcome: Outcome, fields: dict[str, str]) -> Response:
    view = frame(request)
    police = user.role == POLICE
    return render(
        view,
        "watchlist_new.html",
        status=outcome.status,
        outcome=outcome,
        typed=outcome.typed if outcome.refused else Typed({name: (value,) for name, value in fields.items()}),
        subjects=list(WatchlistSubject) if police else [WatchlistSubject.PLATE, WatchlistSubject.CREDENTIAL],
        bases=list(LegalBasis) if police else [one for one in LegalBasis if one not in POLICE_BASES],
        rings=list(Ring),
        priorities=PRIORITIES,
        police=police,
        today=view.now.astimezone(view.zone).date(),
        latest=(view.now + LONGEST).astimezone(view.zone).date(),
    )
