"""What a process of devices is asked to do."""

from typing import Literal

import msgspec

Kind = Literal["native", "facesluice", "haan", "doors"]


class Work(msgspec.Struct, frozen=True):
    """Each of `devices` says `count` records, `rate` of them a second (0: as fast as it goes).

    Every `picture_every`-th carries a picture of `picture_bytes`, every `poison_every`-th is none that
    can be read; 0 for none. Records are numbered from `first`. `says` is the kind of event of the native
    ones. Of `doors` all together are forced `rate` times a second, `count` times in all.
    """

    kind: Kind
    host: str
    port: int
    compound: str
    secret: str
    devices: tuple[str, ...]
    journal: str
    count: int
    rate: float = 0.0
    first: int = 0
    picture_every: int = 0
    picture_bytes: int = 10_000
    poison_every: int = 0
    says: str = "access.granted"
