"""Writes docs/settings.md from `ringward.settings`: `python docs/generate.py`.

With `--check` nothing is written; the exit code says whether the file is up to date.
"""

import sys
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ringward.settings import Settings

PAGE = Path(__file__).with_name("settings.md")

HEAD = """# Settings

<!-- Written by docs/generate.py from ringward/settings.py. Change it there. -->

A setting comes from the environment (`RINGWARD_…`), else from `ringward.toml` in the working directory (the
lower-case name without the prefix), else from its default. A name that does not exist is refused, and so is
a value outside its range. Some commands take `--data-dir`, `--http-port` and `--mqtt-port`, which stand above
all three.

```toml
# ringward.toml
data_dir = "/var/lib/ringward"
mqtt_host = "192.168.10.2"
compound = "honghua"
```

Keep the two passwords out of the file: set them in the environment.

| Setting | Environment | Type and range | Default | What it does |
|---|---|---|---|---|
"""


def render() -> str:
    """The whole page."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = (
        field.title or name,
        f"`RINGWARD_{name.upper()}`",
        _type(field),
        _default(field.default),
        field.description or "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(field: FieldInfo) -> str:
    parts = [_name(field.annotation)]
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif getattr(rule, "pattern", None):
            parts.append(f"`{rule.pattern}`")
    if low is not None or high is not None:
        parts.append(f"{low if low is not None else ''}…{high if high is not None else ''}")
    return ", ".join(parts)


def _name(annotation: Any) -> str:
    if get_origin(annotation) in {Union, types.UnionType}:
        return " or ".join(_name(part) for part in get_args(annotation) if part is not types.NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    return {str: "text", int: "whole number", Path: "path", SecretStr: "secret"}.get(
        annotation, str(annotation)
    )


def _default(value: object) -> str:
    return "none" if value is None else f"`{value}`"


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    text = render()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
