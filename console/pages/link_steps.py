"""Whether incidents are one thing: a guessed link, a proposal, a merge that is undone again."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from alerts.incidents import linking, merging, proposals
from alerts.incidents.actions import IncidentNotFoundError
from alerts.incidents.models import IncidentMerge, MergeProposal
from console.accounts.models import User
from console.context import rooms
from console.pages.incident import act_on
from console.permissions import Action, may
from console.security import as_actor
from registry.errors import RefusedError

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]
Version = Annotated[int, Form(ge=0)]
Id = Annotated[str, Form(max_length=32)]

_LINK: Final = {"right": linking.right, "wrong": linking.wrong}


@router.post("/{incident_id}/link")
def link(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    answer: Annotated[str, Form()] = "",
) -> Response:
    """Whether what was linked by nearness is one thing; where it is not, it comes apart."""
    here = rooms(request)

    def act(session: Session) -> None:
        if answer not in _LINK:
            raise RefusedError("link_unanswered")
        say = _LINK[answer]
        say(session, here.compound, incident_id, as_actor(user), here.clock.now(), expected_version=version)

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/proposals/{proposal_id}")
def decide(
    request: Request,
    user: Decider,
    incident_id: str,
    proposal_id: str,
    *,
    verdict: Annotated[str, Form()] = "",
    into: Id = "",
    target_version: Version = 0,
    source_version: Version = 0,
) -> Response:
    """Merges into the one that the preview named, or says that they are two things."""
    here = rooms(request)

    def act(session: Session) -> None:
        if verdict not in {"merge", "refuse"}:
            raise RefusedError("proposal_unanswered")
        row = session.get(MergeProposal, proposal_id)
        if row is None or incident_id not in {row.first, row.second}:
            raise IncidentNotFoundError(proposal_id)
        merges = verdict == "merge"
        proposals.decide(
            session,
            here.compound,
            proposal_id,
            as_actor(user),
            here.clock.now(),
            target_id=into if merges else None,
            target_version=target_version if merges else None,
            source_version=source_version if merges else None,
        )

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/merges/{merge_id}/undo")
def undo(request: Request, user: Decider, incident_id: str, merge_id: str) -> Response:
    """Takes a merge apart again."""
    here = rooms(request)

    def act(session: Session) -> None:
        made = session.get(IncidentMerge, merge_id)
        if made is None or made.target != incident_id:
            raise IncidentNotFoundError(merge_id)
        merging.undo(session, here.compound, merge_id, as_actor(user), here.clock.now())

    return act_on(request, incident_id, act)
