"""The rules of the compound: how it is run, what each rule does here, how right it is, and what is silent."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.rules import Mode
from console.accounts.models import User
from console.api import mutes, operating_modes, rule_health, rule_trials, rules
from console.api.mutes import MuteAsked
from console.api.operating_modes import ModeAsked
from console.api.rule_health import RuleProposalDecided, RuleProposalState, RuleVerdict
from console.api.rule_trials import TrialAsked
from console.api.rules import FindingView, RulesFileAsked, RulesTextAsked, RuleView
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.staffnames import of
from console.pages.view import frame, render
from console.permissions import Action, may
from console.security import recently_proved
from registry.errors import StaleEditError

router = APIRouter(prefix="/console/rules")
Reader = Annotated[User, may(Action.RULES_READ)]
Editor = Annotated[User, may(Action.RULES_EDIT)]
Muter = Annotated[User, may(Action.RULES_MUTE)]
Asker = Annotated[User, may(Action.MODES_ASK)]
Approver = Annotated[User, may(Action.MODES_APPROVE)]

_GROUPS = {"E": "entrance", "C": "common", "B": "building", "X": "across", "D": "system"}


@dataclass(frozen=True, slots=True)
class Group:
    """Rules of one ring, across rings, or about devices."""

    name: str
    rules: Sequence[RuleView]


@router.get("")
def overview(request: Request, user: Reader) -> Response:
    return _page(request, user)


@router.post("/modes")
def ask_mode(
    request: Request,
    user: Asker,
    mode: Annotated[str, Form()] = "",
    hours: Annotated[float, Form()] = 0,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Asks for a mode; another approves it."""
    if mode not in {Mode.HEIGHTENED, Mode.EMERGENCY} or not 0.25 <= hours <= 72 or not reason.strip():
        return _page(request, user, refused="mode_incomplete", status=422)
    asked = ModeAsked(mode=Mode(mode), hours=hours, reason=reason.strip())
    return _back(request, user, said(lambda: operating_modes.ask_mode(rooms(request), request, user, asked)))


@router.post("/modes/{mode_id}/approval")
def approve_mode(request: Request, user: Approver, mode_id: str) -> Response:
    return _back(request, user, said(lambda: operating_modes.approve_mode(rooms(request), user, mode_id)))


@router.post("/modes/{mode_id}/end")
def end_mode(request: Request, user: Asker, mode_id: str) -> Response:
    return _back(request, user, said(lambda: operating_modes.end_mode(rooms(request), user, mode_id)))


@router.post("/mutes")
def mute(
    request: Request,
    user: Muter,
    rule: Annotated[str, Form(max_length=16)] = "",
    place: Annotated[str, Form(max_length=64)] = "",
    hours: Annotated[float, Form()] = 0,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Silences a rule for some hours, at a place or everywhere."""
    here = rooms(request)
    if not rule or not 0 < hours <= 31 * 24 or not reason.strip():
        return _page(request, user, refused="mute_incomplete", status=422)
    asked = MuteAsked(
        rule=rule,
        place=place.strip() or None,
        ends_at=here.clock.now() + dt.timedelta(hours=hours),
        reason=reason.strip(),
    )
    return _back(request, user, said(lambda: mutes.make_mute(here, request, user, asked)))


@router.post("/mutes/{mute_id}/lifting")
def lift(request: Request, user: Muter, mute_id: str) -> Response:
    return _back(request, user, said(lambda: mutes.lift_mute(rooms(request), user, mute_id)))


@router.post("/proposals/{proposal_id}")
def decide(
    request: Request, user: Editor, proposal_id: str, verdict: Annotated[RuleVerdict, Form()]
) -> Response:
    """Approves what is proposed, which changes the rules, or refuses it."""
    asked = RuleProposalDecided(verdict=verdict)
    return _back(
        request,
        user,
        said(lambda: rule_health.decide_rule_proposal(rooms(request), user, proposal_id, asked)),
    )


@router.get("/file")
def file(request: Request, user: Reader) -> Response:
    """The rules file, to read and for those who may to change."""
    kept = rules.rules_file(rooms(request), user)
    return _file_page(request, user, kept.text, kept.number)


@router.post("/file")
def set_file(
    request: Request,
    user: Editor,
    *,
    text: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=200)] = "",
    since: Annotated[int, Form(ge=0)] = 0,
    check: Annotated[str, Form()] = "",
    days: Annotated[int, Form()] = 0,
) -> Response:
    """Checks a draft, tries it on the last `days`, or puts it in force.

    What is wrong stands beside the text, which stays as typed.
    """
    here, language = rooms(request), frame(request).t.lang
    # Browsers send lines as CR LF.
    text = text.replace("\r\n", "\n")
    found = rules.check_rules(here, user, RulesTextAsked(text=text), language)
    if check or found.errors:
        status = 422 if found.errors and not check else 200
        return _file_page(request, user, text, since, found.findings, checked=True, note=note, status=status)
    try:
        if days:
            draft = TrialAsked(since=since, days=days, text=text)
            begun = said(lambda: rule_trials.ask_trial(here, user, draft, language))
            if begun.answer is not None:
                return RedirectResponse(f"/console/rules/trials/{begun.answer.id}", 303)
            return _file_page(
                request, user, text, since, found.findings, refused=begun.refused, note=note, status=409
            )
        if not note.strip():
            return _file_page(request, user, text, since, found.findings, refused="why_required", status=422)
        if not recently_proved(request):
            return _file_page(
                request, user, text, since, found.findings, refused="proof_first", note=note, status=403
            )
        asked = RulesFileAsked(text=text, note=note.strip(), since=since)
        done = said(lambda: rules.set_rules_file(here, user, asked, language))
    except StaleEditError as error:
        return _file_page(request, user, text, error.version, stale=True, note=note, status=409)
    if done.answer is None:
        return _file_page(
            request, user, text, since, found.findings, refused=done.refused, note=note, status=409
        )
    return RedirectResponse("/console/rules", 303)


def _back(request: Request, user: User, done: Said[Any]) -> Response:
    if done.answer is None:
        return _page(request, user, refused=done.refused, status=done.status)
    return RedirectResponse("/console/rules", 303)


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        known = names(session, here.compound)
    shown = rules.rules(here, user, view.t.lang)
    ordered = sorted(shown.rules, key=lambda rule: (list(_GROUPS).index(rule.id[2]), rule.id))
    return render(
        view,
        "rules.html",
        status=status,
        refused=refused,
        shown=shown,
        groups=[
            Group(_GROUPS[letter], list(some))
            for letter, some in groupby(ordered, key=lambda rule: rule.id[2])
        ],
        modes=operating_modes.operating_modes(here, user),
        mutes=mutes.list_mutes(here, user),
        proposals=rule_health.rule_proposals(here, user, state=RuleProposalState.OPEN),
        held=rule_health.held_report(here, user),
        devices=known,
        mutable=[rule for rule in shown.rules if not rule.safety],
    )


def _file_page(
    request: Request,
    user: User,
    text: str,
    number: int,
    findings: Sequence[FindingView] = (),
    *,
    checked: bool = False,
    refused: str | None = None,
    note: str = "",
    stale: bool = False,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    versions = rules.rule_versions(here, user)
    with here.database.read() as session:
        authors = of(session, [one.author for one in versions])
    return render(
        view,
        "rules_file.html",
        status=status,
        refused=refused,
        text=text,
        number=number,
        findings=findings,
        checked=checked,
        note=note,
        stale=versions[0] if stale and versions else None,
        versions=versions,
        authors=authors,
    )
