// What this browser's own operator has set: kept here and nowhere else.

const KEY = "ringward.desk";
const DEFAULTS = { volume: 1, speech: false, next: false };

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

let known = read();

export function setting(name) {
  return known[name];
}

export function set(name, value) {
  known = { ...known, [name]: value };
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // A browser that keeps nothing: it holds until the page is closed.
  }
}

// Another window of the same browser.
window.addEventListener("storage", (event) => event.key === KEY && (known = read()));
