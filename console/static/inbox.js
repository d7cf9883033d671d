// Letters for an open page: asks, waits, and asks again, whatever the network does in between.

const WAIT_S = 25;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;

/**
 * Follows the inbox. `heard(answer)` is given what waits, `lost(isLost)` whether the line is down.
 * What a page was given and did not acknowledge comes again: `heard` has to know what it has shown.
 */
export function follow({ controlRoom = false, heard, lost }) {
  let mark = null;
  let pause = FIRST_PAUSE_MS;
  let wake = () => {};
  let ended = false;

  async function ask() {
    const query = new URLSearchParams({ wait: mark === null ? 0 : WAIT_S });
    if (mark !== null) query.set("after", mark);
    if (controlRoom) query.set("control_room", "true");
    const answer = await fetch(`/api/v1/notifications/inbox?${query}`, {
      credentials: "same-origin",
      signal: AbortSignal.timeout((WAIT_S + 10) * 1000),
    });
    if (answer.status === 401 || answer.status === 403) {
      ended = true;
      lost(true);
      return;
    }
    if (!answer.ok) throw new Error("not now");
    const found = await answer.json();
    lost(false);
    pause = FIRST_PAUSE_MS;
    mark = found.mark;
    await heard(found);
  }

  async function run() {
    while (!ended) {
      try {
        await ask();
      } catch {
        lost(true);
        await new Promise((done) => {
          wake = done;
          setTimeout(done, pause);
        });
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  window.addEventListener("online", () => wake());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  run();
}

/** Says that a letter was shown. True once the server has taken it. */
export async function receipt(attempt, csrf) {
  try {
    const answer = await fetch("/api/v1/notifications/receipts", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify({ attempt }),
    });
    return answer.ok;
  } catch {
    return false;
  }
}
