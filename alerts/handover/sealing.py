"""Digests of hand-overs: what two people signed can be told from anything else. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, whichever order its keys are in."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def sealed(facts: Mapping[str, Any], notes: Iterable[tuple[str, str]]) -> str:
    """Of facts and notes (id, digest of the text) together: what is signed."""
    return digest({"facts": facts, "notes": [list(note) for note in notes]})
