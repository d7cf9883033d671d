"""Apprise against a real server: what is taken, what is refused, and that no log quotes a key."""

import asyncio
import json
import logging

import pytest
from receiving import HERE, letter, post_office, to

from alerts.notify.channels import chats
from alerts.notify.channels.channel import Result
from alerts.notify.channels.chats import Chats, InvalidServiceError, check

TOKEN = "sekret-693a91f6"


async def test_a_service_is_given_title_and_body() -> None:
    async with post_office(lambda post: setattr(post, "status", 200)) as post:
        outcome = await Chats(HERE).send(to(f"json://127.0.0.1:{post.port}/x"), letter())

    said = json.loads(post.taken[0].body)
    assert outcome.result is Result.HANDED_OVER
    assert (said["title"], said["message"]) == ("能去吗？门被强行打开", "3幢，11月23日 15:00:00。")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_a_service_that_says_no_has_not_taken_it(status: int) -> None:
    async with post_office(lambda post: setattr(post, "status", status)) as post:
        outcome = await Chats(HERE).send(to(f"json://127.0.0.1:{post.port}/x"), letter())

    assert (outcome.result, outcome.error) == (Result.FAILED, "service_error")


async def test_a_service_that_hangs_may_have_taken_it_and_holds_up_nothing_else() -> None:
    channel = Chats(HERE, deadline_s=0.5)
    async with (
        post_office(lambda post: setattr(post, "status", None)) as hanging,
        post_office(lambda post: setattr(post, "status", 200)) as well,
    ):
        slow, quick = await asyncio.gather(
            channel.send(to(f"json://127.0.0.1:{hanging.port}/x"), letter()),
            channel.send(to(f"json://127.0.0.1:{well.port}/x"), letter()),
        )

    assert (slow.result, slow.error) == (Result.UNCERTAIN, "timeout")
    assert quick.result is Result.HANDED_OVER


async def test_a_redirect_is_not_followed_whatever_the_url_asks_for() -> None:
    async with post_office(lambda post: setattr(post, "status", 200)) as second, post_office() as first:
        first.status, first.headers = 307, {"Location": second.url()}
        outcome = await Chats(HERE).send(to(f"json://127.0.0.1:{first.port}/x?redirect=yes"), letter())

        assert outcome.result is Result.FAILED
        assert second.connections == 0


INNER = [
    "json://127.0.0.1:{port}/x", "ntfy://127.0.0.1:{port}/topic", "bark://127.0.0.1:{port}/key",
    "gotify://127.0.0.1:{port}/token1234567890", "mailto://a:b@example.com?smtp=127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
async def test_an_inner_host_is_refused_without_the_setting(url: str) -> None:
    async with post_office() as post:
        outcome = await Chats().send(to(url.format(port=post.port)), letter())

    assert (outcome.result, outcome.error) == (Result.REFUSED, "forbidden_address")
    assert post.connections == 0


BAD = [
    "file:///etc/passwd", "exec://rm", "syslog://", "dbus://", "windows://", "apprise://x/y", "config://x",
    "http://127.0.0.1/", "", "json://", "wecombot://", "x" * 3000, "json://h/\nx", "fcm://a/b",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_what_is_none_of_the_services_is_refused_at_entry(url: str) -> None:
    with pytest.raises(InvalidServiceError) as refused:
        check(url)

    assert str(refused.value) in {"unknown_service", "bad_url"}


@pytest.mark.parametrize(
    "url",
    [
        "wecombot://693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa", "dingtalk://token12345678901234567890",
        "feishu://abc123-token", "mailto://user:pass@example.com", "ntfys://ntfy.example/topic",
        "bark://api.day.app/devicekey", "JSON://127.0.0.1/x",
    ],
)  # fmt: skip
def test_the_usual_services_are_taken(url: str) -> None:
    assert check(url) in chats.SERVICES


async def test_no_log_quotes_the_url_of_a_service(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    for status in (200, 500, None):
        async with post_office(lambda post, status=status: setattr(post, "status", status)) as post:
            url = f"json://user:{TOKEN}@127.0.0.1:{post.port}/{TOKEN}?+X-Key={TOKEN}"
            await Chats(HERE, deadline_s=0.5).send(to(url), letter())
            assert len(post.taken) == 1
    with pytest.raises(InvalidServiceError) as refused:
        check(f"json://user:{TOKEN}@:x:/")

    shown = capfd.readouterr()
    assert TOKEN not in caplog.text + shown.out + shown.err + str(refused.value)
