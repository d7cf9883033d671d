import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import StatementError

from storage import Database, UtcTime
from storage.columns import from_microseconds, to_microseconds

moments = Table(
    "moments", MetaData(), Column("id", BigInteger().with_variant(String, "sqlite"), primary_key=True),
    Column("at", UtcTime),
)  # fmt: skip
EAST = dt.timezone(dt.timedelta(hours=8))
any_moment = st.datetimes(timezones=st.sampled_from([dt.UTC, EAST, dt.timezone(dt.timedelta(hours=-11))]))


@pytest.fixture
def made(either_database: Database) -> Database:
    moments.create(either_database.engine)
    return either_database


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_microseconds_lose_nothing(moment: dt.datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


def test_naive_time_is_refused(made: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), made.write() as session:
        session.execute(insert(moments).values(id=1, at=dt.datetime(2026, 11, 23, 12)))
    with made.read() as session:
        assert session.execute(select(moments)).all() == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    # An offset may carry a moment at the rim of the calendar over it; devices' times are normalised before.
    any_moment.filter(lambda moment: 2 <= moment.year <= 9998)
    | st.just(dt.datetime.max.replace(tzinfo=dt.UTC))
    | st.just(dt.datetime.min.replace(tzinfo=dt.UTC))
)
def test_moment_comes_back_as_the_same_moment_in_utc(made: Database, moment: dt.datetime) -> None:
    with made.read() as session:
        session.execute(insert(moments).values(id=1, at=moment))
        back = session.scalar(select(moments.c.at))
    assert back == moment
    assert back.tzinfo is dt.UTC


def test_absent_time_stays_absent(made: Database) -> None:
    with made.write() as session:
        session.execute(insert(moments).values(id=1, at=None))
    with made.read() as session:
        assert session.scalar(select(moments.c.at)) is None


def test_order_in_the_database_is_order_in_time(made: Database) -> None:
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=EAST)
    with made.write() as session:
        session.execute(
            insert(moments),
            [
                {"id": 1, "at": noon + dt.timedelta(microseconds=1)},
                {"id": 2, "at": dt.datetime(1969, 7, 20, tzinfo=dt.UTC)},
                {"id": 3, "at": noon.astimezone(dt.UTC)},
            ],
        )
    with made.read() as session:
        assert [int(key) for key in session.scalars(select(moments.c.id).order_by(moments.c.at))] == [2, 3, 1]


def test_postgresql_keeps_a_real_timestamp(postgres) -> None:
    with postgres.database() as database:
        moments.create(database.engine)
        kind = text(
            "SELECT data_type FROM information_schema.columns WHERE table_name='moments' AND column_name='at'"
        )
        with database.read() as session:
            assert session.scalar(kind) == "timestamp with time zone"
