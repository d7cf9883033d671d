"""Everything the console says, in Chinese (zh-CN) and English.

Catalogues are gettext `.po` files with symbolic keys, so that a text missing in one
language is visible as a missing key instead of hiding behind the other language. They
are compiled in memory at start: a translator edits a file, nobody runs a build step.
"""

from console.texts.catalogue import LOCALES, Texts, load
from console.texts.negotiate import COOKIE, locale_of, negotiate

__all__ = ["COOKIE", "LOCALES", "Texts", "load", "locale_of", "negotiate"]
