"""`ringward backup follow`: turn after turn until told to stop, with a note of how it stands."""

import datetime as dt
import signal
import threading
from pathlib import Path

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from ringward.follow import Follower, Turn, source_of
from ringward.foundation import Foundation
from storage.archive import ArchiveError

log = structlog.get_logger(__name__)


class Standing(msgspec.Struct):
    """How following stands, in `follow.json` of the data directory; for `ringward doctor`."""

    label: str
    every_s: float
    # Everything that was committed until then is in the copy.
    reached: dt.datetime | None
    # The kind of error of the last turn; "" when it went well.
    trouble: str = ""


def note_file(data_dir: Path) -> Path:
    return data_dir / "follow.json"


def run(
    ground: Foundation,
    destination: Path,
    passphrase: str,
    *,
    every_s: float,
    base_every: dt.timedelta,
    keep: dt.timedelta,
    label: str | None,
    once: bool,
) -> None:
    """Returns after SIGINT or SIGTERM. A turn that fails is tried again; the first one raises.

    Raises `BlockingIOError`, `storage.archive.ArchiveError` and `OSError`.
    """
    stopping = threading.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
    follower = Follower(
        ground,
        destination,
        passphrase,
        source_of(ground),
        base_every=base_every,
        keep=keep,
        label=label,
    )
    standing = Standing(label or destination.resolve().name, every_s, None)
    try:
        # What is wrong at once is wrong with the command; what goes wrong later passes.
        _told(ground, standing, follower.turn())
        while not once and not stopping.wait(every_s):
            try:
                _told(ground, standing, follower.turn())
            except (ArchiveError, OSError, SQLAlchemyError) as error:
                log.warning("follow.failed", error=type(error).__name__)
                standing.trouble = type(error).__name__
                _note(ground, standing)
    finally:
        follower.close()


def _told(ground: Foundation, standing: Standing, turn: Turn) -> None:
    if turn.number is not None:
        log.info(
            "follow.turn", series=turn.series, number=turn.number, size=turn.size, pictures=turn.pictures
        )
    if turn.series:
        standing.reached = turn.at
    standing.trouble = ""
    _note(ground, standing)


def _note(ground: Foundation, standing: Standing) -> None:
    path = note_file(ground.settings.data_dir)
    partial = path.with_suffix(".part")
    partial.write_bytes(msgspec.json.encode(standing))
    partial.replace(path)
