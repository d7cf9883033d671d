"""What a message says beyond the fields that an adapter reads: kept where it may be, named where not."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from devices.adapters.canonical import MAX_DEPTH, is_unwanted, spelling
from devices.adapters.contract import RefusedError
from devices.adapters.fields import MAX_TEXT

_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


def leftovers(
    data: Mapping[str, Any], known: Collection[str], private: Collection[str] = (), path: str = ""
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What to keep of `data` beside its `known` fields, and the paths of what is taken out unread.

    Taken out, at any depth: what is sensitive or names a person, and the vendor's own words for
    that (`private`, in any case). Empty values say nothing and are left out; long text is cut.
    Raises `RefusedError`: invalid_field for what is nested too deeply.
    """
    taken: list[str] = []
    hidden = frozenset(map(spelling, private))
    rest = {name: value for name, value in data.items() if name not in known}
    kept = _object(rest, hidden, path, taken, 0)
    return kept, tuple(dict.fromkeys(taken))


def _object(
    data: Mapping[str, Any], hidden: frozenset[str], path: str, taken: list[str], depth: int
) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"nested more than {MAX_DEPTH} deep")
    kept: dict[str, Any] = {}
    for given, value in data.items():
        name = _clean(str(given))
        here = f"{path}.{name}" if path else name
        if value in _NOTHING:
            continue
        if is_unwanted(name) or spelling(name) in hidden:
            taken.append(here)
            continue
        item = _value(value, hidden, here, taken, depth + 1)
        if item not in _NOTHING:
            kept[name] = item
    return kept


def _value(value: Any, hidden: frozenset[str], path: str, taken: list[str], depth: int) -> Any:
    if isinstance(value, dict):
        return _object(value, hidden, path, taken, depth)
    if isinstance(value, list):
        if depth > MAX_DEPTH:
            raise RefusedError("invalid_field", f"nested more than {MAX_DEPTH} deep")
        return [_value(item, hidden, f"{path}[]", taken, depth + 1) for item in value]
    if isinstance(value, str):
        return _clean(value)
    return value


def _clean(said: str) -> str:
    # PostgreSQL has no text with a zero character in it.
    return said.replace("\0", "").strip()[:MAX_TEXT]
