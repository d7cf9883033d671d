"""A guide as a page: Markdown to HTML without raw HTML, its links and pictures those of the product.

A heading's id is the English heading's in both languages, so that one link fits every reader. Where the
two texts do not have the same headings, each has its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from console.guides.shelf import DOCS, GUIDES, Guide

_PICTURE: Final = re.compile(r"screenshots/([\w-]+\.(?:webp|svg))")
_PICTURE_NAME: Final = re.compile(r"[\w-]+\.(?:webp|svg)")
# The one tag that the guides need where they are read elsewhere: a picture with a width.
_SIZED: Final = re.compile(
    r'^<img src="(screenshots/[\w-]+\.webp)" alt="([^"<>\[\]]*)" width="\d+">$', re.MULTILINE
)
_PAGE: Final = re.compile(r"([a-z-]+?)(\.zh-CN)?\.md(?:#(.*))?")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading to jump to; `level` 2 or deeper."""

    id: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Page:
    """A guide to read. `html` is made from our own file, everything in it escaped by the renderer."""

    title: str
    headings: tuple[Heading, ...]
    html: Markup
    lang: str


def title(guide: Guide, lang: str) -> str:
    """What a guide is called: its first heading."""
    return _headings(guide, lang)[0].text


def read(guide: Guide, lang: str) -> Page:
    """A guide in the reader's language. Raises `FileNotFoundError` where the package lacks it."""
    file = guide.file(lang)
    return _read(guide, lang, file.stat().st_mtime_ns)


def picture(name: str) -> Path | None:
    """The file of a picture; None for what is none of ours."""
    file = DOCS / "screenshots" / name
    return file if _PICTURE_NAME.fullmatch(name) and file.is_file() else None


@lru_cache(maxsize=64)
def _read(guide: Guide, lang: str, _written: int) -> Page:
    headings = _headings(guide, lang)
    ids = iter(headings)
    tokens = _parse(guide.file(lang))
    last = headings[0]
    for token in tokens:
        if token.type == "heading_open":
            last = next(ids)
            token.attrSet("id", last.id)
        elif token.type == "table_open":
            token.meta["about"] = last.id
        elif token.type == "inline" and token.children:
            token.children = list(_ours(token.children, guide, lang))
        elif token.type in {"th_open", "td_open"} and "style" in token.attrs:
            # Our pages carry no inline style.
            token.attrSet("class", str(token.attrs.pop("style")).removeprefix("text-align:"))
    # The title is the page's own, and the line beneath leads to the other language.
    body = _without_other_language(tokens[3:])
    html = Markup(_MARKDOWN.renderer.render(body, _MARKDOWN.options, {}))  # noqa: S704 - raw HTML is off
    shown = "zh-CN" if guide.file(lang).name.endswith(".zh-CN.md") else "en"
    return Page(headings[0].text, tuple(one for one in headings[1:] if one.level <= 3), html, shown)


@lru_cache(maxsize=64)
def _headings(guide: Guide, lang: str) -> tuple[Heading, ...]:
    own = _bare_headings(guide.file(lang))
    english = _bare_headings(guide.file("en"))
    same = [one.level for one in own] == [one.level for one in english]
    names = [one.id for one in (english if same else own)]
    return tuple(Heading(name, one.text, one.level) for name, one in zip(names, own, strict=True))


def _bare_headings(file: Path) -> list[Heading]:
    """A file's headings with the ids that they have where the file is read in its repository."""
    tokens = _parse(file)
    found: list[Heading] = []
    seen: dict[str, int] = {}
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open":
            text = "".join(part.content for part in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            seen[slug] = seen.get(slug, -1) + 1
            found.append(
                Heading(
                    f"{slug}-{seen[slug]}" if seen[slug] else slug, text, int(opened.tag.removeprefix("h"))
                )
            )
    return found


def _parse(file: Path) -> list[Token]:
    return _MARKDOWN.parse(_SIZED.sub(r"![\2](\1)", file.read_text("utf-8")))


def _ours(children: Sequence[Token], guide: Guide, lang: str) -> Iterator[Token]:
    """Links that lead to a page of the product or out of it; what leads to a file is text."""
    kept: list[bool] = []
    for child in children:
        if child.type == "link_open":
            href = _href(str(child.attrs["href"]), guide, lang)
            kept.append(href is not None)
            if href is not None:
                child.attrSet("href", href)
                yield child
        elif child.type != "link_close" or kept.pop():
            yield child


def _href(href: str, guide: Guide, lang: str) -> str | None:
    if href.startswith("https://"):
        return href
    if href.startswith("#"):
        return f"#{_anchor(guide, lang, href[1:])}"
    found = _PAGE.fullmatch(href)
    target = GUIDES.get(found[1]) if found else None
    if found is None or target is None:
        return None
    anchor = _anchor(target, "zh-CN" if found[2] else "en", found[3]) if found[3] else ""
    return f"/help/{target.name}" + (f"#{anchor}" if anchor else "")


def _anchor(guide: Guide, lang: str, fragment: str) -> str:
    slug = unquote(fragment)
    own = _bare_headings(guide.file(lang))
    return next(
        (one.id for one, bare in zip(_headings(guide, lang), own, strict=True) if bare.id == slug), slug
    )


def _without_other_language(tokens: Sequence[Token]) -> list[Token]:
    first = tokens[1].children if len(tokens) > 1 else None
    if first and first[0].type == "link_open" and len(first) == 3 and tokens[0].type == "paragraph_open":
        return list(tokens[3:])
    return list(tokens)


def _image(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    found = _PICTURE.fullmatch(str(token.attrs["src"]))
    if found is None or picture(found[1]) is None:
        return Markup('<span class="no-picture">{}</span>').format(token.content)
    return Markup('<img src="/help/pictures/{}" alt="{}" loading="lazy">').format(found[1], token.content)


def _table(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:
    about = escape(tokens[index].meta["about"])
    return Markup(
        '<div class="dragged" tabindex="0" role="region" aria-labelledby="{}"><table class="table">'
    ).format(about)


def _table_end(*_: Any) -> str:
    return "</table></div>\n"


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    rules: Mapping[str, Any] = {"image": _image, "table_open": _table, "table_close": _table_end}
    for name, rule in rules.items():
        made.add_render_rule(name, rule)
    return made


_MARKDOWN: Final = _markdown()
