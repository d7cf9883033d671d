"""Forms of the registry: what was typed, read as what it has to be, and what came of it."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from console.context import ConsentMissingError, PhotoRefusedError
from console.problems import ProblemError
from registry.errors import MissingError, RefusedError, StaleEditError
from registry.faces.consents import GuardianRequiredError

_LONGEST: Final = 20_000
_CORRECTABLE: Final = frozenset({404, 409, 413, 422, 503})

Answer = TypeVar("Answer")
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form as text, without blanks around them; a field that is not there is empty."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, name: str, otherwise: str = "") -> str:
        found = self.fields.get(name)
        return found[-1] if found else otherwise

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be ticked several times."""
        return [value for value in self.fields.get(name, ()) if value]

    def text(self, name: str) -> str | None:
        """None where nothing was written."""
        return self(name) or None

    def day(self, name: str) -> dt.date | None:
        """Raises `date_unread` (422) for what is no day."""
        try:
            return dt.date.fromisoformat(self(name)) if self(name) else None
        except ValueError as error:
            raise ProblemError(422, "date_unread", "This is no day") from error

    def needed_day(self, name: str) -> dt.date:
        """Raises `date_missing` (422) where there is none."""
        day = self.day(name)
        if day is None:
            raise ProblemError(422, "date_missing", "A day is missing")
        return day

    def number(self, name: str) -> int:
        """Raises `form_incomplete` (422) for what is no whole number."""
        try:
            return int(self(name))
        except ValueError as error:
            raise ProblemError(422, "form_incomplete", "A number is missing") from error


async def _typed(request: Request) -> Typed:
    form = await request.form()
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields[name] = (*fields.get(name, ()), value.strip()[:_LONGEST])
    return Typed(fields)


Filled = Annotated[Typed, Depends(_typed)]
"""A form that was sent; read after it is known who sends it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a form: nothing yet, or why it was refused, in which of the page's forms."""

    refused: str | None = None
    form: str = ""
    status: int = 200
    typed: Typed = field(default_factory=Typed)

    def was(self, form: str, name: str, otherwise: object = "") -> str:
        """What stands in a field: what was typed where this form was refused, else what is known."""
        if self.refused is not None and self.form == form and name in self.typed.fields:
            return self.typed(name)
        return "" if otherwise is None else str(otherwise)

    def at(self, form: str) -> bool:
        """Whether this form is the one that was refused, and stays open."""
        return self.refused is not None and self.form == form


def body(kind: type[Body], /, **given: object) -> Body:
    """The body that the API takes. Raises `form_incomplete` (422) for what it would not take."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise ProblemError(422, "form_incomplete", "Something in the form is missing or too long") from error


def refusal(act: Callable[[], object], form: str, typed: Typed | None = None) -> Outcome:
    """Does something; the outcome holds the code of what can be put right by filling in otherwise."""
    code, status = "", 409
    try:
        act()
    except RefusedError as error:
        code = error.code
    except MissingError as error:
        code, status = f"{error.kind}_not_found", 404
    except StaleEditError:
        code = "stale"
    except GuardianRequiredError:
        code = "guardian_required"
    except ConsentMissingError:
        code, status = "consent_missing", 422
    except PhotoRefusedError as error:
        code, status = error.code, 422
    except ProblemError as error:
        if error.problem.status not in _CORRECTABLE:
            raise
        code, status = error.problem.code, error.problem.status
    return Outcome(code, form, status, typed or Typed()) if code else Outcome()
