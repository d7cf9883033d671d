"""Column types that keep promises the database does not make by itself."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Dialect, LargeBinary, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage.keys import current_ring

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def to_microseconds(moment: dt.datetime) -> int:
    """Microseconds since 1970-01-01 UTC. The moment must carry a time zone."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> dt.datetime:
    """The aware UTC moment that `to_microseconds` came from."""
    return EPOCH + dt.timedelta(microseconds=value)


class UtcTime(TypeDecorator[dt.datetime]):
    """An aware UTC moment: `timestamptz` on PostgreSQL, integer microseconds on SQLite.

    SQLite has no time type and SQLAlchemy's own drops the zone; a naive moment is refused
    here rather than guessed at.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must carry a time zone")
        return value.astimezone(dt.UTC) if dialect.name == "postgresql" else to_microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            moment: dt.datetime = value
            return moment.astimezone(dt.UTC)
        return from_microseconds(int(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        # The same in one call: a report reads a hundred thousand of them.
        if dialect.name == "postgresql":
            return super().result_processor(dialect, coltype)
        epoch, span = EPOCH, dt.timedelta

        def moment(value: Any) -> dt.datetime | None:
            return None if value is None else epoch + span(0, 0, int(value))

        return moment


class EncodedJson(str):
    """JSON that is text already; `JsonText` stores it as it is."""

    __slots__ = ()


class JsonText(TypeDecorator[Any]):
    """A JSON value as text, encoded by msgspec (an order of magnitude below the ORM's own)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or type(value) is EncodedJson:
            return value
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else msgspec.json.decode(value)


class Encrypted(TypeDecorator[bytes]):
    """Bytes sealed with AES-256-GCM; the key lies outside the database (see `storage.keys`)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else current_ring().seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else current_ring().open(value)


class EncryptedText(TypeDecorator[str]):
    """A text sealed like `Encrypted`: names and phone numbers are not readable in the file."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else current_ring().seal(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else current_ring().open(value).decode()
