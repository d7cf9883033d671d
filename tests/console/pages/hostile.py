"""Texts that try to be more than text, and how a page tells that one of them came to life.

Every element that a text tries to make bears the attribute `rwx`, every script sets `window.rwx`, and every
address that would be asked for holds `rwx-asked`: so it shows by itself.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

_RUN: Final = "window.rwx=1"
_IMAGE: Final = f"<img rwx src=x onerror={_RUN}>"

TEXTS: Final[tuple[str, ...]] = (
    # Markup of its own.
    f"<script rwx>{_RUN}</script>",
    "<ScRiPt rwx src=/rwx-asked.js></ScRiPt>",
    _IMAGE,
    f"<svg rwx onload={_RUN}>",
    f"<svg rwx><animate rwx onbegin={_RUN} attributeName=x dur=1s>",
    f"<svg rwx><script rwx>{_RUN}</script></svg>",
    "<svg rwx><use rwx href='/rwx-asked.svg#a'/></svg>",
    f"<math rwx><mtext rwx><style rwx><img rwx src onerror={_RUN}></style></mtext></math>",
    f"<details rwx open ontoggle={_RUN}>",
    f"<input rwx autofocus onfocus={_RUN}>",
    f"<body rwx onload={_RUN}>",
    "<iframe rwx srcdoc='<script>parent.rwx=1</script>'></iframe>",
    "<iframe rwx src=/rwx-asked></iframe>",
    "<object rwx data=/rwx-asked></object>",
    "<embed rwx src=/rwx-asked>",
    "<base rwx href=//rwx-asked.example/>",
    "<meta rwx http-equiv=refresh content='0;url=/rwx-asked'>",
    "<link rwx rel=stylesheet href=/rwx-asked.css>",
    "<style rwx>*{background:url(/rwx-asked)}</style>",
    "<form rwx action=//rwx-asked.example><button rwx>OK</button></form>",
    "<a rwx href='javascript:window.rwx=1'>here</a>",
    "<video rwx><source rwx onerror=window.rwx=1></video>",
    "<!--><img rwx src=x onerror=window.rwx=1>-->",
    "<![CDATA[<b rwx>]]><?xml rwx?>",
    "<template rwx><b rwx>x</b></template>",
    # Out of what surrounds it.
    f'">{_IMAGE}',
    f"'>{_IMAGE}",
    f'" onmouseover="{_RUN}" rwx="',
    f"' onmouseover='{_RUN}' rwx='",
    f"x onmouseover={_RUN} rwx=",
    f"` onmouseover={_RUN} rwx=`",
    f'" autofocus onfocus="{_RUN}" rwx style="position:fixed',
    f"</title><script rwx>{_RUN}</script>",
    f"</textarea>{_IMAGE}",
    f"</option></select>{_IMAGE}",
    f"</style></script><script rwx>{_RUN}</script>",
    f"</template></noscript>{_IMAGE}",
    f"--><script rwx>{_RUN}</script>",
    f"]]></title></svg>{_IMAGE}",
    f'"}}]</script><script rwx>{_RUN}</script>',
    f"'-({_RUN})-'\\';{_RUN}//",
    '{"__proto__":{"rwx":1},"a":"\\u003cimg rwx src=x onerror=window.rwx=1\\u003e"}',
    # What htmx would obey.
    '<div rwx hx-get="/rwx-asked" hx-trigger="load">',
    '<div rwx data-hx-post="/rwx-asked" data-hx-trigger="load">',
    '<div rwx hx-on:click="window.rwx=1" hx-on--load="window.rwx=1">',
    '" hx-get="/rwx-asked" hx-trigger="load" rwx="',
    '" data-url="/rwx-asked" data-incident="rwx" rwx="',
    # Addresses.
    f"javascript:{_RUN}",
    f" \tjava\nscript:{_RUN}//",
    f"data:text/html,<script>{_RUN}</script>",
    "//rwx-asked.example/x",
    "\\\\rwx-asked.example\\x",
    "https://rwx-asked.example/",
    "../../../../etc/passwd?rwx#rwx",
    "%3Cscript rwx%3Ewindow.rwx=1%3C/script%3E%00",
    # Headers, templates, formats, sheets, queries.
    'rwx\r\nSet-Cookie: rwx=1\r\n\r\n"; filename="rwx.html',
    "{{ 7 * 7 }}{% raw %}{{ config }}{# rwx #}",
    "${window.rwx=1}#{7*7}<%= 7*7 %>",
    "%(n)s %s %d {0} {name!r} %",
    '=HYPERLINK("//rwx-asked.example","OK")',
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "+1-1",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "'; DROP TABLE people; --",
    "\U0001f600 & <speak><audio src='//rwx-asked.example'/></speak>",
    # What the eye cannot see, or sees wrongly.
    "\u202egnp.exe\u202c",
    "\u2066\u202erwx\u2069 \u200b\u200c\u200d\ufeffx",
    "\x00\x01\x07\x08\x0b\x0c\x1b[31mred\x7f\x85",
    "&lt;img rwx src=x onerror=window.rwx=1&gt;&#60;b rwx&#62;",
    "\uff1cscript rwx\uff1e\u2028\u2029<b rwx>",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \ufdfd Z\u0338\u0321\u0322\u031b\u0354\u0359\u036da\u0337l\u0336g\u0334o",
    "W" * 400 + "<b rwx>",
    "很长的名字" * 120 + "<i rwx>",
)
# Where only so many characters are taken, these fit.
SHORT: Final[tuple[str, ...]] = (
    "<b rwx>", '"><b rwx>', "'><b rwx>", '" rwx="', "' rwx='", "=1+1", "-1+1", "@A1", "{{7*7}}", "\u202e\x00\u200b", "&lt;b&gt;",
    "//rwx.cn",
)  # fmt: skip

_ADDRESSES: Final = frozenset(
    {"href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "cite", "data-url", "sse-connect"}
    | {"hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"}
)  # fmt: skip
_OURS: Final = re.compile(r"(?:/(?![/\\])|[#?]|tel:|mailto:|data:image/|$)")
_NEVER: Final = frozenset({"iframe", "object", "embed", "base", "style", "frame", "applet", "audio", "math"})
# Escapes of escapes: what somebody would see as `&#34;`.
_TWICE: Final = re.compile(r"&amp;(?:#3[49]|#x27|quot|apos);")
_FORMULA: Final = re.compile(r"[=+@\t\r\x00-]")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?%?$|-$")


class _Watch(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        wrong = [
            *([f"<{tag}> is none of ours"] if "rwx" in told or "<" in tag or tag in _NEVER else []),
            *(f"{name}= on <{tag}>" for name in told if name.startswith(("on", "hx-on"))),
            *([f"style= on <{tag}>"] if "style" in told or "srcdoc" in told else []),
            *(
                f"{n}={v!r} on <{tag}>"
                for n, v in told.items()
                if n in _ADDRESSES and not _OURS.match(v or "")
            ),
            *(["a script of the page's own"] if tag == "script" and not _is_file(told) else []),
            *(["a page that goes elsewhere"] if tag == "meta" and "http-equiv" in told else []),
        ]
        self.found += [f"{one} (line {self.getpos()[0]})" for one in wrong]


def _is_file(told: dict[str, str | None]) -> bool:
    return (told.get("src") or "").startswith("/static/") or told.get("type") == "application/json"


def alive(html: str) -> list[str]:
    """What in a page is more than text, or was escaped twice; empty if nothing is."""
    watch = _Watch()
    watch.feed(html)
    watch.close()
    return [
        *watch.found,
        *(f"escaped twice: {html[m.start() - 20 : m.end() + 20]!r}" for m in _TWICE.finditer(html)),
    ]


def is_formula(cell: str) -> bool:
    """Whether a sheet's program would reckon with a cell rather than show it."""
    return bool(_FORMULA.match(cell)) and not _NUMBER.match(cell)


class Marked:
    """Hands out the texts round and round, each with a mark of its own by which it is found again."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self.places: list[str] = []

    def __call__(self, place: str, most: int = 5_000) -> str:
        """The next text for a place that takes so many characters, at least four."""
        mark = f"~{len(self.places):x}~"
        self.places.append(place)
        turn = len(self.places) + self._first
        texts = TEXTS if most >= 64 else SHORT
        return texts[turn % len(texts)][: max(most - len(mark), 0)] + mark[:most]

    def seen(self, shown: str) -> Iterator[str]:
        """The places whose text is found in what was shown."""
        for number in {int(found, 16) for found in re.findall(r"~([0-9a-f]+)~", shown)}:
            if number < len(self.places):
                yield self.places[number]
