"""The key pair by which push services know us (VAPID, RFC 8292): made once, kept beside the other keys.

Whoever has it can send to every phone that subscribed here, so it lies in a file of mode 0600, never
in the database and never in a log. Without it every phone has to subscribe anew.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from alerts.notify.channels.base64url import encode
from storage.secretfile import make_once


def load_or_make(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key of the file; made on the first call, by whichever process comes first."""
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        make_once(path, pem.decode("ascii"))
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TypeError(f"{path} holds no P-256 key")
    return key


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """What browsers subscribe with: the uncompressed point, base64url."""
    return encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
