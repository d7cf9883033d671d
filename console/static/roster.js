// The week by keyboard: arrows go from one duty to the next in its row and its column. A team that is
// chosen is shown at once; without scripts its button does it, and the tab key goes through the duties.

const grid = document.querySelector(".duties");

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

grid?.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell || event.altKey || event.ctrlKey || event.metaKey) return;
  const found = beyond(cell, step, event.target);
  if (!found) return;
  event.preventDefault();
  found.focus();
});

/** The next link in a direction; within a cell of several, up and down go through them first. */
function beyond(cell, [down, across], from) {
  if (down) {
    const its = [...cell.querySelectorAll("a")];
    const next = its[its.indexOf(from) + down];
    if (next) return next;
  }
  const rows = [...grid.tBodies[0].rows].filter((row) => row.cells.length === 8);
  let y = rows.indexOf(cell.parentElement) + down;
  let x = cell.cellIndex + across;
  while (rows[y] && x >= 1 && x <= 7) {
    const links = rows[y].cells[x].querySelectorAll("a");
    if (links.length) return down < 0 ? links[links.length - 1] : links[0];
    y += down;
    x += across;
  }
  return null;
}

const picks = document.querySelector(".picks");
if (picks) {
  picks.querySelector("button").hidden = true;
  picks.querySelector("select").addEventListener("change", () => picks.requestSubmit());
}
