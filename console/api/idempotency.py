"""`Idempotency-Key`: a creation that is sent twice happens once and is answered alike."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import JSONResponse
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.accounts.models import IdempotencyKey, User
from console.context import Rooms
from console.problems import ProblemError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = dt.timedelta(hours=24)

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under a key. `asked` stands for its method, path and body."""

    user: str
    key: str
    asked: str
    at: dt.datetime

    def recall(self, session: Session) -> JSONResponse | None:
        """The earlier answer. Raises a 422 problem when the key was used for another request."""
        row = session.get(IdempotencyKey, (self.user, self.key))
        if row is None or self.at - row.created_at > KEPT_FOR:
            return None
        if row.request_hash != self.asked:
            raise ProblemError(422, "idempotency_key_reused", "The key was used for another request")
        return JSONResponse(row.response, row.status, {REPLAYED: "true"})

    def remember(self, session: Session, answer: Answer) -> None:
        """Keeps an answer for a day, and forgets those that are older."""
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < self.at - KEPT_FOR))
        session.add(
            IdempotencyKey(
                user=self.user,
                key=self.key,
                request_hash=self.asked,
                status=answer[0],
                response=answer[1],
                created_at=self.at,
            )
        )
        session.flush()


def attempt(request: Request, user: User, body: Any, at: dt.datetime) -> Attempt | None:
    """The request's attempt, None where the client chose no key."""
    # A page's form carries its key in a field, which the page puts here.
    key = request.headers.get(HEADER, getattr(request.state, "idempotency_key", None))
    if key is None:
        return None
    if not 1 <= len(key) <= 128:
        raise ProblemError(400, "bad_idempotency_key", "The key has 1 to 128 characters")
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    asked = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + content).hexdigest()
    return Attempt(user.id, key, asked, at)


def once(
    rooms: Rooms, request: Request, user: User, body: Any, work: Callable[[Session, dt.datetime], Answer]
) -> JSONResponse:
    """Does `work` in one transaction together with its key, or repeats what was answered before.

    Only what succeeded is remembered: a refusal rolls the key back with everything else.
    """
    at = rooms.clock.now()
    trying = attempt(request, user, body, at)
    try:
        with rooms.database.write() as session:
            known = trying.recall(session) if trying else None
            if known is not None:
                return known
            status, answer = work(session, at)
            if trying:
                trying.remember(session, (status, answer))
            return JSONResponse(answer, status)
    except IntegrityError:
        # PostgreSQL let a twin of this request come first; its answer is ours.
        if trying is None:
            raise
        with rooms.database.read() as session:
            known = trying.recall(session)
        if known is None:
            raise
        return known
