// The keyboard of the live page. Which keys there are stands in the help, made from the server's one list.

import { openSound } from "./soundpanel.js";
import { showNew, step } from "./queue.js";

const $ = (id) => document.getElementById(id);
const detail = $("detail");
const queue = $("queue");
const help = $("help");
const GO_MS = 2000;
let going = 0;

const pages = new Map([...help.querySelectorAll("[data-go]")].map((one) => [one.dataset.go, one.dataset.path]));

$("help-button").addEventListener("click", () => help.showModal());

function tray() {
  return detail.querySelector("details.tray[open]");
}

export function closeTrays() {
  for (const one of detail.querySelectorAll("details.tray[open]")) one.open = false;
}

function press(key) {
  const target = detail.querySelector(`[data-key="${key}"]`);
  if (!target) return;
  if (target.matches("summary")) {
    const box = target.parentElement;
    // One that stands open by itself is gone to; only whoever went there closes it.
    const led = "led" in box.dataset;
    delete box.dataset.led;
    box.open = led || !(box.open && box.contains(document.activeElement));
    if (box.open) (box.querySelector("[data-first]") ?? box.querySelector("input, button"))?.focus();
    else target.focus();
  } else if (target.dataset.to) $(target.dataset.to)?.focus();
  else if (target.matches("button")) target.click();
  else target.focus();
}

function pick(key) {
  const target = tray()?.querySelector(`[data-pick="${CSS.escape(key)}"]`);
  if (!target) return false;
  target.click();
  return true;
}

function escape(event) {
  const open = tray();
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (detail.contains(event.target)) {
    (queue.querySelector('.item[aria-current="true"]') ?? queue.querySelector(".item"))?.focus();
  } else return false;
  return true;
}

function typing(element) {
  return element.matches("input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit]), textarea, select") || element.isContentEditable;
}

function toPlan() {
  const next = detail.querySelector(".steps [aria-current='step'] button") ?? detail.querySelector(".steps");
  next?.scrollIntoView({ block: "center" });
  next?.focus?.();
}

const acts = {
  j: () => step(1),
  k: () => step(-1),
  ".": showNew,
  "?": () => help.showModal(),
  s: openSound,
  l: () => {
    $("filter").open = true;
    $("filter").querySelector("input").focus();
  },
  t: toPlan,
  "/": () => pages.has("s") && location.assign(pages.get("s")),
  g: () => (going = Date.now()),
};
for (const key of ["a", "c", "f", "d", "m", "p", "r", "o", "y", "n", "u"]) acts[key] = () => press(key);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    if ($("filter").open && $("filter").contains(event.target)) $("filter").open = false;
    else if (!escape(event)) return;
    event.preventDefault();
    return;
  }
  if (typing(event.target)) return;
  if (Date.now() - going < GO_MS && event.key !== "g") {
    going = 0;
    if (pages.has(event.key)) {
      event.preventDefault();
      location.assign(pages.get(event.key));
    }
    return;
  }
  if (event.repeat && event.key !== "j" && event.key !== "k") return;
  if (tray() && pick(event.key)) {
    event.preventDefault();
    return;
  }
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
