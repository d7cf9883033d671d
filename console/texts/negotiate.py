"""Which language a reader gets: what they chose, else what their browser asks for."""

from typing import Final

COOKIE: Final = "ringward_language"
_DEFAULT: Final = "en"


def locale_of(tag: str | None) -> str | None:
    """The catalogue for a language tag such as `zh-Hans-CN`, or None where there is none."""
    primary = (tag or "").strip().replace("_", "-").partition("-")[0].lower()
    return {"zh": "zh_CN", "en": "en"}.get(primary)


def negotiate(chosen: str | None, accept_language: str | None) -> str:
    """The catalogue's name for a reader; English where nothing they ask for is at hand."""
    picked = locale_of(chosen)
    if picked:
        return picked
    for tag in _by_weight(accept_language or ""):
        picked = locale_of(tag)
        if picked:
            return picked
    return _DEFAULT


def _by_weight(header: str) -> list[str]:
    """Language tags of an Accept-Language header, the most wanted first (RFC 9110 §12.5.4)."""
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            weighted.append((-weight, position, tag))
    return [tag for _, _, tag in sorted(weighted)]
