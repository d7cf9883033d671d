"""The pictures of an event, fetched and decoded in the order in which they help most."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag

from bus.messages import EventStored
from bus.messages import Picture as StoredPicture
from recognition.images import BrokenPicture, Picture, decode
from storage import MediaStore
from storage.media import MediaNotFoundError

FACE_ROLES: Final = {"face": 0, "body": 1, "scene": 2}
PLATE_ROLES: Final = {"plate": 1, "vehicle": 0, "scene": 2}
"""Order of trying by role. The detector wants some car around a plate, so the cut-out of
the plate alone comes second."""


def load(event: EventStored, media: MediaStore, roles: Mapping[str, int]) -> Iterator[Picture | str]:
    """Each picture of these roles, or the reason why there is none, best role first."""
    return (picture for _, picture in load_by_role(event.pictures, media, roles))


def load_by_role(
    pictures: Sequence[StoredPicture], media: MediaStore, roles: Mapping[str, int]
) -> Iterator[tuple[str, Picture | str]]:
    """The same with the role of each."""
    ranked = sorted((roles[one.role], index) for index, one in enumerate(pictures) if one.role in roles)
    for _, index in ranked:
        yield pictures[index].role, _fetch(media, pictures[index].media_id)


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
