"""A browser's push subscription: where its letters go, and with what they are sealed."""

from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from alerts.notify.channels.base64url import decode
from alerts.notify.channels.outward import ForbiddenAddressError, check_url

_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16


class InvalidSubscriptionError(ValueError):
    """No subscription of a browser; `code` says why: bad_url, bad_key."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Kept(msgspec.Struct):
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """`endpoint` is the push service's URL, `key` the browser's P-256 point, `auth` 16 bytes (RFC 8291)."""

    endpoint: str
    key: bytes
    auth: bytes


def written(endpoint: str, p256dh: str, auth: str) -> str:
    """A subscription as a contact's address. Raises `InvalidSubscriptionError`."""
    text = msgspec.json.encode(_Kept(endpoint, p256dh, auth)).decode()
    read(text)
    return text


def read(address: str) -> Subscription:
    """A contact's address as a subscription. Raises `InvalidSubscriptionError`."""
    try:
        kept = msgspec.json.decode(address, type=_Kept)
        check_url(kept.endpoint)
        key, auth = decode(kept.p256dh), decode(kept.auth)
    except ForbiddenAddressError as error:
        raise InvalidSubscriptionError(error.code) from None
    except (msgspec.MsgspecError, ValueError):
        raise InvalidSubscriptionError("bad_key") from None
    if len(key) != _POINT_BYTES or len(auth) != _AUTH_BYTES:
        raise InvalidSubscriptionError("bad_key")
    try:
        # A point that lies on no curve would give our key away bit by bit.
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        raise InvalidSubscriptionError("bad_key") from None
    return Subscription(kept.endpoint, key, auth)
