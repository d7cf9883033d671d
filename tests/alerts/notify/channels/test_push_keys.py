"""The key by which push services know us is made once, and lies where only we read it."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from alerts.notify.channels.pushkeys import load_or_make, public_key


def test_the_key_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "push.pem"

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: public_key(load_or_make(path)), range(16)))

    assert len(found) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_browsers_are_given_the_point_they_subscribe_with(tmp_path: Path) -> None:
    text = public_key(load_or_make(tmp_path / "push.pem"))
    point = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    assert (len(point), point[0]) == (65, 4)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def test_another_sort_of_key_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "push.pem"
    other = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)

    with pytest.raises(TypeError, match=r"push\.pem"):
        load_or_make(path)
