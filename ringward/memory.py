"""The interpreter, set for a process that makes many small values in several busy threads."""

import ctypes
import gc
import sys


def settle() -> None:
    """Leaves what start-up made out of every later collection, and collects more rarely.

    With the defaults a burst of events spends a third of its time in full collections of
    a heap that holds nothing but modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # The writer gives the interpreter lock away at every database call; with the default of
    # 5 ms it waits that long for the network thread each time.
    sys.setswitchinterval(0.001)


def give_back() -> None:
    """Gives the system back what was needed for a moment only: opening models takes 90 MB more than they are.

    The C library keeps it otherwise, for a process that never needs it again. Nothing where it is not glibc.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
