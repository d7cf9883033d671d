import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import KeyRing, MediaStore
from storage.media import MediaNotFoundError
from storage.objects import Objects, ObjectsUnavailableError, bucket
from tests.support.threads import at_once

PICTURE = b"\xff\xd8\xff\xe0 somebody at the gate \xff\xd9"


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.fixture(params=["directory", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Path | Objects, Callable[[], dict[str, bytes]]]]:
    """Where pictures lie, and what can be seen there from outside, by name."""
    if request.param == "directory":
        root = tmp_path / "media"
        yield root, lambda: {str(path.relative_to(root)): path.read_bytes() for path in files(tmp_path)}
        return
    with request.getfixturevalue("s3").bucket() as (objects, outside):
        yield (
            objects,
            lambda: {key.removeprefix("pictures/"): content for key, content in outside.objects().items()},
        )


@pytest.fixture
def either_media(place, ring: KeyRing) -> MediaStore:
    """The same test on a directory and on a bucket."""
    return MediaStore(place[0], ring)


@pytest.fixture
def outside(place) -> Callable[[], dict[str, bytes]]:
    return place[1]


def test_picture_comes_back(either_media: MediaStore) -> None:
    stored = either_media.put(PICTURE)
    assert stored.size == len(PICTURE)
    assert either_media.get(stored.media_id) == PICTURE
    assert either_media.exists(stored.media_id)
    assert either_media.size(stored.media_id) == len(PICTURE) + 1 + 12 + 16


def test_same_picture_twice_is_one(either_media: MediaStore, outside) -> None:
    first, second = either_media.put(PICTURE), either_media.put(bytes(bytearray(PICTURE)))
    assert first == second
    assert len(outside()) == 1
    assert either_media.put(PICTURE + b"!").media_id != first.media_id


def test_another_process_knows_the_picture(either_media: MediaStore, ring: KeyRing, place) -> None:
    stored = either_media.put(PICTURE)
    again = MediaStore(place[0], ring)
    assert again.get(stored.media_id) == PICTURE
    assert again.put(PICTURE) == stored


def test_place_shows_neither_the_picture_nor_its_hash(either_media: MediaStore, outside) -> None:
    stored = either_media.put(PICTURE)
    ((name, content),) = outside().items()
    assert name == f"{stored.media_id[:2]}/{stored.media_id[2:]}"
    assert b"somebody" not in content
    assert hashlib.sha256(PICTURE).hexdigest() not in name.replace("/", "")


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


def test_deleted_picture_is_gone(either_media: MediaStore) -> None:
    stored = either_media.put(PICTURE)
    assert either_media.delete(stored.media_id)
    assert not either_media.delete(stored.media_id)
    with pytest.raises(MediaNotFoundError) as missing:
        either_media.get(stored.media_id)
    assert missing.value.media_id == stored.media_id


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, f"../{'a' * 61}"])
def test_name_that_is_none_finds_nothing(either_media: MediaStore, name: str) -> None:
    with pytest.raises(MediaNotFoundError):
        either_media.get(name)
    assert either_media.delete(name) is False


def test_threads_may_store_the_same_picture_at_once(either_media: MediaStore, outside) -> None:
    assert at_once(8, lambda _: either_media.put(PICTURE)) == []
    assert len(outside()) == 1


def test_photo_of_a_person_goes_with_the_persons_key(either_media, vault, clock) -> None:
    own = either_media.put(b"a face", subject="p-1").media_id
    others = either_media.put(b"a face", subject="p-2").media_id
    assert len({own, others, either_media.put(b"a face").media_id}) == 3
    vault.shred(["p-1"], clock.now())
    with pytest.raises(MediaNotFoundError):
        either_media.get(own)
    assert either_media.get(others) == b"a face"


