"""Group chats, text messages and mail through Apprise: WeCom, DingTalk, Feishu and what else it knows.

The URL of such a service is its key, so it lies sealed, is opened for one try, and is in no log: the
library's own log is switched off.
"""

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Final

from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.channels.outward import is_public
from alerts.notify.models import ChannelKind
from devices.near import Network, is_near

if TYPE_CHECKING:
    import apprise

SERVICES: Final = frozenset(
    {
        # China's chats and pushes.
        *("wecombot", "pushplus", "wechat", "dingtalk", "feishu", "lark", "schan", "wxpusher", "qq"),
        # Of one's own, or abroad.
        *("ntfy", "ntfys", "bark", "barks", "gotify", "gotifys", "tgram", "mailto", "mailtos"),
        *("json", "jsons"),
        # Text messages.
        *("httpsms", "smseagle", "smseagles", "smsmanager", "bulksms", "d7sms", "serwersms", "smsc"),
    }
)
"""Schemas that are taken. Apprise knows many more: files, commands, its own configuration from anywhere."""

# Those that go to a host of the URL; the others know their service's address themselves.
_HOSTED: Final = frozenset(
    {
        *("ntfy", "ntfys", "bark", "barks", "gotify", "gotifys", "mailto", "mailtos"),
        *("json", "jsons", "smseagle", "smseagles"),
    }
)
_PLAIN: Final = frozenset(["ntfy", "bark", "gotify", "json", "smseagle"])
_CONNECT_S: Final = 4.0
_READ_S: Final = 6.0
_DEADLINE_S: Final = 15.0
_THREADS: Final = 8
_LONGEST: Final = 2048

# Whatever it says may quote the URL. `urllib3` writes paths, and a path is a key here.
logging.getLogger("apprise").disabled = True
logging.getLogger("urllib3").setLevel(logging.ERROR)


class InvalidServiceError(ValueError):
    """No address of a service; `code` says why: unknown_service, bad_url."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check(url: str) -> str:
    """The schema of an address as it may be entered. Raises `InvalidServiceError`, which quotes nothing."""
    _opened(url)
    return _schema(url)


class Chats:
    """One service of Apprise's, called in a thread with a deadline."""

    kind: ClassVar[ChannelKind] = ChannelKind.APPRISE
    stays_inside: ClassVar[bool] = False

    def __init__(self, allowed: tuple[Network, ...] = (), *, deadline_s: float = _DEADLINE_S) -> None:
        self._allowed = allowed
        self._deadline_s = deadline_s
        # Of its own: a service that hangs holds up no other work.
        self._threads = ThreadPoolExecutor(_THREADS, "apprise")

    async def send(self, to: Address, letter: Letter) -> Outcome:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._send, to.address, letter.title, letter.body)
        done, _ = await asyncio.wait({work}, timeout=self._deadline_s)
        if not done:
            # The thread goes on until the library's own deadlines end it.
            return Outcome(Result.UNCERTAIN, "timeout")
        return work.result()

    def _send(self, url: str, title: str, body: str) -> Outcome:
        try:
            service = _opened(url)
        except InvalidServiceError as error:
            return Outcome(Result.REFUSED, error.code)
        try:
            if _schema(url) in _HOSTED and not self._aimed(service, plain=_schema(url) in _PLAIN):
                return Outcome(Result.REFUSED, "forbidden_address")
        except OSError:
            return Outcome(Result.FAILED, "no_such_host")
        service.socket_connect_timeout = _CONNECT_S
        service.socket_read_timeout = _READ_S
        service.verify_certificate = True
        service.redirects = False
        try:
            taken = service.notify(body=body, title=title)
        except Exception:  # noqa: BLE001 - two hundred services raise what they like
            return Outcome(Result.FAILED, "service_error")
        # Apprise says no more than yes or no: a no may be a wrong key or a service that is down.
        return Outcome(Result.HANDED_OVER) if taken else Outcome(Result.FAILED, "service_error")

    def _aimed(self, service: "apprise.NotifyBase", *, plain: bool) -> bool:
        """Whether the host that a URL names may be called; raises `OSError` where no name answers.

        By https an inner machine has no certificate for an outer name, so that looking first is enough;
        by http the address that was looked at is the one that is called.
        """
        named = "smtp_host" if getattr(service, "smtp_host", None) else "host"
        host = getattr(service, named, None)
        if not isinstance(host, str) or not host or str(getattr(service, "mode", "")) == "cloud":
            return True
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        near = [address for address in found if is_near(address, self._allowed)]
        if not found or not all(address in near or is_public(address) for address in found):
            return False
        if plain:
            if len(near) != len(found):
                return False
            service.host = found[0]
        return True


def _schema(url: str) -> str:
    return url.partition("://")[0].strip().lower()


def _opened(url: str) -> "apprise.NotifyBase":
    if _schema(url) not in SERVICES:
        raise InvalidServiceError("unknown_service")
    if len(url) > _LONGEST or not url.isprintable():
        raise InvalidServiceError("bad_url")
    # Late: a process that only keeps addresses needs none of its services.
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Ringward",
        app_desc="Ringward",
        async_mode=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        allow_templates=False,
    )
    # Whoever has set up logging since may have switched it on again.
    logging.getLogger("apprise").disabled = True
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        raise InvalidServiceError("bad_url")
    return service
