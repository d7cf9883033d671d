"""A camera on loopback that keeps its answer open: an HTTP server written by hand, with Digest by RFC 7616."""

import base64
import contextlib
import hashlib
import re
import socket
import ssl
import threading

from tests.support.ports import free_port
from tests.support.waiting import wait_until

USER = "reader"
PASSWORD = "north-gate-7"
REALM = "DS-INVENTED"
NONCE = "5f1c9e0b7a"


class Camera:
    """`say` writes to whoever is attached. `asked` holds (request target, scheme or None, let in)."""

    def __init__(
        self,
        *,
        schemes: tuple[str, ...] = ("digest",),
        content_type: str = "multipart/mixed; boundary=boundary",
        chunked: bool = False,
        status: int = 200,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.schemes, self.content_type, self.chunked, self.status = schemes, content_type, chunked, status
        self.password = PASSWORD
        self.port = free_port()
        self.asked: list[tuple[str, str | None, bool]] = []
        self._tls = tls
        self._streams: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def attached(self) -> int:
        """How often a stream was begun."""
        return sum(let_in for _, _, let_in in self.asked)

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Nobody can connect, and whoever was attached is cut off."""
        assert self._listener is not None
        # Closing alone does not wake an accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def say(self, data: bytes) -> None:
        stream = wait_until(lambda: self._streams, "somebody is attached")[-1]
        stream.sendall(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def hang_up(self) -> None:
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            stream.close()
        self._streams.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while (head := _head(connection)) is not None:
                if self._answer(connection, head):
                    return
        connection.close()

    def _answer(self, connection: socket.socket, head: str) -> bool:
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        found = re.search(r"^authorization: *(\w+) +(.*)$", head, re.IGNORECASE | re.MULTILINE)
        scheme = found.group(1).lower() if found else None
        good = not self.schemes or (
            found is not None and self._agrees(scheme, found.group(2).strip(), method, target)
        )
        let_in = good and self.status == 200
        self.asked.append((target, scheme, let_in))
        if let_in:
            coding = "Transfer-Encoding: chunked\r\n" if self.chunked else "Connection: close\r\n"
            answer = f"HTTP/1.1 200 OK\r\nContent-Type: {self.content_type}\r\n{coding}\r\n"
            connection.sendall(answer.encode())
            self._streams.append(connection)
            return True
        challenges = {
            "digest": f'WWW-Authenticate: Digest realm="{REALM}", qop="auth", nonce="{NONCE}", opaque=""\r\n',
            "basic": f'WWW-Authenticate: Basic realm="{REALM}"\r\n',
        }
        asked = "" if good else "".join(challenges[scheme] for scheme in self.schemes)
        status = self.status if good else 401
        location = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        connection.sendall(f"HTTP/1.1 {status} No\r\n{asked}{location}Content-Length: 2\r\n\r\nno".encode())
        return False

    def _agrees(self, scheme: str | None, given: str, method: str, target: str) -> bool:
        if scheme == "basic" and "basic" in self.schemes:
            return base64.b64decode(given).decode() == f"{USER}:{self.password}"
        if scheme != "digest" or "digest" not in self.schemes:
            return False
        said = {
            name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)
        }
        first = _md5(f"{USER}:{REALM}:{self.password}")
        second = _md5(f"{method}:{target}")
        expected = _md5(f"{first}:{NONCE}:{said['nc']}:{said['cnonce']}:auth:{second}")
        return (said["uri"], said["nonce"], said["response"]) == (target, NONCE, expected)


def _head(connection: socket.socket) -> str | None:
    taken = b""
    while b"\r\n\r\n" not in taken:
        more = connection.recv(4096)
        if not more:
            return None
        taken += more
    return taken.decode()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
