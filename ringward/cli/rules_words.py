"""In which language the rules' commands speak."""

import locale
import os
from typing import Annotated

import typer

from console.texts import Texts, load, locale_of

Language = Annotated[
    str | None, typer.Option("--lang", help="zh-CN or en; by itself the terminal's language.")
]


def texts_in(lang: str | None) -> Texts:
    """The texts of a language; English where the terminal's is neither."""
    wanted = lang or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return load(locale_of(wanted or locale.getlocale()[0]) or "en")
