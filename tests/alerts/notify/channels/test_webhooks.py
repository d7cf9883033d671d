"""Webhooks: verified as a receiver would, with what the guide says and nothing of ours."""

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import HERE, Taken, letter, post_office, to

from alerts.notify.channels.channel import Result
from alerts.notify.channels.outward import Outward
from alerts.notify.channels.webhook import Webhook

SECRET = "3f2a-a-long-enough-secret"
GUIDES = [Path(__file__).parents[4] / "docs" / f"integrators-guide{end}.md" for end in ("", ".zh-CN")]


@pytest.fixture
def channel(noon: dt.datetime) -> Webhook:
    return Webhook(Outward(HERE, deadline_s=5), lambda: noon)


def example_of(guide: Path) -> Callable[..., bool]:
    """The function that a guide tells receivers to write."""
    example = re.search(r"```python\n(import hashlib.*?def is_ours.*?)```", guide.read_text(), re.DOTALL)
    assert example is not None
    room: dict = {}
    exec(compile(example[1], str(guide), "exec"), room)
    return room["is_ours"]


def body_in(guide: Path) -> dict:
    """The body that a guide shows."""
    shown = re.search(r"```json\n(\{[^`]*?\"ringward\.incident\"[^`]*?)```", guide.read_text())
    assert shown is not None
    return json.loads(shown[1])


async def sent(channel: Webhook, **changes: object) -> Taken:
    async with post_office() as post:
        outcome = await channel.send(to(post.url("/hook"), secret=SECRET), letter(**changes))
    assert outcome.result is Result.HANDED_OVER
    return post.taken[0]


async def test_a_receiver_can_tell_that_it_is_ours(channel: Webhook, noon: dt.datetime) -> None:
    taken = await sent(channel)

    signed = f"{taken.headers['ringward-id']}.{taken.headers['ringward-timestamp']}.".encode() + taken.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert taken.headers["ringward-signature"] == f"v1={expected}"
    assert int(taken.headers["ringward-timestamp"]) == noon.timestamp()


@pytest.mark.parametrize("guide", GUIDES, ids=["en", "zh"])
async def test_the_guides_own_example_accepts_ours_and_refuses_what_was_changed(
    channel: Webhook, noon: dt.datetime, guide: Path
) -> None:
    is_ours = example_of(guide)
    taken = await sent(channel)
    now = noon.timestamp()

    assert is_ours(taken.headers, taken.body, SECRET, now=now)
    assert not is_ours(taken.headers, taken.body.replace(b"1", b"2"), SECRET, now=now)
    assert not is_ours(taken.headers, taken.body, SECRET + "x", now=now)
    assert not is_ours(taken.headers, taken.body, SECRET, now=now + 301)
    assert not is_ours(taken.headers | {"ringward-id": "other"}, taken.body, SECRET, now=now)
    assert not is_ours({}, taken.body, SECRET, now=now)


@pytest.mark.parametrize("guide", GUIDES, ids=["en", "zh"])
async def test_the_guides_show_the_body_that_is_sent(channel: Webhook, guide: Path) -> None:
    assert body_in(guide).keys() == json.loads((await sent(channel)).body).keys()


async def test_a_second_try_is_the_same_thing_to_its_receiver(channel: Webhook) -> None:
    first, second = await sent(channel, attempt="1" * 32), await sent(channel, attempt="2" * 32)

    assert first.headers["ringward-id"] == second.headers["ringward-id"] == "n" * 32
    assert first.body == second.body


async def test_the_body_says_codes_and_places_and_no_person(channel: Webhook) -> None:
    arguments = {
        "kind": "door.forced", "ring": "building", "zone": "yard", "state": "raised", "name": "张三",
        "plate": "云M12345", "subject": "p-7", "zone_note": "x",
    }  # fmt: skip
    body = json.loads((await sent(channel, arguments=arguments, drill=True)).body)

    assert body == {
        "id": "n" * 32, "type": "ringward.offer", "compound": "honghua", "incident": "i" * 32, "severity": 1,
        "drill": True, "ring": "building", "zone": "yard", "kind": "door.forced", "state": "raised",
        "building": None, "rule": None,
    }  # fmt: skip


@pytest.mark.parametrize("secret", [None, "", "short"])
async def test_nothing_goes_out_unsigned(channel: Webhook, secret: str | None) -> None:
    async with post_office() as post:
        outcome = await channel.send(to(post.url(), secret=secret), letter())

    assert (outcome.result, outcome.error) == (Result.REFUSED, "no_secret")
    assert post.connections == 0


async def test_an_inner_address_is_refused_without_the_setting(noon: dt.datetime) -> None:
    async with post_office() as post:
        outcome = await Webhook(Outward(), lambda: noon).send(to(post.url(), secret=SECRET), letter())

    assert outcome.result is Result.REFUSED
    assert post.connections == 0
