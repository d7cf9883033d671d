"""A batch's pictures on their way to the disk, several at once.

A picture waits for the disk three times, and most of a batch of pictures was that waiting. They
wait together, and the batch for the last of them.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from storage import MediaStore, StoredPicture

# So many wait for the disk at once. More: a slow disk is asked for no less in the end.
_WRITERS: Final = 8


class Pictures:
    """For one thread at a time. Nothing is safe until `settle` has returned."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self._pool = ThreadPoolExecutor(_WRITERS, thread_name_prefix="pictures")
        self._under_way: dict[str, Future[StoredPicture]] = {}

    def begin(self) -> None:
        """Forgets what a batch that failed has left; it comes again."""
        for one in self._under_way.values():
            one.cancel()
        self._under_way.clear()

    def put(self, content: bytes) -> StoredPicture:
        """Sends a picture on its way; what it will be called is known at once."""
        media_id = self._media.id_of(content)
        if media_id not in self._under_way:
            self._under_way[media_id] = self._pool.submit(self._media.put, content)
        return StoredPicture(media_id, len(content))

    def settle(self) -> None:
        """Returns when all pictures are on the disk. Raises what the disk, or the bucket, raises."""
        under_way, self._under_way = self._under_way, {}
        for one in under_way.values():
            one.result()
