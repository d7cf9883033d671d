// The page of whoever holds the phone: how much waits on it, and the way out.

import { pressing } from "./pressing.js";

const waiting = document.getElementById("waiting");

function count() {
  const number = Number(document.body.dataset.waiting ?? 0);
  waiting.textContent = number ? waiting.dataset.some.replace("#", number) : waiting.dataset.none;
}

addEventListener("painted", count);
pressing(document.body);
