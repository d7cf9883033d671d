// Where whoever is on duty is, if they agreed: the last one only, said to our own server and nobody else.

const EVERY_MS = 30_000;
let watch = null;
let said = 0;

const located = () => document.getElementById("where")?.dataset.located === "yes";

async function say({ coords }) {
  if (!located()) return stop();
  if (Date.now() - said < EVERY_MS) return;
  const token = document.querySelector('#where input[name="csrf_token"]')?.value;
  if (!token) return;
  said = Date.now();
  const body = new URLSearchParams({
    csrf_token: token,
    longitude: coords.longitude,
    latitude: coords.latitude,
    accuracy: coords.accuracy,
  });
  try {
    const answer = await fetch("/phone/position/say", { method: "POST", body });
    // Off duty, or taken back elsewhere: nothing more is said.
    if (answer.status === 409) stop();
  } catch {
    said = 0;
  }
}

function stop() {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
}

function look() {
  if (!located()) return stop();
  if (watch === null && navigator.geolocation) {
    watch = navigator.geolocation.watchPosition(say, () => {}, { maximumAge: EVERY_MS, enableHighAccuracy: true });
  }
}

new MutationObserver(look).observe(document.getElementById("tasks"), { childList: true, subtree: true });
look();
