"""Receipts: the phone, the page or a program says that a letter came.

Nobody has to be signed in. A service worker shows letters for weeks after its user's session has ended, and a
receipt that is refused then would ring the next channel for nothing. What it names, a try's id, is 128 random
bits that only the letter carries: whoever knows it has had the letter. A receipt says nothing back, whether
there was such a try or not, and can do no more than end the ringing of its own letter.
"""

import threading
from collections import OrderedDict
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from alerts.notify.receipts import received
from console.accounts.limits import TooManyAttemptsError
from console.api.places import Here
from console.security import client_of

router = APIRouter(tags=["notifications"])

MOST: Final = 600
"""Receipts from one address in one minute: a control room's letters and a mobile network's phones."""

_ADDRESSES: Final = 5_000
_MINUTE_S: Final = 60


class Receipt(BaseModel):
    """`attempt` is the id that came with the letter."""

    attempt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Counter:
    """How many came from an address in the present minute. Safe to share between threads."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, address: str, second: int) -> None:
        """Raises `TooManyAttemptsError` beyond `MOST`."""
        minute = second // _MINUTE_S
        with self._lock:
            then, number = self._counts.pop(address, (minute, 0))
            number = number + 1 if then == minute else 1
            self._counts[address] = (minute, number)
            while len(self._counts) > _ADDRESSES:
                self._counts.popitem(last=False)
        if number > MOST:
            raise TooManyAttemptsError(_MINUTE_S - second % _MINUTE_S)


@router.post("/notifications/receipts", status_code=204)
def receipt(here: Here, request: Request, given: Receipt) -> Response:
    """Notes that a letter came; a second time changes nothing."""
    at = here.clock.now()
    counter: Counter | None = getattr(request.app.state, "receipts", None)
    if counter is None:
        request.app.state.receipts = counter = Counter()
    counter.count(client_of(request).address, int(at.timestamp()))
    with here.database.write() as session:
        received(session, given.attempt, at)
    return Response(status_code=204)
