"""By what a person is recognised in records of passages: numbers, plates, references.

Once the registry has forgotten a person, only these still find the person in the event log.
They are kept sealed with the person's own key until that is done, and go with the key.
"""

import base64
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from privacy.erasure.hearsay import recognised
from registry import lookups, spelling
from registry.plates import normalise
from storage.keys import current_ring
from storage.vault import ShreddedError, current_vault, open_bytes

_FIELD = "erasure"


@dataclass(frozen=True, slots=True)
class Marks:
    """What points at one person.

    `refs` are numbers of credentials in one spelling; `ref_keys` their keyed hashes, which are
    all that is left of them in a restored backup; `words` may stand in what operators wrote, and
    `word_keys` are their hashes where they cannot be read any more.
    """

    person: str
    compound: str
    refs: list[str] = field(default_factory=list)
    ref_keys: list[str] = field(default_factory=list)
    terminal_refs: list[str] = field(default_factory=list)
    vehicles: list[str] = field(default_factory=list)
    plates: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    word_keys: list[str] = field(default_factory=list)

    def of_credential(self, kind: Any, ref: Any) -> bool:
        """Whether a credential that was presented is one of this person's."""
        if not isinstance(ref, str) or not ref:
            return False
        if spelling.card(ref) in self.refs or ref in self.terminal_refs:
            return True
        return bool(self.ref_keys) and (
            isinstance(kind, str) and lookups.credential_key(self.compound, kind, ref) in self.ref_keys
        )

    def of_plate(self, text: Any) -> bool:
        """Whether a plate, however it is written, is of a vehicle that goes with this person."""
        return bool(self.plates) and isinstance(text, str) and normalise(text) in self.plates

    def of_text(self, text: str) -> bool:
        """Whether a whole value says who this is."""
        return (
            text == self.person
            or text in self.vehicles
            or text in self.terminal_refs
            or text in self.words
            or (bool(self.refs) and spelling.card(text) in self.refs)
            or self.of_plate(text)
        )

    def seal(self) -> str:
        """For a step of the erasure; unreadable once the person's key is shredded."""
        content = msgspec.json.encode(asdict(self))
        try:
            sealed = current_vault().seal(self.person, _FIELD, content)
        except ShreddedError:
            # After a restore: the key is gone already, and the step will be in a moment.
            sealed = current_ring().seal(content)
        return base64.b64encode(sealed).decode()


def opened(person_id: str, sealed: str) -> Marks | None:
    """The marks that were sealed; None once the key is gone."""
    plain = open_bytes(person_id, _FIELD, base64.b64decode(sealed))
    return None if plain is None else msgspec.json.decode(plain, type=Marks)


def scrub(value: Any, marks: Marks) -> Any:
    """A JSON value without anything that says who it was: such texts become None."""
    if isinstance(value, str):
        return None if marks.of_text(value) else value
    if isinstance(value, dict):
        return {key: scrub(inner, marks) for key, inner in value.items()}
    if isinstance(value, list):
        return [scrub(inner, marks) for inner in value]
    return value


def struck(text: str | None, marks: Marks) -> str | None:
    """Free text with the person's name, numbers and plates struck out."""
    if text is None:
        return None
    told = recognised(text, marks.compound, marks.word_keys)
    for word in sorted({*marks.words, *marks.plates, *marks.refs, *told}, key=len, reverse=True):
        # One character, or a short PIN, would strike out half of what is written.
        if len(word) > 1 and not (word.isdigit() and len(word) < 5):
            text = text.replace(word, "▇▇")
    return text
