"""The push service of a site and the phones behind it: what reached whom, and when.

Run as a process: python -m tests.chaos.phones HOST JOURNAL, with the phones' private keys as one line of
JSON ({path: [number, authentication secret]}). It prints its port on one line, and leaves when its
input ends. It is never part of a fault: it is who the promise was made to.
"""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from tests.chaos.journal import Lines


class Letter(msgspec.Struct, frozen=True):
    """A letter that a phone has opened: when (seconds since 1970), whose phone, and which try it names."""

    at: float
    phone: str
    attempt: str


class Phones:
    """Opens every letter with the key of the phone that it is for."""

    def __init__(self, keys: dict[str, tuple[int, str]], lines: Lines) -> None:
        self._keys = {
            phone: (ec.derive_private_key(number, ec.SECP256R1()), base64.b64decode(secret))
            for phone, (number, secret) in keys.items()
        }
        self._lines = lines

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0])
                body = await reader.readexactly(length)
                phone = head.split(" ")[1].strip("/")
                key, secret = self._keys[phone]
                text = http_ece.decrypt(body, private_key=key, auth_secret=secret, version="aes128gcm")
                self._lines.add(Letter(time.time(), phone, json.loads(text)["attempt"]))
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            # The other side is at its end.
            pass
        finally:
            writer.close()


async def main() -> None:
    keys = json.loads(sys.stdin.readline())
    phones = Phones(keys, Lines(Path(sys.argv[2])))
    server = await asyncio.start_server(phones.serve, sys.argv[1], 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
