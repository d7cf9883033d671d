"""Where the keyboard's focus is, whether it can be seen there, and whether it goes the way one reads."""

from typing import Any, Final

from playwright.sync_api import Page

# What has the focus: itself, or why nobody could tell. Its look is compared with the look it has without.
_STOP: Final = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return {lost: true};
  const name = e.tagName.toLowerCase() + (e.id ? '#' + e.id : '')
    + ' ' + (e.getAttribute('aria-label') || e.textContent || e.name || '').trim().slice(0, 30);
  // A file's or a date's field is drawn by the browser, and so are the rings inside it.
  const look = (x) => { const s = getComputedStyle(x); return {outline: s.outlineStyle + s.outlineWidth
    + s.outlineColor, shadow: s.boxShadow, border: s.borderColor + s.borderWidth, back: s.backgroundColor,
    // A place on a plan is drawn, and so is its focus.
    drawn: [...x.querySelectorAll('.zone, .halo')].map(y => getComputedStyle(y).stroke + getComputedStyle(y).strokeWidth).join()}; };
  // Where it is on the page and in what scrolls within it.
  let down = scrollY;
  for (let up = e.parentElement; up && up !== document.body && up !== document.documentElement; up = up.parentElement) down += up.scrollTop;
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const shown = e.matches('input[type=radio], input[type=checkbox]') && getComputedStyle(e).opacity === '0'
    ? (e.nextElementSibling || e.parentElement) : e;
  const with_ = look(shown), style = getComputedStyle(shown);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  let contrast = null;
  if (ring) {
    let under = parseFloat(style.outlineOffset) < 0 ? shown : shown.parentElement;
    while (under && rgb(getComputedStyle(under).backgroundColor)[3] < 255) under = under.parentElement;
    const [a, b] = [rgb(style.outlineColor), under ? rgb(getComputedStyle(under).backgroundColor) : [255, 255, 255]]
      .map(light);
    contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }
  const box = shown.getBoundingClientRect();
  const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
    && box.width > 1 && box.height > 1;
  const at = document.elementFromPoint(Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1),
                                       Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1));
  const covered = inView && at && !shown.contains(at) && !at.contains(shown) && !(at.closest('label')?.contains(e))
    ? at.tagName + '.' + at.className : '';
  e.blur();
  const without = look(shown);
  e.focus({preventScroll: true});
  const differs = Object.keys(with_).some(k => with_[k] !== without[k]);
  window.rwStops = window.rwStops || new Map();
  if (!window.rwStops.has(e)) window.rwStops.set(e, window.rwStops.size);
  return {name, number: window.rwStops.get(e), differs, ring, contrast, inView, covered, back: document.activeElement === e,
          inside: [...document.querySelectorAll('header, nav, main, footer, dialog, section, article, aside, form')].findLastIndex(x => x.contains(e)),
          top: box.top + down, bottom: box.bottom + down, left: box.left};
}"""


def stop(page: Page) -> dict[str, Any]:
    """What has the focus now."""
    found: dict[str, Any] = page.evaluate(_STOP)
    return found


def trouble(found: dict[str, Any]) -> list[str]:
    """What somebody without a mouse would miss where the focus is."""
    if found.get("lost"):
        return ["the focus is nowhere"]
    name = found["name"]
    return [
        *([] if found["differs"] else [f"{name}: looks as without focus"]),
        *([f"{name}: its ring has only {found['contrast']:.1f}:1"] if (found["contrast"] or 9) < 3 else []),
        *([] if found["inView"] else [f"{name}: out of sight"]),
        *([f"{name}: under {found['covered']}"] if found["covered"] else []),
    ]


def tab_through(page: Page, most: int = 120) -> tuple[list[str], list[str]]:
    """Presses Tab until it comes round; gives what was gone to, and what was wrong on the way."""
    names: list[str] = []
    wrong: list[str] = []
    numbers: set[int] = set()
    before: dict[str, Any] | None = None
    while len(names) < most:
        page.keyboard.press("Tab")
        found = stop(page)
        # After the last stop the browser's own bar has the focus.
        if found.get("lost") or found["number"] in numbers:
            break
        numbers.add(found["number"])
        names.append(found["name"])
        wrong += trouble(found)
        if before and before["inside"] == found["inside"] and _backwards(before, found):
            wrong.append(f"{found['name']}: after {before['name']}, but before it on the page")
        before = found
    return names, wrong


def _backwards(before: dict[str, Any], found: dict[str, Any]) -> bool:
    """Higher up on the page and not to the right: nobody reads so."""
    return bool(found["bottom"] <= before["top"] and found["left"] < before["left"] + 1)


def small_targets(page: Page, least: int = 44) -> list[str]:
    """What can be pressed and is smaller than a thumb, but for links in a sentence."""
    found: list[str] = page.evaluate(
        """(least) => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
          .filter(e => e.checkVisibility({checkVisibilityCSS: true, checkOpacity: true}))
          .filter(e => !(e.matches('a') && getComputedStyle(e).display === 'inline'
                         && e.parentElement.textContent.trim().length > e.textContent.trim().length + 3))
          .map(e => [e, (e.matches('[type=checkbox], [type=radio]') && e.closest('label') || e).getBoundingClientRect()])
          .filter(([, b]) => b.width > 1 && (b.width < least - .5 || b.height < least - .5))
          .map(([e, b]) => `${e.tagName} ${(e.textContent || e.name || e.id).trim().slice(0, 24)} ${Math.round(b.width)}x${Math.round(b.height)}`)""",
        least,
    )
    return found
