"""Addresses that people and browsers enter lead to the Internet or to named networks, and nowhere else."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiving import HERE, post_office

from alerts.notify.channels.channel import Result
from alerts.notify.channels.outward import ForbiddenAddressError, Outward, check_url, is_public

INNER = [
    "127.0.0.1", "::1", "10.0.0.5", "192.168.1.1", "172.16.3.4", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "ff02::1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "255.255.255.255", "::", "fe80::1%eth0", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_addresses_that_only_this_machine_or_its_network_reaches_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_public_however_it_is_written(address: object) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))


BAD = [
    "", "ftp://example.com/", "file:///etc/passwd", "https://", "https://user:pass@example.com/", "javascript:1",
    "https://example.com/#x", "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\n",
    "https://example.com/" + "x" * 3000, "//example.com", "gopher://127.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_an_inner_address_is_refused_before_anything_is_sent(url: str) -> None:
    outcome = await Outward().post(url, b"x", {})

    assert (outcome.result, outcome.error) == (Result.REFUSED, "forbidden_address")


async def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with post_office() as post:
        _names(monkeypatch, {"inner.example": ["127.0.0.1"]})
        outcome = await Outward().post(f"https://inner.example:{post.port}/", b"x", {})

        assert (outcome.result, outcome.error) == (Result.REFUSED, "forbidden_address")
        assert post.connections == 0


async def test_a_name_with_one_outer_and_one_inner_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _names(monkeypatch, {"both.example": ["1.1.1.1", "10.0.0.1"]})

    outcome = await Outward().post("https://both.example/", b"x", {})

    assert outcome.error == "forbidden_address"


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that answers otherwise the second time (DNS rebinding) is asked once."""
    asked = _names(monkeypatch, {"own.example": ["127.0.0.1"]})
    async with post_office() as post:
        outcome = await Outward(HERE).post(f"http://own.example:{post.port}/hook", b"x", {})

    assert outcome.result is Result.HANDED_OVER
    assert asked.count("own.example") == 1
    assert post.taken[0].headers["host"] == f"own.example:{post.port}"


async def test_plain_http_is_for_named_networks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _names(monkeypatch, {"outer.example": ["1.1.1.1"]})

    outcome = await Outward(HERE).post("http://outer.example/", b"x", {})

    assert (outcome.result, outcome.error) == (Result.REFUSED, "not_https")


async def test_a_name_that_nobody_knows_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    _names(monkeypatch, {})

    outcome = await Outward().post("https://nowhere.example/", b"x", {})

    assert (outcome.result, outcome.error) == (Result.FAILED, "no_such_host")


async def test_a_redirect_is_not_followed() -> None:
    async with post_office() as second, post_office() as first:
        first.status, first.headers = 302, {"Location": second.url()}
        outcome = await Outward(HERE).post(first.url(), b"x", {})

        assert (outcome.result, outcome.error) == (Result.REFUSED, "redirect")
        assert second.connections == 0


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with post_office() as proxy, post_office() as post:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await Outward(HERE).post(post.url(), b"x", {})

    assert (proxy.connections, len(post.taken)) == (0, 1)


def _names(monkeypatch: pytest.MonkeyPatch, known: dict[str, list[str]]) -> list[str]:
    """A resolver that knows these names alone; returns what it was asked, in order."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **kwargs: object) -> list[tuple]:
        if not host.endswith(".example"):
            return real(host, port, *args, **kwargs)
        asked.append(host)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked
