import { describe, expect, it } from "vitest";

import { bannerOf, problemOf } from "../src/banner";
import type { LinkState } from "../src/session";
import { Words } from "../src/words";
import { House, NOW } from "./fake-hass";

const house = new House();
const words = new Words(house.hass);

type Live = Parameters<typeof bannerOf>[0];

// It is eight o'clock at the server.
const live = (state: LinkState, since: number | null, change: Partial<Live> = {}): Live => ({
  snapshot: { ...house.snapshot, link: { state, since }, now: NOW },
  sessions: [],
  cutSince: undefined,
  refusal: undefined,
  now: NOW,
  stateAge: 60,
  ...change,
});

describe("the link to the transmitter", () => {
  it.each<[LinkState, number | null, string, string, boolean]>([
    ["polled", null, "may show up to 30 seconds late", "info", false],
    ["no_list", null, "does not tell who holds a pager", "error", false],
    ["unreachable", NOW - 600, "not answered since 07:50", "error", true],
    ["unreachable", null, "The transmitter does not answer.", "error", true],
    ["loading", NOW, "Home Assistant is starting.", "error", true],
    ["failed", NOW, "could not be set up", "error", true],
    ["disabled", NOW, "is disabled", "error", true],
    ["removed", NOW, "was removed", "error", true],
  ])("%s since %s is told", (state, since, text, level, isStale) => {
    expect(bannerOf(live(state, since), words)).toEqual({
      text: expect.stringContaining(text) as string,
      level,
      isStale,
    });
  });

  it("that is live needs no word", () => {
    expect(bannerOf(live("live", NOW), words)).toBeUndefined();
  });

  it.each([
    [14, null, false],
    [15, null, true],
    [0, NOW - 14, false],
    [0, NOW - 15, true],
  ])(
    "is polled for a moment without a word: seen for %d s, since %s",
    (stateAge, since, isTold) => {
      expect(bannerOf(live("polled", since, { stateAge }), words) !== undefined).toBe(isTold);
    },
  );

  it.each<[LinkState, string]>([
    ["unreachable", "The transmitter does not answer."],
    ["loading", "Connecting …"],
  ])("that is %s has no list of before where none was told", (state, text) => {
    expect(bannerOf(live(state, NOW, { sessions: undefined }), words)!.text).toBe(text);
  });
});

describe("Home Assistant", () => {
  it("that is cut off is told since when, whatever else is wrong", () => {
    const { text, isStale } = bannerOf(
      live("unreachable", NOW, { cutSince: NOW - 3600, refusal: { code: "x" } }),
      words,
    )!;
    expect(text).toContain("No connection to Home Assistant since 07:00.");
    expect(isStale).toBe(true);
  });

  it("that is starting keeps the list", () => {
    const banner = bannerOf(live("live", NOW, { refusal: { code: "unknown_command" } }), words)!;
    expect(banner.text).toContain("Home Assistant is starting.");
    expect(banner.isStale).toBe(true);
  });

  it("that tells nothing more says why", () => {
    const refusal = { code: "not_found", translation_key: "no_transmitter" };
    expect(bannerOf(live("live", NOW, { refusal }), words)).toMatchObject({
      text: "There is no such transmitter.",
      isStale: true,
    });
  });
});

describe("before anything was told", () => {
  it.each<[Partial<Live>, string | undefined]>([
    [{}, undefined],
    [{ refusal: { code: "unknown_command" } }, undefined],
    [{ refusal: { code: "x", translation_key: "which_transmitter" } }, "There are several"],
    [{ cutSince: NOW, refusal: { code: "unknown_command" } }, "No connection"],
  ])("%o is %s", (change, text) => {
    const problem = problemOf(live("live", null, change), words);
    if (text) expect(problem).toContain(text);
    else expect(problem).toBeUndefined();
  });
});
