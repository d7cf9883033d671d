"""What is wrong with a file or a row of it, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from console.texts.catalogue import Texts


def fault_text(texts: Texts, code: str, facts: Mapping[str, Any]) -> str:
    """The text of a fault; of one of a photo that of the photo, of an unknown one its code."""
    key = next((key for key in (f"fault.{code}", f"photo.{code}") if key in texts.keys), None)
    if key is None:
        return code
    try:
        return texts(key, **facts) if facts else texts(key)
    except KeyError:
        return code
