"""Fuzzes every adapter's decoder: `python -m tests.fuzz hypothesis|atheris --minutes 10 [--only NAME]`.

Both hold what comes out against what `tests/devices/adapters/test_contract.py` asks of every
adapter. Ends with 1 and shows the bytes where something else than `RefusedError` is raised, or
where an event breaks a promise.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    asked.add_argument("engine", choices=["hypothesis", "atheris"])
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--only", help="one adapter's name")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    given = asked.parse_args()
    # One of them only: atheris has to see the adapters imported.
    if given.engine == "hypothesis":
        from tests.fuzz import structured

        sys.exit(structured.run(given.minutes * 60, given.seed, given.only))
    from tests.fuzz import bytewise

    with tempfile.TemporaryDirectory(prefix="ringward-fuzz-") as folder:
        bytewise.run(given.minutes * 60, given.seed, given.only, Path(folder))


if __name__ == "__main__":
    main()
