"""An evaluation of plates as one flat object, in the shape that every benchmark has, and as a page."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from recognition.evaluation.plates import (
    REGISTERS,
    Rate,
    Register,
    Seen,
    against,
    by_class,
    by_colour,
    by_source,
    colour_named,
    exact,
    invented,
    look_alikes,
    others_exact,
    times,
    wilson,
)
from recognition.plates import PlateReader
from ringward.bench.report import Report, report

SCENE_CEILING_MS: Final = 60.0

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.6rem 0 1.6rem}
th,td{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
caption{text-align:left;font-weight:600}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Registers:
    """Decisions against ``size`` registered plates: with the true ones among them; with none of
    them, many times anew; and with only look-alikes of the true ones.
    """

    size: int
    with_true: Register
    strangers: tuple[Register, ...]
    look_alikes: Register
    wrong_with_true: tuple[int, ...]

    @property
    def wrong_strangers(self) -> float:
        """Mean share of pictures that open to somebody else's plate."""
        return sum(one.wrong.share for one in self.strangers) / len(self.strangers)

    @property
    def wrong_among_all(self) -> float:
        return sum(self.wrong_with_true) / (len(self.wrong_with_true) * max(1, self.with_true.wrong.of))


def registers(seen: Sequence[Seen], size: int, seed: int) -> Registers:
    """Registers are invented from the seed; ``size`` is at least the number of true plates."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    like = sorted({one.label.plate for one in seen})
    true = frozenset(like) | {other for one in seen for other in one.label.others}
    kept = frozenset(like)
    with_true, strangers, wrong = [], [], []
    for _ in range(REGISTERS):
        register = kept | invented(max(0, size - len(kept)), chance, like, true)
        found = against(seen, register)
        with_true.append(found)
        wrong.append(found.wrong.count)
        strangers.append(against(seen, frozenset(invented(size, chance, like, true))))
    twins = frozenset(look_alikes(size, chance, sorted(true)))
    return Registers(size, with_true[0], tuple(strangers), against(seen, twins), tuple(wrong))


def plates_report(reader: PlateReader, seen: Sequence[Seen], found: Registers, seed: int) -> Report:
    figures: dict[str, float] = {"pictures": len(seen)}
    _put(figures, "exact", exact(seen))
    _put(figures, "first_plate_exact", _first_exact(seen))
    _put(figures, "other_plates_exact", others_exact(seen))
    for name, rate in by_source(seen).items():
        _put(figures, f"source_{name or 'root'}_exact", rate)
    for name, rate in by_class(seen).items():
        _put(figures, f"class_{name}_exact", rate)
    for name, rate in by_colour(seen).items():
        _put(figures, f"colour_{name}_exact", rate)
    _put(figures, "colour_named", colour_named(seen))
    _put(figures, "registry_hit", found.with_true.right)
    _put(figures, "registry_near", found.with_true.near)
    _put(figures, "registry_doubted", found.with_true.doubted)
    _put(figures, "registry_wrong", found.with_true.wrong)
    _put(figures, "strangers_wrong", found.strangers[0].wrong)
    _put(figures, "look_alikes_wrong", found.look_alikes.wrong)
    figures["registry_wrong_mean_percent"] = 100 * found.wrong_among_all
    figures["strangers_wrong_mean_percent"] = 100 * found.wrong_strangers
    figures |= times(seen)
    ratios = {}
    if "scene_cpu_p50_ms" in figures:
        ratios["scene_cpu_p50_over_ceiling"] = figures["scene_cpu_p50_ms"] / SCENE_CEILING_MS
    settings = {
        "engine": reader.name,
        "engine_version": reader.version,
        "register": found.size,
        "registers": REGISTERS,
        "seed": seed,
    }
    return report("eval plates", settings, figures, {"scene_ms": SCENE_CEILING_MS}, ratios)


def _first_exact(seen: Sequence[Seen]) -> Rate:
    """The first plate told is on the picture: what an event is decided on."""
    right = [one.first is not None and one.first.text in {one.label.plate, *one.label.others} for one in seen]
    return wilson(sum(right), len(right))


def _put(figures: dict[str, float], name: str, rate: Rate) -> None:
    figures[f"{name}_count"] = rate.count
    figures[f"{name}_of"] = rate.of
    figures[f"{name}_percent"] = 100 * rate.share
    figures[f"{name}_low_percent"] = 100 * rate.low
    figures[f"{name}_high_percent"] = 100 * rate.high


def plates_page(result: Report, seen: Sequence[Seen], found: Registers) -> str:
    return "\n".join(_page(result, seen, found))


def _page(result: Report, seen: Sequence[Seen], found: Registers) -> Iterator[str]:
    title = f"Plates: {result.settings['engine']} {result.settings['engine_version']}"
    yield "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
    yield f"<p>{escape(result.at)}, revision {escape(result.revision)}. {len(seen)} pictures. "
    yield "Intervals are Wilson's, 95 %.</p>"
    rates = [("all pictures", exact(seen)), ("first plate told", _first_exact(seen))]
    rates += [("further plates", others_exact(seen)), ("colour named rightly", colour_named(seen))]
    yield from _rates("Whole plates, exact", rates)
    yield from _rates("By source", by_source(seen).items())
    yield from _rates("By class", by_class(seen).items())
    yield from _rates("By colour", by_colour(seen).items())
    yield from _register(f"Register of {found.size} with the true plates", found.with_true)
    yield from _register(f"Register of {found.size} without them", found.strangers[0])
    yield from _register(f"Register of up to {found.size} look-alikes of them", found.look_alikes)
    yield (
        f"<p>Wrong plate identified, mean over {len(found.strangers)} registers: "
        f"{100 * found.wrong_strangers:.4f} % without the true plates, "
        f"{100 * found.wrong_among_all:.4f} % with them.</p>"
    )
    yield from _table("Milliseconds, one core", ("", "ms"), ((k, f"{v:.1f}") for k, v in times(seen).items()))
    wrong = [
        (one.label.file, one.label.plate, ", ".join(r.text for r in one.reads) or "–")
        for one in seen
        if not one.exact
    ]
    yield from _table("Not read exactly", ("file", "label", "read"), wrong)
    yield "</body></html>"


def _register(caption: str, found: Register) -> Iterator[str]:
    rows = (
        ("identified, rightly", found.right),
        ("identified as another", found.wrong),
        ("to the guard, the true plate named", found.near),
        ("to the guard, otherwise", found.doubted),
    )
    yield from _rates(caption, rows)


def _rates(caption: str, rates: Iterable[tuple[str, Rate]]) -> Iterator[str]:
    rows = (
        (n, f"{r.count} of {r.of}", f"{100 * r.share:.2f} % [{100 * r.low:.2f}, {100 * r.high:.2f}]")
        for n, r in rates
    )
    yield from _table(caption, ("", "count", "share"), rows)


def _table(caption: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    yield f"<table><caption>{escape(caption)}</caption><tr>"
    yield "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>"
    yield "</table>"
