"""The pictures of an event, fetched and decoded in the order in which they help most."""

from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.exceptions import InvalidTag

from bus.messages import EventStored
from recognition.images import BrokenPicture, Picture, decode
from storage import MediaStore
from storage.media import MediaNotFoundError

FACE_ROLES: Final = {"face": 0, "body": 1, "scene": 2}
PLATE_ROLES: Final = {"plate": 1, "vehicle": 0, "scene": 2}
"""Order of trying by role. The detector wants some car around a plate, so the cut-out of
the plate alone comes second."""


def load(event: EventStored, media: MediaStore, roles: Mapping[str, int]) -> Iterator[Picture | str]:
    """Each picture of these roles, or the reason why there is none, best role first."""
    ranked = sorted((roles[p.role], index) for index, p in enumerate(event.pictures) if p.role in roles)
    for _, index in ranked:
        yield _fetch(media, event.pictures[index].media_id)


def _fetch(media: MediaStore, media_id: str) -> Picture | str:
    try:
        data = media.get(media_id)
    except MediaNotFoundError:
        return "picture_missing"
    except (InvalidTag, KeyError, IndexError):
        # Altered on disk, or sealed with a key that this ring does not have.
        return "picture_unreadable"
    picture = decode(data)
    return picture.reason.value if isinstance(picture, BrokenPicture) else picture
