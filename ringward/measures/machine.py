"""Measures of the machine: space, the kernel's clock, certificates that settings name."""

import ctypes
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509

from ringward.measures import definitions as of
from ringward.measures.definitions import Sample
from ringward.settings import Settings

CERTIFICATES: Final = ("_cert", "_cert_file", "_certificate", "_certificate_file", "_ca", "_ca_file")
"""How settings end that name a file with certificates."""

_TIME_ERROR: Final = 5
"""TIME_ERROR of timex.h: the kernel's clock follows nobody."""


def disks(settings: Settings) -> Iterator[Sample]:
    """Where something is kept on this machine."""
    places = {"data": settings.data_dir, "media": settings.media_dir, "spool": settings.spool_dir}
    for place, path in places.items():
        if path.exists():
            usage = shutil.disk_usage(path)
            yield Sample(of.DISK_FREE, usage.free, {"place": place})
            yield Sample(of.DISK_SIZE, usage.total, {"place": place})


def synchronised() -> bool | None:
    """Whether the kernel's clock follows a time service; None where the system does not say."""
    adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    if adjtimex is None:
        return None
    # struct timex, all zero: a question, for which nobody needs a right.
    state = adjtimex(ctypes.create_string_buffer(512))
    return None if state < 0 else state != _TIME_ERROR


def clock() -> Iterator[Sample]:
    """Nothing where the system does not say."""
    follows = synchronised()
    if follows is not None:
        yield Sample(of.CLOCK_SYNCHRONISED, float(follows))


def certificates(settings: Settings) -> dict[str, Path]:
    """The settings that name certificates, and their files."""
    named = ((name, getattr(settings, name)) for name in type(settings).model_fields)
    return {name: at for name, at in named if isinstance(at, Path) and name.endswith(CERTIFICATES)}


def ends(path: Path) -> dt.datetime:
    """When the first certificate of a PEM file is over that is over first.

    Raises `OSError` and `ValueError` for a file that is not there or holds none.
    """
    return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes()))


def validity(settings: Settings) -> Iterator[Sample]:
    """Certificates that cannot be read are left out: `ringward doctor` has the words for those."""
    for name, path in certificates(settings).items():
        try:
            yield Sample(of.CERTIFICATE_EXPIRES, ends(path).timestamp(), {"setting": name})
        except (OSError, ValueError):
            continue
