"""Asking the database for many things at once, in statements that every database takes."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.orm import Session

_MOST: Final = 900
"""Values that one statement asks for."""


def rows(
    session: Session, ids: Collection[str], query: Callable[[list[str]], Select[*tuple[Any, ...]]]
) -> Iterator[Any]:
    """The rows of a query about these ids; none, no query."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), _MOST):
        yield from session.execute(query(wanted[start : start + _MOST]))
