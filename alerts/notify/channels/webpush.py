"""Web Push (RFC 8030, 8291, 8292): to the browser of a phone, through whichever service it has.

The service in between carries what it cannot read, and cannot tell a long letter from a short one.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar, Final

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.channels.outward import Outward
from alerts.notify.channels.subscription import InvalidSubscriptionError, Subscription, read
from alerts.notify.models import ChannelKind
from storage.ids import content_id

PADDED: Final = 3072
"""Bytes of every letter before it is sealed; sealed it has 3,175 of the 4,096 that services carry."""
_TITLE_MAX: Final = 160
_BODY_MAX: Final = 480
_SIGNED_FOR: Final = dt.timedelta(hours=12)
_SIGNED_ANEW: Final = dt.timedelta(hours=11)
_TTL_MAX: Final = 4 * 7 * 86400


class WebPush:
    """Seals a letter for one subscription and hands it to that browser's push service."""

    kind: ClassVar[ChannelKind] = ChannelKind.WEB_PUSH
    stays_inside: ClassVar[bool] = False

    def __init__(
        self,
        outward: Outward,
        key: ec.EllipticCurvePrivateKey,
        contact: str,
        now: Callable[[], dt.datetime],
    ) -> None:
        """`contact` is the address at which a push service may complain: mailto: or https:."""
        self._outward = outward
        self._vapid = Vapid02(private_key=key)
        self._contact = contact
        self._now = now
        self._signed: dict[str, tuple[dt.datetime, str]] = {}

    async def send(self, to: Address, letter: Letter) -> Outcome:
        try:
            subscription = read(to.address)
        except InvalidSubscriptionError as error:
            return Outcome(Result.REFUSED, error.code)
        headers = {
            "Authorization": self._authorization(subscription.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, min(letter.ttl_s, _TTL_MAX))),
            "Urgency": "high" if letter.severity <= 2 else "normal",
        }
        if letter.tag is not None:
            # At most 32 characters of base64url, and nothing that says what it is about.
            headers["Topic"] = content_id("push", to.contact, letter.tag)[:32]
        return await self._outward.post(subscription.endpoint, sealed(subscription, letter), headers)

    def _authorization(self, endpoint: str) -> str:
        scheme, _, rest = endpoint.partition("://")
        origin = f"{scheme}://{rest.partition('/')[0]}"
        now = self._now()
        known = self._signed.get(origin)
        # A clock that was set back must not leave a signature that is good for too long.
        if known is not None and dt.timedelta(0) <= now - known[0] < _SIGNED_ANEW:
            return known[1]
        claims = {"aud": origin, "sub": self._contact, "exp": int((now + _SIGNED_FOR).timestamp())}
        token = str(self._vapid.sign(claims)["Authorization"])
        self._signed = {
            **{k: v for k, v in self._signed.items() if now - v[0] < _SIGNED_FOR},
            origin: (now, token),
        }
        return token


def sealed(subscription: Subscription, letter: Letter) -> bytes:
    """A letter as the subscription's browser alone can read it; always of the same length."""
    text = msgspec.json.encode(_content(letter))
    if len(text) > PADDED:
        # What it says comes before what can be pressed beneath it: whoever opens it has the buttons, too.
        text = msgspec.json.encode(_content(dataclasses.replace(letter, replies={}, dispatch=None)))
    if len(text) > PADDED:
        raise ValueError("a letter is short")
    # Blanks after JSON are nothing; what is sealed has one length whatever it says.
    padded = text.ljust(PADDED)
    return bytes(
        http_ece.encrypt(
            padded,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=subscription.key,
            auth_secret=subscription.auth,
            version="aes128gcm",
        )
    )


def _content(letter: Letter) -> dict[str, Any]:
    """What the service worker is given; see `console/static/worker.js`."""
    answers = {"dispatch": letter.dispatch, "words": dict(letter.replies)} if letter.replies else {}
    return {
        **answers,
        "attempt": letter.attempt,
        "title": letter.title[:_TITLE_MAX],
        "body": letter.body[:_BODY_MAX],
        "severity": letter.severity,
        "lang": letter.language,
        "path": (letter.path or "/phone")[:200],
        "tag": (letter.tag or letter.notification)[:100],
        "drill": letter.drill,
    }
