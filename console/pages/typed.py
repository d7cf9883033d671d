"""What was typed into a form, shown again when it is refused."""

from typing import Any


class AsTyped(dict[str, Any]):
    """The fields by name; one that nobody filled is empty. `form`: of several on a page, which one."""

    def __missing__(self, name: str) -> str:
        return ""

    def of(self, form: str) -> "AsTyped":
        """What was typed into this form of the page; nothing where it was another one."""
        return self if self["form"] == form else AsTyped()
