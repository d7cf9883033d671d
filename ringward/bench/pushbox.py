"""A push service of the benchmark's own: takes letters on loopback, notes when, and fails as it is told to.

Run as a process: python -m ringward.bench.pushbox FAULTS
It prints its port on one line, and on end of input one JSON list: [path, topic, seconds since 1970, status];
0 is a letter that it took and never answered. FAULTS is 0 for none, else how many letters it takes between
two faults, which are in turn: no answer, 500, 429 with a pause of a second.
A path that ends in `/gone` is answered with 410.
"""

import asyncio
import itertools
import json
import sys
import time

_STATUS = {201: "Created", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error"}
HUNG = 0


class Box:
    """What came, and what comes next."""

    def __init__(self, every: int) -> None:
        self.taken: list[tuple[str, str, float, int]] = []
        self._every = every
        self._faults = itertools.cycle((HUNG, 500, 429))

    def status(self, path: str) -> int:
        if path.endswith("/gone"):
            return 410
        if self._every and len(self.taken) % self._every == self._every - 1:
            return next(self._faults)
        return 201

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                path = first.split(" ")[1]
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                await reader.readexactly(int(headers.get("content-length", 0)))
                status = self.status(path)
                self.taken.append((path, headers.get("topic", ""), time.time(), status))
                if status == HUNG:
                    await asyncio.sleep(3600)
                pause = "Retry-After: 1\r\n" if status == 429 else ""
                answer = f"HTTP/1.1 {status} {_STATUS[status]}\r\n{pause}Content-Length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            # The other side, or the run, is at its end.
            pass
        finally:
            writer.close()


async def main() -> None:
    box = Box(int(sys.argv[1]))
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(box.taken) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
