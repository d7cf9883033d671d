"""What a rest day is called: by the national notice in the reader's language, by the compound as given."""

import re

from console.texts import Texts


def holiday(t: Texts, name: str) -> str:
    """`Spring Festival` as the reader says it; what the notice does not know stays as it is."""
    return t.code("holiday", key) if (key := _key(name)) and f"holiday.{key}" in t.keys else name


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("'", "")).strip("_")
