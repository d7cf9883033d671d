"""Web Push against a real server: read with the browser's own key, and every answer it can get."""

import base64
import datetime as dt
import json
import logging
from dataclasses import dataclass

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from receiving import HERE, BrowserKeys, Post, letter, post_office, to

from alerts.notify.channels.channel import Result
from alerts.notify.channels.outward import Outward
from alerts.notify.channels.webpush import WebPush


def opened(body: bytes, keys: BrowserKeys) -> bytes:
    """RFC 8291 and 8188, written down a second time: what a browser does."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    theirs, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    ours = keys.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = keys.private.exchange(ec.ECDH(), sender)

    def derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
        return HKDF(hashes.SHA256(), length, salt, info).derive(secret)

    ikm = derived(keys.auth, secret, b"WebPush: info\0" + ours + theirs, 32)
    key = derived(salt, ikm, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derived(salt, ikm, b"Content-Encoding: nonce\0", 12)
    return AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0").removesuffix(b"\x02")


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_by(header: str) -> tuple[dict, bytes]:
    """The claims of a VAPID header (RFC 8292) and the key that signed them; fails where it did not."""
    assert header.startswith("vapid ")
    parts = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
    signed, _, mark = parts["t"].rpartition(".")
    raw, point = unpadded(mark), unpadded(parts["k"])
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    key.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(unpadded(signed.split(".")[1])), point


@dataclass
class Watch:
    at: dt.datetime

    def now(self) -> dt.datetime:
        return self.at


@pytest.fixture
def watch(noon: dt.datetime) -> Watch:
    return Watch(noon)


@pytest.fixture
def channel(server_key: ec.EllipticCurvePrivateKey, watch: Watch) -> WebPush:
    return WebPush(Outward(HERE, deadline_s=5), server_key, "mailto:ops@example.com", watch.now)


async def test_only_the_subscribed_browser_can_read_what_is_pushed(
    channel: WebPush, browser_keys: BrowserKeys
) -> None:
    async with post_office() as post:
        outcome = await channel.send(to(browser_keys.address(post.url())), letter())

    assert outcome.result is Result.HANDED_OVER
    said = json.loads(opened(post.taken[0].body, browser_keys))
    assert said["attempt"] == "a" * 32
    assert said["title"] == "能去吗？门被强行打开"
    assert "门被强行打开".encode() not in post.taken[0].body


async def test_a_letter_carries_how_long_and_how_urgent_it_is(
    channel: WebPush, browser_keys: BrowserKeys
) -> None:
    async with post_office() as post:
        for severity in (1, 2, 3, 4):
            await channel.send(to(browser_keys.address(post.url())), letter(severity=severity))

    assert [one.headers["urgency"] for one in post.taken] == ["high", "high", "normal", "normal"]
    assert {one.headers["ttl"] for one in post.taken} == {"120"}
    assert post.taken[0].headers["content-encoding"] == "aes128gcm"


async def test_a_newer_letter_of_a_tag_replaces_the_older_one_and_the_topic_says_nothing(
    channel: WebPush, browser_keys: BrowserKeys
) -> None:
    async with post_office() as post:
        for tag in ("incident-7", "incident-7", "incident-8"):
            await channel.send(to(browser_keys.address(post.url())), letter(tag=tag))

    first, second, third = (one.headers["topic"] for one in post.taken)
    assert first == second != third
    assert len(first) <= 32
    assert "incident" not in first


async def test_the_service_knows_who_sends_and_for_how_long(
    channel: WebPush, browser_keys: BrowserKeys, server_key: ec.EllipticCurvePrivateKey, noon: dt.datetime
) -> None:
    async with post_office() as post:
        await channel.send(to(browser_keys.address(post.url())), letter())
        authorization = post.taken[0].headers["authorization"]

    claims, point = signed_by(authorization)
    assert claims["aud"] == f"http://127.0.0.1:{post.port}"
    assert claims["sub"] == "mailto:ops@example.com"
    assert 0 < claims["exp"] - noon.timestamp() <= 24 * 3600
    assert point == server_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises((InvalidSignature, ValueError)):
        signed_by(authorization.replace("t=", "t=x", 1))


async def test_a_signature_is_made_anew_before_it_ends_and_after_a_clock_was_set_back(
    channel: WebPush, browser_keys: BrowserKeys, watch: Watch, noon: dt.datetime
) -> None:
    async with post_office() as post:
        for hours in (0, 1, 12, -5):
            watch.at = noon + dt.timedelta(hours=hours)
            await channel.send(to(browser_keys.address(post.url())), letter())

    ends = [signed_by(one.headers["authorization"])[0]["exp"] for one in post.taken]
    at = [noon.timestamp() + hours * 3600 for hours in (0, 1, 12, -5)]
    assert ends[0] == ends[1]
    assert all(0 < end - moment <= 24 * 3600 for end, moment in zip(ends, at, strict=True))


@pytest.mark.parametrize("body", ["", "x", "长" * 5000])
async def test_the_length_of_what_is_sent_tells_nothing(
    channel: WebPush, browser_keys: BrowserKeys, body: str
) -> None:
    async with post_office() as post:
        await channel.send(to(browser_keys.address(post.url())), letter(body=body))
        await channel.send(to(browser_keys.address(post.url())), letter())

    lengths = {len(one.body) for one in post.taken}
    assert len(lengths) == 1
    assert lengths.pop() <= 4096


ANSWERS = [
    (200, {}, Result.HANDED_OVER, None, None),
    (201, {}, Result.HANDED_OVER, None, None),
    (301, {"Location": "http://127.0.0.1:1/"}, Result.REFUSED, "redirect", None),
    (307, {"Location": "http://169.254.169.254/latest"}, Result.REFUSED, "redirect", None),
    (400, {}, Result.REFUSED, "refused", None),
    (401, {}, Result.REFUSED, "not_allowed", None),
    (403, {}, Result.REFUSED, "not_allowed", None),
    (404, {}, Result.GONE, "gone", None),
    (410, {}, Result.GONE, "gone", None),
    (413, {}, Result.REFUSED, "too_large", None),
    (429, {"Retry-After": "30"}, Result.TOO_MANY, "too_many", 30),
    (429, {}, Result.TOO_MANY, "too_many", None),
    (429, {"Retry-After": "99999999"}, Result.TOO_MANY, "too_many", 3600),
    (429, {"Retry-After": "nan"}, Result.TOO_MANY, "too_many", None),
    (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, Result.TOO_MANY, "too_many", None),
    (500, {}, Result.FAILED, "server_error", None),
    (503, {"Retry-After": "7"}, Result.FAILED, "server_error", 7),
]


@pytest.mark.parametrize(("status", "headers", "result", "error", "pause"), ANSWERS)
async def test_what_a_push_service_answers_is_told_honestly(
    channel: WebPush,
    browser_keys: BrowserKeys,
    status: int,
    headers: dict[str, str],
    result: Result,
    error: str | None,
    pause: float | None,
) -> None:
    async with post_office(lambda post: _answers(post, status, headers)) as post:
        outcome = await channel.send(to(browser_keys.address(post.url())), letter())

    assert (outcome.result, outcome.error, outcome.retry_after_s) == (result, error, pause)
    assert len(post.taken) == 1


async def test_a_service_that_hangs_may_have_taken_it(
    server_key: ec.EllipticCurvePrivateKey, browser_keys: BrowserKeys, watch: Watch
) -> None:
    hurried = WebPush(Outward(HERE, deadline_s=0.3), server_key, "mailto:a@example.com", watch.now)
    async with post_office(lambda post: _answers(post, None, {})) as post:
        outcome = await hurried.send(to(browser_keys.address(post.url())), letter())

    assert (outcome.result, outcome.error) == (Result.UNCERTAIN, "timeout")


async def test_a_service_that_is_not_there_has_taken_nothing(
    channel: WebPush, browser_keys: BrowserKeys
) -> None:
    async with post_office() as post:
        url = post.url()

    outcome = await channel.send(to(browser_keys.address(url)), letter())

    assert outcome.result is Result.FAILED


async def test_one_connection_serves_many_letters(channel: WebPush, browser_keys: BrowserKeys) -> None:
    async with post_office() as post:
        for _ in range(5):
            await channel.send(to(browser_keys.address(post.url())), letter())

    assert (len(post.taken), post.connections) == (5, 1)


async def test_an_answer_without_end_is_not_read(channel: WebPush, browser_keys: BrowserKeys) -> None:
    async with post_office(lambda post: setattr(post, "answer", b"x" * 5_000_000)) as post:
        outcome = await channel.send(to(browser_keys.address(post.url())), letter())

    assert outcome.result is Result.HANDED_OVER


async def test_no_log_names_where_somebodys_phone_is(
    channel: WebPush, browser_keys: BrowserKeys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with post_office() as post:
        await channel.send(to(browser_keys.address(post.url("/push/secret-token"))), letter())

    assert len(post.taken) == 1
    assert "secret-token" not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["", "{}", "not json", '{"endpoint":"http://127.0.0.1/","p256dh":"AAAA","auth":"AAAA"}'],
)
async def test_what_is_no_subscription_is_never_sent(channel: WebPush, address: str) -> None:
    outcome = await channel.send(to(address), letter())

    assert outcome.result is Result.REFUSED


def _answers(post: Post, status: int | None, headers: dict[str, str]) -> None:
    post.status, post.headers = status, headers
