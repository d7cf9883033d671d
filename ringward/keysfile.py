"""The one copy of the keys beside the archives: made anew, checked, and put in the former one's place."""

import os
from pathlib import Path
from typing import BinaryIO

from ringward.foundation import Foundation
from ringward.manifest import KEYS_FILE, KEYS_KIND
from storage import KeyRing, keycopy
from storage.archive import (
    ArchiveError,
    DamagedError,
    Reader,
    Writer,
    WrongPassphraseError,
    frame,
    frames,
    write_file,
)
from storage.keycopy import KeyCounts, KeyFiles


class ForeignKeysError(ArchiveError):
    """The folder holds a copy of keys that this run must not replace."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the keys in this folder {why}: take another folder, or move {KEYS_FILE} away if they are "
            "of no use any more"
        )


def copy_keys(ground: Foundation, destination: Path, passphrase: str) -> KeyCounts:
    """Writes the copy of the keys and reads it back; the former one is overwritten, then gone."""
    path = destination / KEYS_FILE
    # Before the vault is read: what is shredded later may still be in the copy.
    at = ground.clock.now()

    def write(file: BinaryIO) -> None:
        writer = Writer(file, passphrase, KEYS_KIND)
        for value in keycopy.dump(
            KeyFiles(ground.settings.key_file, ground.settings.bus_secret_file), ground.vault, at
        ):
            frame(writer, value)
        writer.finish()

    check_own(destination, passphrase, ground.ring)
    counted: list[KeyCounts] = []
    former = _open_former(path)
    try:
        write_file(path, write, lambda partial: counted.append(check_keys(partial, passphrase)))
        if former is not None:
            _overwrite(former)
    finally:
        if former is not None:
            os.close(former)
    return counted[0]


def check_keys(path: Path, passphrase: str) -> KeyCounts:
    """Reads a copy of the keys through. Raises `storage.archive.ArchiveError`."""
    with path.open("rb") as file:
        return keycopy.check(frames(Reader(file, passphrase, KEYS_KIND)))


def check_own(destination: Path, passphrase: str, ring: KeyRing) -> None:
    """Raises `ForeignKeysError` where a folder holds other keys: their archives would never open again."""
    try:
        with (destination / KEYS_FILE).open("rb") as file:
            if keycopy.is_of(frames(Reader(file, passphrase, KEYS_KIND)), ring):
                return
    except FileNotFoundError:
        return
    except WrongPassphraseError:
        raise ForeignKeysError("were sealed with another passphrase") from None
    except DamagedError:
        # Nothing can be read with it any more; a good copy does no harm.
        return
    raise ForeignKeysError("belong to another deployment")


def _open_former(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None


def _overwrite(handle: int) -> None:
    """Writes over a file that has no name any more: what it held is encrypted, but once ours.

    A file system that copies on write, or a flash disk, may keep the old blocks for a while.
    """
    length = os.fstat(handle).st_size
    os.lseek(handle, 0, os.SEEK_SET)
    while length > 0:
        length -= os.write(handle, bytes(min(length, 1 << 20)))
    os.fsync(handle)
