"""Cursor paging: newest first, stable while rows are added at the top; or by id."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from console.problems import ProblemError
from storage.columns import EPOCH, from_microseconds, to_microseconds

LIMIT_MAX = 200

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """Some items; `next_cursor` is None on the last page."""

    items: list[Item]
    next_cursor: str | None


class Paging:
    """What the client asked for: a cursor that we gave it, and how many items."""

    def __init__(
        self,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    ) -> None:
        self.limit = limit
        self.after = _decode(cursor) if cursor else None


Asked = Annotated[Paging, Depends()]


def newest_first(
    session: Session,
    query: Select[Row],
    order: tuple[InstrumentedAttribute[dt.datetime], InstrumentedAttribute[str]],
    paging: Paging,
    show: Callable[[Row], Item],
) -> tuple[list[Item], str | None]:
    """Runs the query ordered by (time, key), both falling; returns the items and the next cursor."""
    time, key = order
    if paging.after is not None:
        query = query.where(_below(time, key, paging.after))
    ordered = query.order_by(time.desc(), key.desc()).limit(paging.limit + 1)
    rows: Sequence[Row] = session.scalars(ordered).all()
    shown = rows[: paging.limit]
    if len(rows) <= paging.limit:
        return [show(row) for row in shown], None
    last = shown[-1]
    return [show(row) for row in shown], _encode(getattr(last, time.key), getattr(last, key.key))


def by_id(
    session: Session,
    query: Select[Row],
    key: InstrumentedAttribute[str],
    paging: Paging,
    show: Callable[[Row], Item],
) -> tuple[list[Item], str | None]:
    """Runs the query ordered by an id, rising; returns the items and the next cursor."""
    if paging.after is not None:
        query = query.where(key > paging.after[1])
    rows: Sequence[Row] = session.scalars(query.order_by(key).limit(paging.limit + 1)).all()
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    return [show(row) for row in shown], _encode(EPOCH, getattr(shown[-1], key.key)) if more else None


def _below(
    time: InstrumentedAttribute[dt.datetime], key: InstrumentedAttribute[str], after: tuple[dt.datetime, str]
) -> ColumnElement[bool]:
    return or_(time < after[0], and_(time == after[0], key < after[1]))


def _encode(moment: dt.datetime, key: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([to_microseconds(moment), key])).decode()


def _decode(cursor: str) -> tuple[dt.datetime, str]:
    try:
        raw: Any = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[int, str])
        return from_microseconds(raw[0]), raw[1]
    except (binascii.Error, ValueError, OverflowError) as error:
        raise ProblemError(400, "bad_cursor", "The cursor is none of ours") from error
