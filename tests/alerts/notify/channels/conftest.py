"""A browser's keys and a clock for the channels."""

import datetime as dt
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from receiving import BrowserKeys


@pytest.fixture
def browser_keys() -> BrowserKeys:
    return BrowserKeys(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


@pytest.fixture
def server_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def noon() -> dt.datetime:
    return dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
