import { beforeEach, expect, it, vi } from "vitest";

let made: FakeAudio[];

/** Web Audio, of which happy-dom has nothing. */
class FakeAudio {
  state = "suspended";
  currentTime = 7;
  readonly destination = {};
  readonly started: number[] = [];

  constructor() {
    made.push(this);
  }

  resume(): Promise<void> {
    this.state = "running";
    return Promise.resolve();
  }

  createGain(): unknown {
    const gain = { setValueAtTime: vi.fn(), exponentialRampToValueAtTime: vi.fn() };
    return { gain, connect: vi.fn() };
  }

  createOscillator(): unknown {
    const start = (at: number): void => void this.started.push(at);
    return { frequency: {}, connect: <T>(node: T): T => node, start, stop: vi.fn() };
  }
}

beforeEach(() => {
  vi.resetModules();
  made = [];
  vi.stubGlobal("AudioContext", FakeAudio);
});

const open = (): Promise<typeof import("../src/sound")> => import("../src/sound");

it("nothing is played before somebody has touched the page", async () => {
  const { chime, isUnlocked } = await open();
  chime();
  expect(isUnlocked()).toBe(false);
  expect(made).toHaveLength(0);
});

it("two notes are played after that, one after the other", async () => {
  const { chime, isUnlocked, unlock } = await open();
  await unlock();
  await unlock();
  expect(isUnlocked()).toBe(true);
  chime();
  expect(made.map(({ started }) => started)).toEqual([[7, 7.35]]);
});

it("a sound that the tablet has taken away is asked for again", async () => {
  const { chime, isUnlocked, unlock } = await open();
  await unlock();
  made[0]!.state = "interrupted";
  chime();
  expect(isUnlocked()).toBe(false);
  expect(made[0]!.started).toEqual([]);
});
