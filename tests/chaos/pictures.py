"""Whether every picture that an event names is there and can be opened."""

from sqlalchemy import select

from storage import Database, MediaStore
from storage.events import EventRow
from storage.media import MediaNotFoundError


def unreadable(database: Database, media: MediaStore) -> list[str]:
    """Ids of the events that name a picture which is missing or broken."""
    with database.read() as session:
        rows = session.execute(select(EventRow.id, EventRow.body)).all()
    return [
        row.id
        for row in rows
        if not all(_opens(media, picture["media_id"]) for picture in row.body.get("pictures") or ())
    ]


def _opens(media: MediaStore, media_id: str) -> bool:
    try:
        return len(media.get(media_id)) > 0
    except (MediaNotFoundError, OSError, ValueError):
        return False
