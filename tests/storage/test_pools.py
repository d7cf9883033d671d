"""Connections of a process: so many and no more, under its name, and without state where a pooler shares them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ringward.poolmetrics import PoolMetrics
from ringward.settings import Settings
from storage import Database
from storage.database import IDLE_WRITER_S, Pool
from tests.support.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as database:
        yield database.url


def test_process_is_known_by_its_name(url: str) -> None:
    named = Database(url, name="ringward-keeper-relay")
    with named.read() as session:
        assert session.scalar(text("SHOW application_name")) == "ringward-keeper-relay"
    named.close()


def test_name_in_the_address_stands(url: str) -> None:
    named = Database(f"{url}&application_name=mine", name="ringward-keeper")
    with named.read() as session:
        assert session.scalar(text("SHOW application_name")) == "mine"
    named.close()


def test_no_more_connections_than_the_pool_allows(url: str) -> None:
    small = Database(url, pool=Pool(size=1, overflow=1, wait_s=0.05))
    metrics = CollectorRegistry()
    PoolMetrics(metrics, small)
    with small.read() as one, small.read() as two:
        one.execute(text("SELECT 1"))
        two.execute(text("SELECT 1"))
        assert metrics.get_sample_value("ringward_storage_connections_in_use") == 2
        assert metrics.get_sample_value("ringward_storage_connections_limit") == 2
        with pytest.raises(PoolTimeoutError), small.read() as three:
            three.execute(text("SELECT 1"))
    assert metrics.get_sample_value("ringward_storage_connections_in_use") == 0
    small.close()


@pytest.mark.parametrize("shared", [False, True])
def test_session_keeps_nothing_between_transactions_where_it_is_shared(url: str, shared: bool) -> None:
    database = Database(url, pool=Pool(size=1, overflow=0, shared=shared))
    for _ in range(20):
        with database.read() as session:
            # The server's own zone is Shanghai's.
            assert session.scalar(text("SHOW timezone")) == "UTC"
            moment = session.scalar(text("SELECT '9999-12-31T23:59:00Z'::timestamptz"))
            assert moment == dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.UTC)
        with database.write() as session:
            assert session.scalar(text("SHOW timezone")) == "UTC"
            assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == f"{IDLE_WRITER_S:g}s"
    with database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        assert (driver.prepare_threshold is None) is shared
        driver.autocommit = True
        assert (driver.execute("SHOW timezone").fetchone()[0] == "UTC") is not shared
        driver.autocommit = False
    database.close()


def test_role_has_as_many_connections_as_are_set_for_it() -> None:
    settings = Settings(database_pool=5, database_overflow=2, database_pool_roles="console=20,notify=4")
    assert settings.database_connections(["ingest"]) == Pool(5, 2)
    assert settings.database_connections(["console"]) == Pool(20, 2)
    assert settings.database_connections(["console", "notify", "relay"]) == Pool(20, 2)
