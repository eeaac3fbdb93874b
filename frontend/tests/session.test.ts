import { describe, expect, it } from "vitest";

import {
  clockText,
  happenings,
  inLine,
  lineOf,
  sizeOf,
  timeOf,
  recognise,
  type Known,
} from "../src/session";

const NOW = 1_800_000_000;

function session(fields: Partial<Known> = {}): Known {
  return {
    key: "a",
    id: "a",
    number: 12,
    label: null,
    party_size: 2,
    goal: 900,
    created_at: NOW,
    notified_at: null,
    not_cleared: false,
    seating_until: null,
    notice: null,
    about: null,
    ...fields,
  };
}

describe("the time of a guest", () => {
  it.each([
    [0, "early", 900],
    [599, "early", 301],
    [600, "soon", 300],
    [899, "soon", 1],
    [900, "soon", 0],
    [901, "soon", 0],
    [902, "late", 2],
    [4500, "late", 3600],
  ])("after %d seconds of a goal of 900 is %s, %d", (seconds, state, span) => {
    expect(timeOf(session(), NOW + seconds, 2)).toEqual({ state, span });
  });

  it("counts from the page once there was one, also past the goal", () => {
    const paged = session({ notified_at: NOW + 1000 });
    expect(timeOf(paged, NOW + 1073, 2)).toEqual({ state: "paged", span: 73 });
  });

  it.each([null, 0])("counts up where the goal is %s", (goal) => {
    expect(timeOf(session({ goal }), NOW + 73, 2)).toEqual({ state: "open", span: 73 });
  });

  it("is not told where the transmitter did not say when it began", () => {
    expect(timeOf(session({ created_at: null }), NOW, 2)).toEqual({ state: "open", span: null });
  });

  it("is none where a pager was not cleared at closing, whether or not the guest was paged", () => {
    for (const notified_at of [null, NOW]) {
      const left = session({ created_at: NOW - 36_000, notified_at, not_cleared: true });
      expect(timeOf(left, NOW + 60, 2)).toEqual({ state: "not_cleared", span: null });
    }
  });

  it("never is negative, however clocks differ", () => {
    expect(timeOf(session({ goal: null }), NOW - 5, 2).span).toBe(0);
    expect(timeOf(session({ notified_at: NOW }), NOW - 5, 2).span).toBe(0);
  });
});

it.each([
  [0, "0:00"],
  [59, "0:59"],
  [73, "1:13"],
  [3599, "59:59"],
  [3600, "1:00:00"],
  [36_285, "10:04:45"],
])("%d seconds are written %s", (span, text) => {
  expect(clockText(span)).toBe(text);
});

it.each([
  [null, "small"],
  [1, "small"],
  [2, "small"],
  [3, "medium"],
  [4, "medium"],
  [5, "large"],
  [40, "large"],
])("a party of %s is one of the %s ones", (party_size, size) => {
  expect(sizeOf(session({ party_size }))).toBe(size);
});

it("the line is from the oldest, and those of unknown age are last", () => {
  const sessions = [
    session({ key: "new", created_at: NOW }),
    session({ key: "unknown", created_at: null }),
    session({ key: "old", created_at: NOW - 60 }),
  ];
  expect(inLine(sessions).map(({ key }) => key)).toEqual(["old", "new", "unknown"]);
});

it("the line is summed up by guests, the longest wait and those who are late", () => {
  const waiting = [
    session({ party_size: 4 }),
    session({ party_size: null, created_at: NOW - 1000 }),
    session({ party_size: 2, created_at: NOW - 60 }),
    session({ party_size: 9, created_at: NOW - 36_000, not_cleared: true }),
  ];
  expect(lineOf(waiting, NOW, 2)).toEqual({ waiting: 3, guests: 7, late: 1, longest: 1000 });
  expect(lineOf([], NOW, 2)).toEqual({ waiting: 0, guests: 0, late: 0, longest: null });
});

it("what happened between two lists is told once for each guest", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => session({ key }));
  const paged = { ...b!, notified_at: NOW };
  const failed = { ...d!, notice: { key: "timed_out", placeholders: {} } };
  const kinds = happenings([a!, b!, d!], [paged, c!, failed]).map(({ kind, session: { key } }) => [
    kind,
    key,
  ]);
  expect(kinds).toEqual([
    ["paged", "b"],
    ["started", "c"],
    ["failed", "d"],
    ["ended", "a"],
  ]);
  expect(happenings([a!, paged, failed], [a!, paged, failed])).toEqual([]);
});

describe("a session that is told again", () => {
  const key = (before: Known[], told: Known[]): string[] =>
    recognise(before, told).map((each) => each.key);

  it("is the same by its id, whatever else has changed", () => {
    const told = session({ id: "x", number: 14, created_at: null });
    expect(key([session({ id: "x", key: "first" })], [told])).toEqual(["first"]);
  });

  it("is the same under another id, if it began with the same pager at the same instant", () => {
    const before = session({ id: "7@12:00", key: "first" });
    expect(key([before], [session({ id: "uuid" })])).toEqual(["first"]);
    expect(key([before], [session({ id: "uuid", created_at: NOW + 1 })])).toEqual(["uuid"]);
    expect(key([before], [session({ id: "uuid", number: 14 })])).toEqual(["uuid"]);
  });

  it("is another one where that one is still there", () => {
    const before = session({ id: "x", key: "first" });
    expect(key([before], [session({ id: "y" }), session({ id: "x" })])).toEqual(["y", "first"]);
  });

  it("is never two at once", () => {
    const before = session({ id: "x", key: "first" });
    expect(key([before], [session({ id: "y" }), session({ id: "z" })])).toEqual(["first", "z"]);
  });
});
