import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Seconds } from "../src/seconds";
import { freeze, NOW, pass, setHidden } from "./fake-hass";

/** By how much the server's time is ahead of the tablet's (seconds). */
const AHEAD = 1234.6;

let seconds: Seconds;
const requestUpdate = vi.fn();

beforeEach(() => {
  freeze();
  setHidden(false);
  seconds = new Seconds(
    {
      addController: vi.fn(),
      removeController: vi.fn(),
      requestUpdate,
      updateComplete: Promise.resolve(true),
    },
    () => Date.now() / 1000 + AHEAD,
  );
  seconds.hostConnected();
  requestUpdate.mockClear();
});

afterEach(() => {
  seconds.hostDisconnected();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("an element is drawn at each full second of the server's time", async () => {
  await pass(0.4);
  expect(requestUpdate).toHaveBeenCalledTimes(0);
  await pass(0.01);
  expect(requestUpdate).toHaveBeenCalledTimes(1);
  await pass(60);
  expect(requestUpdate).toHaveBeenCalledTimes(61);
});

it("it is drawn at the full second again after a timer that came late", async () => {
  vi.setSystemTime((NOW + 7.7) * 1000);
  await pass(0.41);
  requestUpdate.mockClear();
  // It is 8.11 by the tablet's clock, and 0.71 of a second by the server's.
  await pass(0.28);
  expect(requestUpdate).toHaveBeenCalledTimes(0);
  await pass(0.02);
  expect(requestUpdate).toHaveBeenCalledTimes(1);
});

it("nothing is drawn while nobody looks, and all at once when somebody does", async () => {
  setHidden(true);
  expect(vi.getTimerCount()).toBe(0);
  await pass(60);
  expect(requestUpdate).not.toHaveBeenCalled();
  setHidden(false);
  expect(requestUpdate).toHaveBeenCalledTimes(1);
  await pass(60);
  expect(requestUpdate).toHaveBeenCalledTimes(61);
});
