"""How cameras do by operators' answers: thresholds to decide on, scores, and who is kept apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import face_exclusions, recognition_scores, threshold_proposals
from console.api.face_exclusions import ExclusionView
from console.api.paging import Page, Paging
from console.api.recognition_scores import ScoreView, ShareView
from console.api.threshold_proposals import ProposalDecided, ProposalVerdict, ProposalView
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.texts import Texts
from recognition.feedback.score import WINDOW
from recognition.models import ProposalState

router = APIRouter(prefix="/console/recognition")
Reader = Annotated[User, may(Action.RECOGNITION_READ)]
Decider = Annotated[User, may(Action.THRESHOLDS_DECIDE)]
Operator = Annotated[User, may(Action.FACE_EXCLUSIONS)]
Cursor = Annotated[str | None, Query(max_length=200)]

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal in words."""

    id: str
    camera: str
    shift: str
    why: str
    row: ProposalView


@dataclass(frozen=True, slots=True)
class Scored:
    """One camera's line."""

    camera: str
    engine: str
    passages: str
    answered: int
    false_of_judged: str
    false_of_named: str
    missed: str


@router.get("")
def overview(request: Request, user: Reader, cursor: Cursor = None) -> Response:
    """`cursor` pages through the pairs that are kept apart."""
    return _page(request, user, cursor)


@router.post("/proposals/{proposal_id}")
def decide(
    request: Request, user: Decider, proposal_id: str, verdict: Annotated[ProposalVerdict, Form()]
) -> Response:
    """Approves or refuses a threshold."""
    asked = ProposalDecided(verdict=verdict)
    return _back(
        request, user, said(lambda: threshold_proposals.decide(rooms(request), user, proposal_id, asked))
    )


@router.post("/exclusions/{exclusion_id}/lifting")
def lift(request: Request, user: Operator, exclusion_id: str) -> Response:
    """The two may be told apart by their faces again."""
    return _back(request, user, said(lambda: face_exclusions.lift(rooms(request), user, exclusion_id)))


def _back(request: Request, user: User, done: Said[Any]) -> Response:
    if done.answer is None:
        return _page(request, user, None, refused=done.refused, status=done.status)
    return RedirectResponse("/console/recognition", 303)


def _page(
    request: Request, user: User, cursor: str | None, *, refused: str | None = None, status: int = 200
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        known = names(session, here.compound)
    waiting = threshold_proposals.threshold_proposals(
        here, user, Paging(None, _SHOWN), state=ProposalState.OPEN
    )
    scores = recognition_scores.recognition(here, user)
    pairs: Page[ExclusionView] | None = None
    if allowed(user, Action.FACE_EXCLUSIONS):
        pairs = face_exclusions.face_exclusions(here, user, Paging(cursor, _SHOWN))
    return render(
        view,
        "recognition.html",
        status=status,
        refused=refused,
        proposals=[_proposed(view.t, row, known.device(row.device)) for row in waiting.items],
        scores=[_scored(view.t, row, known.device(row.device)) for row in scores.items],
        pairs=pairs,
        days=WINDOW.days,
    )


def _proposed(t: Texts, row: ProposalView, camera: str) -> Proposed:
    shift = t("recognition.shift", now=f"{row.shift_now:+.3f}", proposed=f"{row.shift_proposed:+.3f}")
    return Proposed(row.id, camera, shift, _why(t, row.grounds), row)


def _why(t: Texts, grounds: Mapping[str, Any]) -> str:
    """What a proposal rests on, as a sentence."""
    judged = grounds["right"] + grounds["false"]
    promised = _rate(grounds["promised"])
    if grounds["towards"] == "stricter":
        low = _rate(grounds["rate_low"])
        return t("proposal.stricter", judged=judged, false=grounds["false"], low=low, promised=promised)
    return t(
        "proposal.looser",
        judged=judged,
        high=_rate(grounds["rate_high"]),
        promised=promised,
        missed=grounds["missed"],
        asked=grounds["missed"] + grounds["strangers"],
    )


def _scored(t: Texts, row: ScoreView, camera: str) -> Scored:
    engine = f"{row.engine} {row.engine_version or ''}".strip() if row.engine else t("recognition.own_match")
    return Scored(
        camera,
        engine,
        f"{row.named} / {row.unnamed}",
        row.answered,
        _share(t, row.false_of_judged),
        _share(t, row.false_of_named),
        _share(t, row.missed_of_judged),
    )


def _share(t: Texts, share: ShareView) -> str:
    """The count first: a percentage of three answers looks like more than it is."""
    if share.value is None:
        return ""
    counted = t("recognition.of", count=share.count, of=share.of)
    return f"{counted} ({_rate(share.low)}–{_rate(share.high)})"


def _rate(value: float) -> str:
    """Two digits that count: 0.0012 is 0.12 %."""
    return f"{float(f'{100 * value:.2g}'):g} %"
