"""What is wrong with a rules file, or strange in it: a code, a line, and what would be right. Pure.

The words are in the text catalogue (`rulebook.<code>`, `rulebook.hint.<hint>`), in both languages.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is the key, dotted, as a person would look for it. An error keeps the file out."""

    line: int
    code: str
    where: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    # What to do about it: a code; its blanks are filled from the same facts.
    hint: str | None = None
    error: bool = True

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "line": self.line,
            "level": "error" if self.error else "warning",
            "code": self.code,
            "where": self.where,
            "facts": dict(self.facts),
            "hint": self.hint,
        }


class Findings:
    """Collects what is found in one file."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def error(self, line: int, code: str, where: str = "", hint: str | None = None, **facts: Any) -> None:
        """Keeps the file from being taken in."""
        self._found.append(Finding(line, code, where, facts, hint))

    def warn(self, line: int, code: str, where: str = "", hint: str | None = None, **facts: Any) -> None:
        """Is said, and taken in all the same."""
        self._found.append(Finding(line, code, where, facts, hint, error=False))

    def unknown(self, line: int, code: str, where: str, name: str, known: Iterable[str]) -> None:
        """A name that there is none of: the nearest one is suggested, or all of a few."""
        known = sorted(known)
        guess = nearest(name, known)
        if guess is not None:
            self.error(line, code, where, "did_you_mean", name=name, guess=guess)
        elif known:
            shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
            self.error(line, code, where, "one_of", name=name, known=shown)
        else:
            self.error(line, code, where, "none_there", name=name)

    def all(self) -> tuple[Finding, ...]:
        """By line; of one line in the order in which they were found."""
        return tuple(sorted(self._found, key=lambda finding: finding.line))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, None where nothing is near."""
    known = list(known)
    by_case = {one.casefold(): one for one in known}
    for one in known:
        # R-E1 is R-E01 rather than R-E11.
        if _without_zeros(one) == _without_zeros(name):
            return one
    close = difflib.get_close_matches(name.casefold(), by_case, n=1, cutoff=0.6)
    if close:
        return by_case[close[0]]
    starting = [one for one in known if len(name) > 2 and one.casefold().startswith(name.casefold())]
    return starting[0] if len(starting) == 1 else None


def _without_zeros(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold())
