"""Who and what the story of the day speaks about, by name of role.

The generator makes them exist, the story and the pictures refer to them. The people
are invented; so are the plates.
"""

import zlib
from typing import Final

from ringward.demo.plan import PREFIX

RESIDENT_A: Final = f"{PREFIX}-p0001"
RESIDENT_B: Final = f"{PREFIX}-p0002"
"""Two residents with enrolled faces; each is the head of the household below."""

HOUSEHOLD_A: Final = f"{PREFIX}-h0001"
HOUSEHOLD_B: Final = f"{PREFIX}-h0002"
DWELLING_A: Final = f"{PREFIX}-b03-u1-0502"
DWELLING_B: Final = f"{PREFIX}-b12-u2-0801"

PLATE_A: Final = "云M6F3K8"
PLATE_B: Final = "云MD58213"  # new energy
PLATE_LOOKALIKE: Final = "云M8BL26"
"""A resident's; a courier drives `PLATE_COURIER`, which differs in one look-alike glyph."""

REGISTERED_PLATES: Final = (PLATE_A, PLATE_B, PLATE_LOOKALIKE)

PLATE_COURIER: Final = "云M88L26"
PLATE_UNKNOWN: Final = "川A7P9K2"
PLATE_WATCHED: Final = "云A3X7Y5"
PLATE_VISITOR: Final = "云M2T5N6"
FOREIGN_PLATES: Final = (PLATE_UNKNOWN, PLATE_WATCHED, PLATE_VISITOR)
"""Registered to nobody, and far enough from every registered plate to be no near match."""

TENANCY_ENDED: Final = f"{PREFIX}-b05-u2-0702"
"""The dwelling whose tenant's lease ended yesterday (rule R-B04)."""
TENANT: Final = f"{PREFIX}-p0003"

DWELLING_ELDER: Final = f"{PREFIX}-b03-u2-0301"
ELDER: Final = f"{PREFIX}-p0004"
"""Lives alone, and has agreed that somebody looks after her (rule R-B09)."""
ELDER_HOUSEHOLD: Final = 4
"""The number of her household."""

PASS_VISITOR: Final = f"{PREFIX}-pass-1"
PASS_COURIER: Final = f"{PREFIX}-pass-2"
PASS_DELIVERY: Final = f"{PREFIX}-pass-3"
PASSES: Final = (PASS_VISITOR, PASS_COURIER, PASS_DELIVERY)

SCHOOL_RUN: Final = tuple(f"school-{number}" for number in range(14))
DANCERS: Final = tuple(f"dancer-b{number:02d}" for number in range(7, 12))
CARD_HOLDERS: Final = {
    "refuser": "b04",
    "commuter": "b15",
    "late": "b16",
    "evening": "b14",
    "neighbour": "b12",
    "out_of_date": "b19",
    **{role: f"b{number + 2:02d}" for number, role in enumerate(SCHOOL_RUN)},
    **{role: role.removeprefix("dancer-") for role in DANCERS},
}
"""Who shows a card in the story, and the building that each lives in."""


def card(role: str) -> str:
    """The number on the card of somebody in the story."""
    return f"{zlib.crc32(role.encode()):08X}"
