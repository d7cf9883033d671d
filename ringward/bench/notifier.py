"""A process that runs the role `notify` on a benchmark's data directory, until it is killed.

Run as a process: python -m ringward.bench.notifier DATA_DIR COMPOUND
"""

import asyncio
import sys
from pathlib import Path

from ringward import logs
from ringward.foundation import lay
from ringward.notifyside import NotifyRole
from ringward.settings import Settings


async def main() -> None:
    logs.configure("error", "console")
    settings = Settings(
        data_dir=Path(sys.argv[1]), compound=sys.argv[2], notify_networks="127.0.0.0/8", notify_cool_s=0
    )
    role = NotifyRole(lay(settings), kept=())
    await role.start()
    await asyncio.to_thread(sys.stdin.read)
    await role.stop()


if __name__ == "__main__":
    asyncio.run(main())
