"""What `ringward doctor` says of keys, backups and the audit log's anchor."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import func, select

from console.accounts.models import User
from privacy.models import ErasureStep, StepState
from ringward import following
from ringward.checkup import Finding
from ringward.settings import Settings
from storage import Database, KeyRing, Vault, anchors, ringmark
from storage.anchors import AnchorState
from storage.audit import AuditRow
from storage.backups import BackupRun
from storage.ringmark import MarkState

BACKUP_EVERY: Final = dt.timedelta(days=7)
# How many looks may be missed, and how long a base or an erasure may take.
FOLLOW_LATE: Final = 5
FOLLOW_SPARE_S: Final = 600


def keys(loaded: Settings) -> Finding:
    """The files of the key folder: there, and for their owner's eyes only."""
    key = loaded.key_file
    if not key.exists():
        return Finding("keys", False, "no key file", "`ringward up` makes it; never lose it afterwards.")
    open_to_others = [path for path in _secrets(key.parent) if path.stat().st_mode & 0o077]
    if open_to_others:
        listed = ", ".join(f"{path.name} {path.stat().st_mode & 0o777:04o}" for path in open_to_others)
        return Finding("keys", False, listed, f"chmod 600 {key.parent}/*")
    return Finding("keys", True, f"mode 0600, {len(KeyRing.load(key).numbers)} keys in the ring")


def vault(loaded: Settings) -> Finding:
    """Whether the keys of people can be read, and with this ring."""
    if not loaded.key_file.exists() or (loaded.vault_url is None and not loaded.vault_file.exists()):
        return Finding("vault", False, "not there yet", "`ringward up` makes it.")
    try:
        ring = KeyRing.load(loaded.key_file)
        found = Vault(loaded.vault_url or f"sqlite:///{loaded.vault_file}", ring)
        try:
            counts = found.wrapped_by()
        finally:
            found.close()
    except Exception as error:  # noqa: BLE001 - whatever the driver says, it is the answer
        return Finding("vault", False, type(error).__name__, "Check its address and that it runs.")
    strange = sorted(set(counts) - set(ring.numbers))
    if strange:
        return Finding(
            "vault",
            False,
            f"keys wrapped by {strange}, which are not in the ring",
            "Ring and vault belong together: put back the ring that this vault was used with.",
        )
    return Finding("vault", True, f"{sum(counts.values())} keys of people and passes")


def after_the_database(database: Database, loaded: Settings, now: dt.datetime) -> Iterator[Finding]:
    """What the database says of its keys and of backups, and the anchor of the audit log."""
    yield _mark(database, loaded)
    yield _backup(database, now)
    followed = _following(loaded, now)
    if followed is not None:
        yield followed
    yield _key_copies(database)
    yield _anchor(database, loaded)


def _mark(database: Database, loaded: Settings) -> Finding:
    if not loaded.key_file.exists():
        return Finding("keys and database", False, "no key file to compare", "Put back the key folder.")
    state = ringmark.check(database, KeyRing.load(loaded.key_file))
    return Finding(
        "keys and database",
        state is not MarkState.FOREIGN,
        {
            MarkState.HOLDS: "belong together",
            MarkState.MISSING: "not compared yet",
            MarkState.FOREIGN: "the key ring is not the one that this database was written with",
        }[state],
        "Put back the key folder of this database, or name the database of these keys. After a restore, "
        "take keys and archive from the same folder. Start nothing before.",
    )


def _backup(database: Database, now: dt.datetime) -> Finding:
    with database.read() as session:
        last = session.scalar(select(func.max(BackupRun.verified_at)))
        begun = session.scalar(select(func.min(User.created_at)))
    advice = "ringward backup DEST, every night, into a folder on another machine."
    if last is not None:
        seen = f"last verified {last:%Y-%m-%d %H:%M}Z"
        return Finding("backup", now - last < BACKUP_EVERY, seen, advice, grave=now - last > 4 * BACKUP_EVERY)
    fresh = begun is None or now - begun < BACKUP_EVERY
    return Finding("backup", fresh, "none yet", advice, grave=False)


def _following(loaded: Settings, now: dt.datetime) -> Finding | None:
    """How far a copy that follows has come; nothing where none ever did."""
    try:
        note = following.note_file(loaded.data_dir).read_bytes()
        found = msgspec.json.decode(note, type=following.Standing)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    reached = found.reached
    allowed = dt.timedelta(seconds=FOLLOW_LATE * found.every_s + FOLLOW_SPARE_S)
    late = reached is None or now - reached > allowed
    seen = f"reached {reached:%Y-%m-%d %H:%M:%S}Z" if reached else "made no copy yet"
    return Finding(
        "copy that follows",
        not late,
        f"{seen}, {found.trouble}" if found.trouble else seen,
        "`ringward backup follow DEST` has to run; its log says what hinders it. Where nobody is to follow "
        f"any more, delete {following.note_file(loaded.data_dir).name} from the data directory.",
    )


def _key_copies(database: Database) -> Finding:
    with database.read() as session:
        waiting = session.scalar(
            select(func.count())
            .select_from(ErasureStep)
            .where(ErasureStep.place.startswith("backup:"), ErasureStep.state == StepState.PENDING)
        )
    return Finding(
        "erasures in backups",
        not waiting,
        f"{waiting or 'none'} waiting for a newer copy of the keys",
        "ringward backup DEST --keys-only",
    )


def _anchor(database: Database, loaded: Settings) -> Finding:
    with database.read() as session:
        empty = session.scalar(select(AuditRow.seq).limit(1)) is None
    if empty or not loaded.key_file.exists():
        return Finding("audit anchor", True, "the log is empty")
    state = anchors.check(database, loaded.anchor_file, KeyRing.load(loaded.key_file))
    return Finding(
        "audit anchor",
        state is AnchorState.HOLDS,
        state.value,
        "`ringward audit verify` writes the first one."
        if state is AnchorState.MISSING
        else "`ringward audit verify` says what it found; somebody has changed the log or the anchor.",
    )


def _secrets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())
