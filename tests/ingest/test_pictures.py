"""Pictures of a batch wait for the disk together, and the batch for all of them."""

import threading

import pytest

from ingest.pictures import Pictures
from storage import MediaStore, StoredPicture


class Disk:
    """Stands before a media store; `together` writes have to meet before any of them ends."""

    def __init__(self, media: MediaStore, together: int = 1) -> None:
        self._media = media
        self._meeting = threading.Barrier(together)
        self.full = False
        self.writes: list[bytes] = []

    def id_of(self, content: bytes) -> str:
        return self._media.id_of(content)

    def put(self, content: bytes) -> StoredPicture:
        self._meeting.wait(10)
        if self.full:
            raise OSError("the disk is full")
        self.writes.append(content)
        return self._media.put(content)


def test_pictures_wait_for_the_disk_together_and_are_there_afterwards(media: MediaStore) -> None:
    pictures = Pictures(Disk(media, together=4))
    stored = [pictures.put(b"picture %d" % number) for number in range(4)]
    pictures.settle()
    assert [media.get(one.media_id) for one in stored] == [b"picture %d" % number for number in range(4)]
    assert stored[0].size == 9


def test_one_picture_of_several_events_is_written_once(media: MediaStore) -> None:
    disk = Disk(media)
    pictures = Pictures(disk)
    assert pictures.put(b"same") == pictures.put(b"same")
    pictures.settle()
    assert disk.writes == [b"same"]


def test_a_full_disk_is_said_before_anything_is_acknowledged_and_the_next_attempt_is_a_new_one(
    media: MediaStore,
) -> None:
    disk = Disk(media)
    pictures = Pictures(disk)
    disk.full = True
    pictures.put(b"one")
    with pytest.raises(OSError, match="full"):
        pictures.settle()
    disk.full = False
    pictures.begin()
    stored = pictures.put(b"one")
    pictures.settle()
    assert media.get(stored.media_id) == b"one"


def test_what_a_failed_batch_has_left_does_not_fail_the_next_one(media: MediaStore) -> None:
    disk = Disk(media)
    disk.full = True
    pictures = Pictures(disk)
    pictures.put(b"one")
    pictures.begin()
    pictures.settle()
