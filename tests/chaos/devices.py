"""A process of devices: `python -m tests.chaos.devices`, with its work as one line of input.

It writes a journal of what its devices said and were told, prints `done` when everything is
answered, and leaves when its input ends.
"""

import sys
from pathlib import Path

import msgspec

from tests.chaos.doors import Doors
from tests.chaos.journal import Journal
from tests.chaos.native import NativeDevices
from tests.chaos.pusher import Pushers
from tests.chaos.terminal import Terminals
from tests.chaos.work import Work

KINDS = {"native": NativeDevices, "facesluice": Terminals, "haan": Pushers, "doors": Doors}


def main() -> None:
    work = msgspec.json.decode(sys.stdin.readline(), type=Work)
    devices = KINDS[work.kind](work, Journal(Path(work.journal)))
    devices.run()
    print("done", flush=True)
    sys.stdin.read()
    devices.close()


if __name__ == "__main__":
    main()
