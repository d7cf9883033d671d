"""What the history is filtered by: as an address, as a kept view, and as a question to the database.

There is no field for a person or a plate: an address lands in histories and logs, and a view is kept.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.datastructures import FormData, QueryParams

from alerts.history import Outcome, Quick, Sift, span_of
from alerts.incidents.lifecycle import FalseAlarmReason, State
from registry.models import Ring

# Ids of places, devices, kinds and rules: words of a machine, in which nobody's name can be.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Local = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$")]
_MANY: Final = 20

Some = Annotated[tuple[Code, ...], Field(max_length=_MANY)]
YesNo = Literal["yes", "no"] | None


class HistoryFilters(BaseModel):
    """One choice of incidents. Nothing chosen of a field wants all of it.

    `begins` and `ends` are the compound's local time, to the minute, and mean a span of one's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    span: Quick = Quick.DAY
    begins: Local | None = None
    ends: Local | None = None
    severity: Annotated[tuple[Annotated[int, Field(ge=1, le=4)], ...], Field(max_length=4)] = ()
    ring: Annotated[tuple[Ring, ...], Field(max_length=_MANY)] = ()
    zone: Some = ()
    kind: Some = ()
    rule: Some = ()
    state: Annotated[tuple[State, ...], Field(max_length=_MANY)] = ()
    outcome: Annotated[tuple[Outcome, ...], Field(max_length=_MANY)] = ()
    reason: Annotated[tuple[FalseAlarmReason, ...], Field(max_length=_MANY)] = ()
    device: Some = ()
    drill: YesNo = None
    reviewed: YesNo = None
    late: YesNo = None

    @model_validator(mode="before")
    @classmethod
    def _own_span(cls, given: Any) -> Any:
        """Whoever says from or to means these, whatever span stood there before."""
        if isinstance(given, dict) and (given.get("begins") or given.get("ends")):
            return {**given, "span": Quick.OWN}
        return given

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the span is chosen."""
        return not self.model_dump(exclude_defaults=True, exclude={"span", "begins", "ends"})

    def query(self, **changes: Any) -> str:
        """As an address says it, with some fields otherwise; what is as usual is left out."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        if "span" in changes:
            values.pop("begins", None)
            values.pop("ends", None)
        values |= changes
        return urlencode([(name, one) for name, value in values.items() for one in _each(value)])

    def kept(self) -> dict[str, Any]:
        """As a view keeps it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def sift(self, now: dt.datetime, zone: dt.tzinfo, shift: tuple[dt.datetime, dt.datetime] | None) -> Sift:
        """The question, its span by the compound's clock. Raises `ValueError` for a day that is none."""
        own = (_moment(self.begins, zone), _moment(self.ends, zone))
        start, end = span_of(self.span, now, zone, shift=shift, own=own)
        return Sift(
            start=start,
            end=end,
            severity=self.severity,
            ring=[str(one) for one in self.ring],
            zone=self.zone,
            kind=self.kind,
            rule=self.rule,
            state=[str(one) for one in self.state],
            outcome=[str(one) for one in self.outcome],
            reason=[str(one) for one in self.reason],
            device=self.device,
            drill=() if self.drill is None else (self.drill == "yes",),
            reviewed=None if self.reviewed is None else self.reviewed == "yes",
            late=None if self.late is None else self.late == "yes",
        )


def filters_of(given: QueryParams | FormData) -> HistoryFilters:
    """The filters that an address or a form holds; empty fields and those of others are passed over.

    Raises `ValueError` (pydantic's) for what is no filter.
    """
    values: dict[str, Any] = {}
    for name, field in HistoryFilters.model_fields.items():
        found = [one for one in given.getlist(name) if isinstance(one, str) and one]
        if found:
            values[name] = found if field.default == () else found[-1]
    return HistoryFilters.model_validate(values)


def _each(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _moment(local: str | None, zone: dt.tzinfo) -> dt.datetime | None:
    return None if local is None else dt.datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(dt.UTC)
