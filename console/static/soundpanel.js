// The small window of sound and speech, and the button in the head that says how it stands.

import { set, setting } from "./settings.js";
import { hasVoice } from "./voice.js";

const $ = (id) => document.getElementById(id);
const dialog = $("sound");
const button = $("sound-button");

export function openSound() {
  dialog.showModal();
}

function show() {
  $("sound-volume").value = Math.round(setting("volume") * 100);
  $("sound-speech").checked = setting("speech") && hasVoice();
  $("sound-speech").disabled = !hasVoice();
  $("sound-no-voice").hidden = hasVoice();
  $("sound-next").checked = setting("next");
  if (button.dataset.state === "on" || button.dataset.state === "off") {
    button.dataset.state = setting("volume") > 0 ? "on" : "off";
    button.querySelector("span").textContent = button.dataset[button.dataset.state];
  }
}

button.addEventListener("click", openSound);
$("sound-volume").addEventListener("input", (event) => {
  set("volume", Number(event.target.value) / 100);
  show();
});
$("sound-speech").addEventListener("change", (event) => set("speech", event.target.checked));
$("sound-next").addEventListener("change", (event) => set("next", event.target.checked));
// Voices come after the page has, in some browsers.
window.speechSynthesis?.addEventListener?.("voiceschanged", show);
show();
