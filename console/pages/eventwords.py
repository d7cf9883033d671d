"""What an event is called where a page shows it: the end of a condition must not pass for a new one."""

from console.texts import Texts
from storage.events import EventRow


def what(event: EventRow, t: Texts) -> str:
    """The type in words, with the word that it is over where the device says so."""
    said = t.code("event", event.type)
    ended = event.body.get("attributes", {}).get("ended")
    return t("feed.over", what=said) if ended else said