def test_list_names_the_pictures_and_nothing_else(either_media: MediaStore, place, tmp_path: Path) -> None:
    assert list(either_media.list()) == []
    ids = {either_media.put(f"picture {number}".encode()).media_id for number in range(20)}
    if isinstance(place[0], Path):
        # What a crash leaves behind, and what somebody put there.
        (place[0] / "aa").mkdir(exist_ok=True)
        (place[0] / "aa" / f"{'b' * 62}.1.2.part").write_bytes(b"half")
        (place[0] / "README").write_text("not a picture")
    assert set(either_media.list()) == ids


def test_many_are_deleted_at_once(either_media: MediaStore, outside) -> None:
    ids = [either_media.put(f"picture {number}".encode()).media_id for number in range(5)]
    assert either_media.delete_all([*ids[:3], "0" * 64, "nonsense"]) == 3
    assert set(either_media.list()) == set(ids[3:])
    assert len(outside()) == 2


def test_deletion_is_durable_when_it_returns(media: MediaStore, tmp_path: Path, monkeypatch) -> None:
    stored = media.put(PICTURE)
    real, synced = os.fsync, []

    def observe(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    monkeypatch.setattr(os, "fsync", observe)
    media.delete(stored.media_id)
    assert synced == [tmp_path / "media" / stored.media_id[:2]]


def test_picture_is_sealed_again_with_a_new_key(
    place, either_media: MediaStore, ring: KeyRing, vault
) -> None:
    mine, theirs = either_media.put(PICTURE).media_id, either_media.put(PICTURE, subject="p-1").media_id
    ring.rotate()
    assert (either_media.sealed_by(mine), either_media.sealed_by(theirs)) == (1, 0)
    assert either_media.reseal(mine)
    assert not either_media.reseal(mine)
    # A person's own key is not the ring's.
    assert not either_media.reseal(theirs)
    assert either_media.sealed_by(mine) == 2
    assert either_media.get(mine) == either_media.get(theirs) == PICTURE


def test_picture_that_is_deleted_while_it_is_sealed_again_stays_deleted(
    either_media: MediaStore, ring: KeyRing, monkeypatch
) -> None:
    stored = either_media.put(PICTURE)
    ring.rotate()
    real = KeyRing.seal

    def deleting(*args: object) -> bytes:
        either_media.delete(stored.media_id)
        return real(*args)

    monkeypatch.setattr(KeyRing, "seal", deleting)
    assert not either_media.reseal(stored.media_id)
    assert not either_media.exists(stored.media_id)


def test_sealed_bytes_can_be_put_back(either_media: MediaStore) -> None:
    stored = either_media.put(PICTURE)
    sealed = either_media.sealed(stored.media_id)
    either_media.delete(stored.media_id)
    with pytest.raises(MediaNotFoundError):
        either_media.sealed(stored.media_id)
    either_media.put_sealed(stored.media_id, sealed)
    assert either_media.get(stored.media_id) == PICTURE


def test_bucket_that_is_away_is_an_error_of_the_disk(s3, ring: KeyRing) -> None:
    # Ingest answers an OSError by not acknowledging: the device sends again.
    with s3.bucket() as (objects, outside):
        media = MediaStore(objects, ring)
        media_id = media.put(PICTURE).media_id
        outside.vanish()
    with pytest.raises((ObjectsUnavailableError, MediaNotFoundError)):
        media.get(media_id)
    with pytest.raises(OSError):
        media.put(PICTURE)
    elsewhere = bucket("s3://none/x", endpoint="http://127.0.0.1:9", key_id="a", key_secret="b")
    with pytest.raises(ObjectsUnavailableError) as refused:
        MediaStore(elsewhere, ring).put(PICTURE)
    assert "none" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("file:///tmp", None),
        ("pictures", None),
        ("s3://", None),
        ("s3://bucket", "http://minio.example:9000"),
        ("s3://bucket", "ftp://127.0.0.1"),
        ("s3://bucket", "127.0.0.1:9000"),
    ],
)
def test_bucket_over_an_open_line_is_refused(url: str, endpoint: str | None) -> None:
    with pytest.raises(ValueError, match=r"s3://|https"):
        bucket(url, endpoint=endpoint)
