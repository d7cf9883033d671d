"""Chinese numerals in addresses, as digits: "十二幢" → "12幢", "一八零一室" → "1801室"."""

import re
from typing import Final

_DIGITS: Final = {c: i % 10 for i, c in enumerate("零一二三四五六七八九〇")} | {"两": 2}
# Only beside a word that counts, so that the numerals in the names of compounds stay.
_NUMERAL: Final = re.compile(
    r"[零〇一二两三四五六七八九十百]+(?=号|幢|栋|座|单元|[层楼室户门梯房#区期])"
    r"|(?<=[元层幢栋座楼号#铺库-])[零〇一二三四五六七八九]{2,}"
)


def to_digits(text: str) -> str:
    """The text with the numerals that number a place in it turned into digits."""
    return _NUMERAL.sub(lambda found: _value(found[0]), text)


def _value(numeral: str) -> str:
    """By place ("一八零一") or by tens ("二十三")."""
    if "十" not in numeral and "百" not in numeral:
        return "".join(str(_DIGITS[character]) for character in numeral)
    total = pending = 0
    for character in numeral:
        if character in "十百":
            total += (pending or 1) * (10 if character == "十" else 100)
            pending = 0
        else:
            pending = _DIGITS[character]
    return str(total + pending)
