// The sounds of the four severities, made here so that nothing has to be loaded: each is known by its
// rhythm, not by its loudness alone. A browser plays nothing before somebody has pressed something.

import { setting } from "./settings.js";

// [frequency in Hz, start in s, length in s, loudness]
const SOUNDS = {
  1: [[960, 0, 0.28, 0.5], [640, 0.3, 0.28, 0.5], [960, 0.6, 0.28, 0.5], [640, 0.9, 0.28, 0.5], [960, 1.2, 0.5, 0.5]],
  2: [[880, 0, 0.18, 0.4], [880, 0.28, 0.18, 0.4], [880, 0.56, 0.18, 0.4]],
  3: [[660, 0, 0.18, 0.3], [660, 0.3, 0.18, 0.3]],
  4: [[520, 0, 0.16, 0.2]],
};

let context = null;

function made() {
  context ??= new AudioContext();
  return context;
}

/** Whether a sound would be heard now. */
export async function unblocked() {
  try {
    const audio = made();
    if (audio.state !== "running") {
      // Never settles in a browser that waits for a press.
      await Promise.race([audio.resume(), new Promise((done) => setTimeout(done, 150))]);
    }
    return audio.state === "running";
  } catch {
    return false;
  }
}

/** Plays the sound of a severity; false where the browser keeps it from being heard. */
export async function play(severity) {
  if (!(await unblocked())) return false;
  const start = context.currentTime + 0.02;
  // The gravest is heard however low somebody has set it.
  const factor = Math.max(setting("volume"), severity === 1 ? 0.3 : 0);
  for (const [frequency, at, length, full] of SOUNDS[severity] ?? SOUNDS[3]) {
    const loudness = full * factor;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "square";
    tone.frequency.value = frequency;
    // Edges that are not quite sharp, or every tone begins and ends with a click.
    volume.gain.setValueAtTime(0, start + at);
    volume.gain.linearRampToValueAtTime(loudness, start + at + 0.01);
    volume.gain.setValueAtTime(loudness, start + at + length - 0.02);
    volume.gain.linearRampToValueAtTime(0, start + at + length);
    tone.connect(volume).connect(context.destination);
    tone.start(start + at);
    tone.stop(start + at + length);
  }
  document.documentElement.dataset.sounded = String(severity);
  return true;
}
