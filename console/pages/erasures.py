"""Erasures and their receipts: which places have forgotten, and which have not."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from console.accounts.models import User
from console.api import erasures
from console.api.paging import Paging
from console.context import rooms
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/erasures")
Reader = Annotated[User, may(Action.ERASURES_READ)]

_SHOWN = 50


@router.get("")
def erased(
    request: Request,
    user: Reader,
    show: str = "open",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Those that a place has still to confirm, or all; newest first."""
    only_open = show != "all"
    page = erasures.list_erasures(rooms(request), user, Paging(cursor, _SHOWN), is_open=only_open)
    return render(
        frame(request), "erasures.html", items=page.items, older=page.next_cursor, only_open=only_open
    )


@router.get("/{erasure_id}")
def receipt(request: Request, user: Reader, erasure_id: str) -> Response:
    """The receipt of one; the look is audited."""
    found = erasures.receipt(rooms(request), user, erasure_id)
    return render(frame(request), "erasure.html", receipt=found)
