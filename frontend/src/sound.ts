/** The sound for a guest who became late. */

let context: AudioContext | undefined;

/** Whether a browser that plays nothing before it is touched was touched. */
export function isUnlocked(): boolean {
  return context?.state === "running";
}

/** Called by a tap, which browsers ask for before they play anything. */
export async function unlock(): Promise<void> {
  context ??= new AudioContext();
  await context.resume();
}

/** Two notes, a second in all; nothing as long as it is not unlocked. */
export function chime(): void {
  if (!context || !isUnlocked()) return;
  [660, 880].forEach((frequency, index) => {
    const start = context!.currentTime + index * 0.35;
    const tone = context!.createOscillator();
    const volume = context!.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.4, start + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.6);
    tone.connect(volume).connect(context!.destination);
    tone.start(start);
    tone.stop(start + 0.65);
  });
}
