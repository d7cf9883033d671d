"""GB/T 28181 Annex D, rule A: the 20 digits of a device's code (设备编码).

`CCCCCCCC II TTT N SSSSSS`: centre (GB/T 2260: province, city, district, basic unit), industry,
type, network, serial.
"""

from dataclasses import dataclass
from typing import Final

# GB/T 2260, first level.
_PROVINCES: Final = frozenset(
    [
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        81,
        82,
    ]
)
# 00–11 public services, 40–55 enterprises, 80–89 residents' own, 90–99 others.
_INDUSTRIES: Final = frozenset({*range(12), *range(40, 56), *range(80, 100)})
# The editions of 2016 and 2022.
_TYPES: Final = frozenset(
    {*range(111, 126), *range(130, 144), 200, 205, 215, 216, 300, 400, *range(500, 506)}
)


class CodeError(ValueError):
    """`reason` is what is wrong: length, digits, province, industry or type."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class GbCode:
    """The parts of a code, as its digits."""

    centre: str
    industry: str
    type: str
    network: str
    serial: str


def parse(code: str) -> GbCode:
    """Raises `CodeError`."""
    if len(code) != 20:
        raise CodeError("length")
    if not (code.isascii() and code.isdigit()):
        raise CodeError("digits")
    if int(code[:2]) not in _PROVINCES:
        raise CodeError("province")
    if int(code[8:10]) not in _INDUSTRIES:
        raise CodeError("industry")
    if int(code[10:13]) not in _TYPES:
        raise CodeError("type")
    return GbCode(code[:8], code[8:10], code[10:13], code[13], code[14:])
