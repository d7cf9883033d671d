// Saying an incident aloud, where the browser has a voice for the page's language: severity, kind, place.
// The browser's own voices work without a network; no name is ever among the words.

import { setting } from "./settings.js";

const language = document.documentElement.lang;

function voice() {
  const own = window.speechSynthesis?.getVoices() ?? [];
  const short = language.slice(0, 2);
  const fits = own.filter((one) => one.lang.replace("_", "-").toLowerCase().startsWith(short));
  // One that needs the network would tell somebody else's computer what happens here.
  return fits.find((one) => one.localService) ?? null;
}

export function hasVoice() {
  return voice() !== null;
}

/** Says it now; what is graver interrupts, the rest waits its turn. */
export function say(words, severity) {
  if (!setting("speech") || !words) return false;
  const chosen = voice();
  if (chosen === null) return false;
  const speech = new SpeechSynthesisUtterance(words);
  speech.lang = language;
  speech.voice = chosen;
  speech.volume = Math.max(setting("volume"), severity === 1 ? 0.3 : 0);
  if (severity === 1) window.speechSynthesis.cancel();
  window.speechSynthesis.speak(speech);
  return true;
}
