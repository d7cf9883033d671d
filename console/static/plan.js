// The plan: drawn nearer and moved by wheel, fingers, buttons and keys; layers that are
// switched; places that are pressed. What was chosen outlives every refresh of the drawing.

import { debounced, fetchPart, replace } from "./live.js";

const KEPT = "ringward.plan.hidden";
const NEAREST = 8;
const STEP = 1.5;
const DRAG = 5;
// Where a unit of the drawing is fewer pixels than this, letters and marks are drawn larger.
const PIXELS = 0.55;
const LARGER = 2;
// Marks may be smaller than letters: they must not cover what they stand beside.
const MARK = 1.25;
// Marks grow with the drawing, but more slowly.
const GROWTH = 0.85;

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

function hiddenLayers() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return new Set();
  }
}

function attach(board) {
  const view = { x: 0, y: 0, z: 1 };
  const hidden = hiddenLayers();
  const fingers = new Map();
  let layersOpen = false;
  let drag = null;
  let dragged = false;
  let pinch = 0;
  let place = "";

  const map = () => board.querySelector("svg.map");
  const size = (svg) => [Number(svg.dataset.width), Number(svg.dataset.height)];

  function show() {
    const svg = map();
    if (!svg) return;
    const [width, height] = size(svg);
    view.z = clamp(view.z, 1, NEAREST);
    view.x = clamp(view.x, 0, width - width / view.z);
    view.y = clamp(view.y, 0, height - height / view.z);
    const round = (n) => Math.round(n * 10) / 10;
    svg.setAttribute("viewBox", [view.x, view.y, width / view.z, height / view.z].map(round).join(" "));
    const larger = clamp(PIXELS / ((svg.clientWidth || width) / width), 1, LARGER);
    const zoomed = view.z / larger;
    const grown = (by) => (view.z / by > 1 ? (view.z / by) ** GROWTH : view.z / by);
    svg.style.setProperty("--z", grown(larger));
    svg.style.setProperty("--mark", grown(Math.min(larger, MARK)));
    svg.dataset.tier = [4, 2, 1].find((tier) => zoomed >= tier) ?? "0";
    svg.classList.toggle("closer", view.z > 1);
    const button = (name) => board.querySelector(`[data-zoom="${name}"]`);
    button("in")?.toggleAttribute("disabled", view.z >= NEAREST);
    button("out")?.toggleAttribute("disabled", view.z <= 1);
    button("all")?.toggleAttribute("disabled", view.z <= 1);
  }

  function layers() {
    const svg = map();
    for (const box of board.querySelectorAll(".layer-list input")) {
      box.checked = !hidden.has(box.value);
      svg?.classList.toggle(`no-${box.value}`, hidden.has(box.value));
    }
  }

  /** One stop for the Tab key; from there the arrows go from place to place. */
  function stops(current) {
    const links = [...board.querySelectorAll("svg.map a")];
    const held = current ?? links.find((link) => link.id === board.dataset.stop) ?? links[0];
    for (const link of links) link.setAttribute("tabindex", link === held ? "0" : "-1");
    if (held) board.dataset.stop = held.id;
  }

  function dress() {
    board.querySelector(".plan-tools")?.classList.add("ready");
    const list = board.querySelector(".layers");
    if (list) {
      list.open = layersOpen;
      list.addEventListener("toggle", () => (layersOpen = list.open));
    }
    show();
    layers();
    stops();
    markPlace();
  }

  /** Where a point of the screen lies on the drawing, and how many units a pixel is. */
  function onMap(clientX, clientY) {
    const matrix = map().getScreenCTM().inverse();
    return { x: clientX * matrix.a + matrix.e, y: clientY * matrix.d + matrix.f, unit: matrix.a };
  }

  function zoom(by, clientX, clientY) {
    const svg = map();
    if (!svg) return;
    const [width, height] = size(svg);
    const before = view.z;
    const at =
      clientX === undefined
        ? { x: view.x + width / before / 2, y: view.y + height / before / 2 }
        : onMap(clientX, clientY);
    view.z = clamp(before * by, 1, NEAREST);
    view.x = at.x - ((at.x - view.x) * before) / view.z;
    view.y = at.y - ((at.y - view.y) * before) / view.z;
    show();
  }

  function pan(across, down) {
    const [width, height] = size(map());
    view.x += (across * width) / view.z;
    view.y += (down * height) / view.z;
    show();
  }

  const act = {
    in: () => zoom(STEP),
    out: () => zoom(1 / STEP),
    all: () => {
      view.z = 1;
      show();
    },
  };

  board.addEventListener("click", (event) => {
    if (dragged) {
      dragged = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const button = event.target.closest?.("[data-zoom]");
    if (button) act[button.dataset.zoom]();
    const link = event.target.closest?.("[data-place]");
    if (link && panel && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      openPlace(link.dataset.place);
    }
  }, true);

  board.addEventListener("change", (event) => {
    if (!event.target.matches(".layer-list input")) return;
    if (event.target.checked) hidden.delete(event.target.value);
    else hidden.add(event.target.value);
    try {
      localStorage.setItem(KEPT, JSON.stringify([...hidden]));
    } catch {
      // A browser that keeps nothing shows everything next time.
    }
    layers();
  });

  board.addEventListener("wheel", (event) => {
    if (!event.target.closest?.("svg.map")) return;
    // Where the page itself scrolls, the wheel is the page's.
    if (board.dataset.wheel === "ctrl" && !event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(-clamp(event.deltaY, -240, 240) / 400), event.clientX, event.clientY);
  }, { passive: false });

  board.addEventListener("dragstart", (event) => event.preventDefault());

  board.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.("svg.map") || event.button !== 0) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = false;
    drag = fingers.size === 1 ? { x: event.clientX, y: event.clientY } : null;
    pinch = 0;
  });

  board.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger || !map()) return;
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    if (fingers.size === 2) {
      Object.assign(finger, { x: event.clientX, y: event.clientY });
      const [a, b] = [...fingers.values()];
      const apart = Math.hypot(a.x - b.x, a.y - b.y);
      if (pinch > 0) zoom(apart / pinch, (a.x + b.x) / 2, (a.y + b.y) / 2);
      pinch = apart;
      dragged = true;
      return;
    }
    if (!drag || view.z <= 1) return;
    if (!dragged && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG) return;
    if (!dragged) board.setPointerCapture(event.pointerId);
    dragged = true;
    map().classList.add("dragged");
    const { unit } = onMap(0, 0);
    view.x -= dx * unit;
    view.y -= dy * unit;
    Object.assign(finger, { x: event.clientX, y: event.clientY });
    show();
  });

  for (const name of ["pointerup", "pointercancel"]) {
    board.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      pinch = 0;
      drag = null;
      map()?.classList.remove("dragged");
      // The click that follows a drag is none; where none follows, the next one is meant.
      setTimeout(() => (dragged = false), 0);
    });
  }

  // ── Keyboard ───────────────────────────────────────────────────────────────

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function neighbour(from, [across, down]) {
    const at = (link) => link.dataset.at.split(" ").map(Number);
    const [x, y] = at(from);
    let best = null;
    let least = Infinity;
    for (const link of board.querySelectorAll("svg.map a[data-at]")) {
      if (link === from) continue;
      const [dx, dy] = [at(link)[0] - x, at(link)[1] - y];
      const ahead = dx * across + dy * down;
      const aside = Math.abs(dx * down) + Math.abs(dy * across);
      if (ahead > 1 && ahead + 2 * aside < least) [best, least] = [link, ahead + 2 * aside];
    }
    return best;
  }

  /** What has the focus is in sight. */
  function reveal(link) {
    const [width, height] = size(map());
    const [x, y] = link.dataset.at.split(" ").map(Number);
    const [across, down] = [width / view.z, height / view.z];
    if (x < view.x || x > view.x + across) view.x = x - across / 2;
    if (y < view.y || y > view.y + down) view.y = y - down / 2;
    show();
  }

  board.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest?.("svg.map")) return;
    const arrow = ARROWS[event.key];
    const link = event.target.closest("a[data-at]");
    if (arrow && link) {
      const next = neighbour(link, arrow);
      if (next) {
        stops(next);
        reveal(next);
        next.focus();
      }
    } else if (arrow) pan(arrow[0] * 0.15, arrow[1] * 0.15);
    else if (event.key === "+" || event.key === "=") act.in();
    else if (event.key === "-") act.out();
    else if (event.key === "0") act.all();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // ── A place that was pressed ───────────────────────────────────────────────

  const panel = board.dataset.plan === "still" ? null : document.createElement("aside");
  if (panel) {
    panel.className = "place-panel";
    panel.id = "place-panel";
    panel.hidden = true;
    panel.tabIndex = -1;
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-labelledby", "place-title");
    board.parentElement.classList.add("plan-room");
    board.after(panel);
    panel.addEventListener("click", (event) => event.target.closest("[data-close]") && closePlace());
    panel.addEventListener("keydown", (event) => event.key === "Escape" && closePlace());
  }

  function markPlace() {
    for (const link of board.querySelectorAll(".place")) {
      link.classList.toggle("opened", place !== "" && link.dataset.place === place);
    }
  }

  async function openPlace(id) {
    place = id;
    markPlace();
    if (await refreshPlace()) panel.focus({ preventScroll: true });
  }

  async function refreshPlace() {
    const id = place;
    if (!id) return false;
    const html = await fetchPart(`/console/places/${encodeURIComponent(id)}`);
    if (html === null || place !== id) return false;
    replace(panel, html);
    panel.hidden = false;
    return true;
  }

  function closePlace() {
    const link = [...board.querySelectorAll(".place")].find((one) => one.dataset.place === place);
    place = "";
    panel.hidden = true;
    markPlace();
    if (link) {
      stops(link);
      link.focus();
    }
  }

  const askPlace = debounced(refreshPlace, 800);
  new MutationObserver(() => {
    dress();
    askPlace();
  }).observe(board, { childList: true });
  new ResizeObserver(show).observe(board);
  dress();
}

for (const board of document.querySelectorAll("[data-plan]")) attach(board);
