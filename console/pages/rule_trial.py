"""A draft of the rules on trial: how far the past is read, what would be different, and saving it."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.rulebook import versions
from alerts.rulebook.versions import BadRulesError
from console.accounts.models import User
from console.api import rule_trials
from console.api.rule_trials import TrialSaved, TrialView
from console.context import rooms
from console.pages.places import names
from console.pages.registry_reads import user_names
from console.pages.view import Frame, frame, is_fragment, render
from console.permissions import Action, may
from registry.errors import RefusedError, StaleEditError

router = APIRouter(prefix="/console/rules/trials")
Editor = Annotated[User, may(Action.RULES_EDIT)]
Saver = Annotated[User, may(Action.RULES_EDIT, proven=True)]

_PARTS = ("gone", "new", "graver", "milder", "later", "earlier")


@router.get("/{trial_id}")
def page(request: Request, user: Editor, trial_id: str) -> Response:
    """How far it is, or what would be different; htmx asks for the part that changes."""
    return _page(request, user, trial_id)


@router.post("/{trial_id}/cancelling")
def cancel(request: Request, user: Editor, trial_id: str) -> Response:
    shown = rule_trials.cancel_trial(rooms(request), user, trial_id)
    return RedirectResponse(_above(shown), 303)


@router.post("/{trial_id}/saving")
def save(
    request: Request,
    user: Saver,
    trial_id: str,
    note: Annotated[str, Form(max_length=versions.NOTE_LONGEST)] = "",
) -> Response:
    """Puts the draft in force, where nobody has changed the rules since it was tried."""
    here = rooms(request)
    if not note.strip():
        return _page(request, user, trial_id, refused="why_required", status=422)
    try:
        kept = rule_trials.save_trial(here, user, trial_id, TrialSaved(note=note.strip()))
    except StaleEditError:
        return _page(request, user, trial_id, note=note, status=409)
    except (RefusedError, BadRulesError) as error:
        refused = error.code if isinstance(error, RefusedError) else "rules_refused"
        return _page(request, user, trial_id, refused=refused, note=note, status=409)
    shown = rule_trials.rule_trial(here, user, trial_id)
    return RedirectResponse(f"{_above(shown)}?saved={kept.number}", 303)


def _above(trial: TrialView) -> str:
    """The page that it was asked for on."""
    return f"/console/rules/{trial.rule}" if trial.rule else "/console/rules/file"


def _page(
    request: Request,
    user: User,
    trial_id: str,
    *,
    refused: str | None = None,
    note: str = "",
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    shown = rule_trials.rule_trial(here, user, trial_id)
    with here.database.read() as session:
        newest = versions.newest(session, here.compound)
        number = newest.number if newest is not None else 0
        # What came between is said with whose it is, so that somebody can be asked.
        meanwhile = None if newest is None or number == shown.base else (number, newest.at, newest.note or "")
        wanted = [shown.asked_by, newest.author if newest is not None else None]
        people = user_names(session, wanted)
        by = newest.author if newest is not None else ""
        known = names(session, here.compound)
    result = shown.result or {}
    return render(
        view,
        "fragments/rule_trial.html" if is_fragment(request) else "rule_trial.html",
        status=status,
        trial=shown,
        asker=people.get(shown.asked_by, shown.asked_by),
        days=round((shown.ends_at - shown.starts_at) / dt.timedelta(days=1)),
        meanwhile=meanwhile if shown.kept_as is None else None,
        meanwhile_by=people.get(by, by),
        sentence=_sentence(view, result) if result else "",
        differences=[
            one | {"at": dt.datetime.fromisoformat(one["at"])} for one in result.get("differences", [])
        ],
        places=known,
        back=_above(shown),
        refused=refused,
        note=note,
    )


def _sentence(view: Frame, result: dict[str, Any]) -> str:
    """What would be different, in one sentence."""
    whole, t = result["whole"], view.t
    parts = [t(f"rule_trial.part.{name}", n=whole[name]) for name in _PARTS if whole[name]]
    if not parts:
        return t("rule_trial.same" if whole["current"] else "rule_trial.quiet", n=result["same"])
    return t("rule_trial.different", parts=t("list.comma").join(parts), n=result["same"])
