"""Help: the guides that fit whoever asks, each a page to read, to search and to print."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from console import guides
from console.accounts.models import User
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import not_found

router = APIRouter(prefix="/help")
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]


@router.get("")
def shelf(request: Request, user: Anybody) -> Response:
    """The guides that fit the reader's work."""
    view = frame(request)
    fitting = guides.guides_for(user.role)
    shown = [(guide, guides.title(guide, view.lang)) for guide in fitting]
    return render(view, "guides.html", guides=shown)


@router.get("/pictures/{name}")
def picture(_: Anybody, name: str) -> Response:
    """A picture of a guide."""
    file = guides.picture(name)
    if file is None:
        raise not_found("picture")
    # Python's table of file types does not know WebP yet.
    kind = "image/webp" if file.suffix == ".webp" else None
    return FileResponse(file, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


@router.get("/{name}")
def guide(request: Request, _: Anybody, name: str) -> Response:
    """A guide in the reader's language; one leads to another whoever reads, since none is secret."""
    view = frame(request)
    found = guides.GUIDES.get(name)
    if found is None:
        raise not_found("guide")
    return render(view, "guide.html", page=guides.read(found, view.lang))
