"""One line on the terminal that says how far long work has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """Gives what takes a place and a count; to standard error, and nothing where nobody looks."""
    errors = Console(stderr=True, highlight=False)
    if quiet or not errors.is_terminal:
        yield lambda _what, _count: None
        return
    with errors.status("…") as status:
        yield lambda what, count: status.update(f"{what}: {count:,}")
