"""What a page shows of an API function's refusal: its code, which the catalogues have words for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from console.problems import ProblemError
from registry.errors import MissingError, RefusedError

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Said(Generic[Answer]):
    """An answer, or the code and the HTTP status of the refusal."""

    answer: Answer | None
    refused: str | None = None
    status: int = 200


def said(ask: Callable[[], Answer]) -> Said[Answer]:
    """Asks, and turns what can be put right by asking otherwise into a code; the rest is raised."""
    try:
        return Said(ask())
    except RefusedError as error:
        return Said(None, error.code, 409)
    except MissingError as error:
        return Said(None, f"{error.kind}_not_found", 404)
    except ProblemError as error:
        if error.problem.status not in {404, 409, 422}:
            raise
        return Said(None, error.problem.code, error.problem.status)
