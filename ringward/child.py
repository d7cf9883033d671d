"""A process that runs roles, started without what only the other commands need.

The whole command line takes 1.5 s to import, a recognition process's own part 0.6 s.
"""

import ctypes
import os
from collections.abc import Sequence
from typing import Final

ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What tells OpenMP and the linear algebra under numpy how many threads to take."""

_ARENA_MAX: Final = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def one_core(roles: Sequence[str]) -> None:
    """One core a recognition process, whatever libraries would take; before numpy is imported.

    One heap for it, and for a console by itself.

    More work is more processes: threads of several libraries would fight for the same cores.
    """
    if "recognition" in roles:
        for name in ONE_THREAD:
            os.environ.setdefault(name, "1")
    if "recognition" in roles or list(roles) == ["console"]:
        # Pictures and pages go through several threads, one at a time: a heap for each would keep as many
        # copies. A console took 70 MB less for eighty pages at once.
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_ARENA_MAX, 1)


def run(roles: Sequence[str]) -> bool:
    """Runs the roles until the process is told to stop. False where the settings or roles are wrong.

    The command line has the words for what is wrong.
    """
    one_core(roles)
    import asyncio

    from pydantic import ValidationError

    from ringward import logs, process, schemagate
    from ringward.foundation import lay
    from ringward.settings import Settings
    from storage.migrate import SchemaTooNewError, SchemaTooOldError
    from storage.ringmark import ForeignRingError

    try:
        loaded = Settings()
    except ValidationError:
        return False
    if not set(roles) <= set(process.ORDER):
        return False
    logs.configure(loaded.log_level, loaded.log_format)
    ground = lay(loaded, roles)
    try:
        schemagate.pass_through(ground.database)
        asyncio.run(process.run(roles, ground))
    except (ForeignRingError, SchemaTooOldError, SchemaTooNewError) as error:
        # In words, and without what led here: whoever started it has to do something.
        raise SystemExit(str(error)) from None
    return True
