import errno
import hashlib
import os
from pathlib import Path

import pytest

from storage import KeyRing, MediaStore
from storage.media import MediaNotFoundError
from tests.support.threads import at_once

PICTURE = b"\xff\xd8\xff\xe0 somebody at the gate \xff\xd9"


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_picture_comes_back(media: MediaStore) -> None:
    stored = media.put(PICTURE)
    assert stored.size == len(PICTURE)
    assert media.get(stored.media_id) == PICTURE


def test_same_picture_twice_is_one_file(media: MediaStore, tmp_path: Path) -> None:
    first, second = media.put(PICTURE), media.put(bytes(bytearray(PICTURE)))
    assert first == second
    assert len(files(tmp_path)) == 1
    assert media.put(PICTURE + b"!").media_id != first.media_id


def test_another_process_knows_the_picture(media: MediaStore, ring: KeyRing, tmp_path: Path) -> None:
    stored = media.put(PICTURE)
    again = MediaStore(tmp_path / "media", ring)
    assert again.get(stored.media_id) == PICTURE
    assert again.put(PICTURE) == stored


def test_folder_shows_neither_the_picture_nor_its_hash(media: MediaStore, tmp_path: Path) -> None:
    media.put(PICTURE)
    (path,) = files(tmp_path)
    assert b"somebody" not in path.read_bytes()
    assert hashlib.sha256(PICTURE).hexdigest() not in f"{path.parent.name}{path.name}"


def test_file_and_folder_are_synced_before_put_returns(
    media: MediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, []

    def observe(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    monkeypatch.setattr(os, "fsync", observe)
    media.put(PICTURE)
    (path,) = files(tmp_path)
    assert synced[0].parent == path.parent
    assert synced[0].suffix == ".part"
    assert set(synced[1:]) == {path.parent, tmp_path / "media"}


@pytest.mark.parametrize("step", ["write", "sync", "rename"])
def test_full_disk_leaves_nothing_behind(
    media: MediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(KeyRing, "seal", full)
        elif step == "sync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            media.put(PICTURE)
    assert files(tmp_path) == []
    # Once there is room again, it is as if nothing had been.
    assert media.get(media.put(PICTURE).media_id) == PICTURE


def test_deleted_picture_is_gone(media: MediaStore) -> None:
    stored = media.put(PICTURE)
    assert media.delete(stored.media_id)
    assert not media.delete(stored.media_id)
    with pytest.raises(MediaNotFoundError) as missing:
        media.get(stored.media_id)
    assert missing.value.media_id == stored.media_id


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, f"../{'a' * 61}"])
def test_name_that_is_none_finds_nothing(media: MediaStore, name: str) -> None:
    with pytest.raises(MediaNotFoundError):
        media.get(name)
    assert media.delete(name) is False


def test_threads_may_store_the_same_picture_at_once(media: MediaStore, tmp_path: Path) -> None:
    assert at_once(8, lambda _: media.put(PICTURE)) == []
    assert len(files(tmp_path)) == 1


def test_photo_of_a_person_goes_with_the_persons_key(media, vault, clock) -> None:
    own = media.put(b"a face", subject="p-1").media_id
    others = media.put(b"a face", subject="p-2").media_id
    assert len({own, others, media.put(b"a face").media_id}) == 3
    vault.shred(["p-1"], clock.now())
    with pytest.raises(MediaNotFoundError):
        media.get(own)
    assert media.get(others) == b"a face"
