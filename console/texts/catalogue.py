"""One language's catalogue: keys to texts."""

import functools
import gettext
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = ("zh_CN", "en")
_FOLDER: Final = Path(__file__).parent


class Texts:
    """The texts of one language. Calling it with a key gives the text, its blanks filled.

    A key without a text is given back as it is: an operator can still act on
    `device_offline`, but not on an error page.
    """

    def __init__(self, locale: str, translations: gettext.NullTranslations, keys: frozenset[str]) -> None:
        self.locale = locale
        self.keys = keys
        self._translations = translations

    @property
    def lang(self) -> str:
        """The language tag for HTML, e.g. `zh-CN`."""
        return self.locale.replace("_", "-")

    def __call__(self, key: str, **blanks: Any) -> str:
        text = self._translations.gettext(key)
        return text % blanks if blanks else text

    def code(self, group: str, code: str | None) -> str:
        """The text of a code, e.g. `code("state", "raised")`; the code itself where it has none."""
        if not code:
            return ""
        key = f"{group}.{code}"
        return self(key) if key in self.keys else code

    def sentence(self, key: str, blanks: Mapping[str, Any]) -> str:
        """A text whose blanks may be unknown: then its `.plain` form, which has none to fill."""
        try:
            return self._translations.gettext(key) % blanks
        except KeyError:
            return self._translations.gettext(f"{key}.plain")


def read(locale: str) -> Catalog:
    """All `.po` files of a language as one catalogue."""
    merged = Catalog(locale=locale)
    for path in sorted((_FOLDER / locale).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id:
                    merged[message.id] = message
    return merged


@functools.cache
def load(locale: str) -> Texts:
    """The texts of one of `LOCALES`."""
    catalog = read(locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    keys = frozenset(str(message.id) for message in catalog if message.id and message.string)
    return Texts(locale, gettext.GNUTranslations(compiled), keys)
