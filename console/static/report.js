// Telling the control room, also without a network: words and photo wait on the phone until there is one.

import { photo, pressing } from "./pressing.js";

const form = document.getElementById("report");

if (form) {
  form.pressed = async () => {
    const given = new FormData(form);
    const [ground, place] = String(given.get("place")).split(/:(.*)/s);
    const body = { kind: given.get("kind"), danger: given.get("danger") || "none", [ground]: place };
    if (given.get("words")) body.words = given.get("words");
    const press = { body };
    const taken = given.get("photo");
    if (taken instanceof File && taken.size) {
      press.photo = await photo(taken);
      press.photoUrl = "/api/v1/intake/#/photo";
    }
    // A time that was typed is the one that counts; else it is the moment of the press.
    if (given.get("when")) {
      const typed = new Date(given.get("when"));
      if (!Number.isNaN(typed.getTime())) Object.assign(press, { pressed: null });
      if (press.pressed === null) body.happened_at = typed.toISOString();
    }
    return press;
  };
  form.addEventListener("kept", () => form.reset());
}

pressing(document.body, async () => {
  const done = (await self.Presses.all()).findLast((one) => one.reply === "report" && one.state === "sent");
  if (done?.made) location.assign(`/phone/report?sent=${encodeURIComponent(done.made)}#sent`);
  else if (done) location.reload();
});
navigator.serviceWorker?.register("/worker.js").then(() => navigator.serviceWorker.ready).then((one) => one.active?.postMessage("stock"), () => {});
