"""What somebody thinks of how it was handled: by a link that works once, or on their own page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident
from alerts.review import ratings
from console.accounts.models import User
from console.api import reviews
from console.api.reviews import RatingGiven
from console.context import rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.errors import MissingError, RefusedError

router = APIRouter()
Rater = Annotated[User, may(Action.RATE)]
Score = Annotated[str, Form(max_length=1)]
Words = Annotated[str, Form(max_length=2000)]

BY_LINK = "link"
"""The role of whoever holds a link: nobody is signed in."""


@router.get("/phone/ratings")
def own(request: Request, user: Rater) -> Response:
    return _own(request, user)


@router.post("/phone/ratings/{rating_id}")
def rate(request: Request, user: Rater, rating_id: str, score: Score = "", words: Words = "") -> Response:
    if score not in set("12345"):
        return _own(request, user, refused="score_range", status=422)
    given = RatingGiven(score=int(score), words=words.strip() or None)
    done = said(lambda: reviews.rate(rooms(request), user, rating_id, given))
    if done.refused:
        return _own(request, user, refused=done.refused, status=done.status)
    return RedirectResponse("/phone/ratings?thanks=1", 303)


@router.get("/rate/{token}")
def by_link(request: Request, token: str) -> Response:
    """The question behind a link; whoever holds it need not sign in."""
    return _asked(request, token)


@router.post("/rate/{token}")
def rate_by_link(request: Request, token: str, score: Score = "", words: Words = "") -> Response:
    here = rooms(request)
    if score not in set("12345"):
        return _asked(request, token, refused="score_range", status=422)
    at = here.clock.now()
    try:
        with here.database.write() as session:
            row = ratings.by_token(session, here.compound, token, at)
            # Who it is, is known as far as somebody was invited: the link alone names nobody.
            by = Actor(row.responder or row.id, BY_LINK)
            ratings.rate(session, row, int(score), words, by, at)
    except (MissingError, RefusedError):
        return _asked(request, token)
    return render(frame(request), "rating.html", asked=None, refused=None, thanks=True, token=token)


def _asked(request: Request, token: str, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    asked: dict[str, str] | None = None
    with here.database.read() as session:
        try:
            row = ratings.by_token(session, here.compound, token, here.clock.now())
        except MissingError:
            # Whether it ever was is nobody's to find out.
            status = 410
        else:
            incident = session.get_one(Incident, row.incident)
            places = names(session, here.compound)
            asked = {
                "kind": incident.kind,
                "zone": places.zone(incident.zone),
                "at": view.clock(incident.raised_at),
            }
    return render(view, "rating.html", status=status, asked=asked, refused=refused, thanks=False, token=token)


def _own(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        places = names(session, here.compound)
    return render(
        view,
        "ratings.html",
        status=status,
        asked=reviews.own_ratings(here, user),
        thanks=request.query_params.get("thanks") == "1",
        places=places,
        refused=refused,
    )
