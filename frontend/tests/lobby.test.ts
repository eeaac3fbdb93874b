import { afterEach, beforeEach, expect, it, vi } from "vitest";

import "../src/main";
import type { Lobby } from "../src/lobby";
import {
  all,
  freeze,
  House,
  mount,
  NOW,
  type Ours,
  pass,
  quote,
  session,
  setHidden,
  text,
} from "./fake-hass";

let house: House;
let lobby: Ours<Lobby>;

beforeEach(() => {
  freeze();
  setHidden(false);
});

afterEach(() => {
  document.body.replaceChildren();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function show(
  sessions = [session(12, { notified_at: NOW })],
  properties: Record<string, unknown> = {},
): Promise<void> {
  house = new House(sessions);
  lobby = await mount<Lobby>("lrs-pager-lobby", house, properties);
}

const called = (): string[] => all(lobby, "li").map((each) => each.textContent);

it("the numbers that are called are shown, the newest first", async () => {
  await show([
    session(3),
    session(7, { notified_at: NOW - 60 }),
    session(12, { notified_at: NOW - 5 }),
    session(14, { notified_at: NOW - 30 }),
    session(null, { notified_at: NOW }),
  ]);
  expect(called()).toEqual(["12", "14", "7"]);
  expect(text(lobby, "h2")).toBe("Now calling");
  expect(text(lobby, ".waiting")).toBe("1 party is waiting");
});

it("pagers that nobody cleared at closing are neither called nor counted", async () => {
  const left = { created_at: NOW - 36_000, not_cleared: true };
  await show([
    session(3),
    session(7, { ...left, notified_at: NOW - 35_000 }),
    session(8, left),
    session(12, { notified_at: NOW - 5 }),
  ]);
  expect(called()).toEqual(["12"]);
  expect(text(lobby, ".waiting")).toBe("1 party is waiting");
});

it("those that were called long ago make way for others", async () => {
  const sessions = Array.from({ length: 15 }, (_, n) => session(n, { notified_at: NOW - n }));
  await show(sessions);
  expect(called()).toEqual(sessions.slice(0, 12).map(({ number }) => `${number}`));
});

it("nobody's name is asked for, nor shown if the server sent it", async () => {
  await show();
  expect(house.asked.message.names).toBe(false);
  const sessions = [
    session(12, { label: "Nakamura", notified_at: NOW }),
    session(3, { label: "Lee" }),
  ];
  house.asked.tell({ ...house.snapshot, sessions, now: NOW });
  await pass();
  expect(called()).toEqual(["12"]);
  expect(lobby.shadowRoot!.innerHTML).not.toMatch(/Nakamura|Lee/);
});

it("there is nothing to press", async () => {
  await show();
  expect(all(lobby, "button, a, input, [tabindex], [role=button]")).toEqual([]);
});

it("nobody is called, nobody waits, and that is known", async () => {
  await show([]);
  expect(text(lobby)).toContain("Nobody is called at the moment.");
  expect(text(lobby)).toContain("0 parties are waiting");
});

it("where nothing is known, nothing is said of who is called", async () => {
  house = new House();
  house.snapshot.sessions = null;
  house.snapshot.link = { state: "failed", since: null };
  lobby = await mount<Lobby>("lrs-pager-lobby", house);
  expect(text(lobby)).toBe("This screen is not up to date. Please ask at the door.");
});

it("a list that is not up to date says so", async () => {
  await show();
  await house.push({ link: { state: "unreachable", since: NOW - 60 } });
  expect(text(lobby, "[role=alert]")).toContain("not up to date");
  expect(called()).toEqual(["12"]);
  await house.push({ link: { state: "polled", since: NOW - 60 } });
  expect(all(lobby, "[role=alert]")).toEqual([]);
  house.lose();
  await pass();
  expect(text(lobby, "[role=alert]")).toContain("not up to date");
});

it("the range of the wait is shown for each size, as long as it is up to date", async () => {
  await show();
  const quotes = { small: quote(15, 25), medium: quote(null, null, "no_line"), large: quote(10) };
  await house.push({ quotes });
  expect(text(lobby, ".quotes")).toBe("Parties of 1–2: 15–25 min Parties of 5+: 10 min");
  await house.push({ link: { state: "unreachable", since: NOW - 60 } });
  expect(text(lobby, ".quotes")).toBe("");
});

it("it is not drawn while time passes", async () => {
  await show();
  const draw = vi.spyOn(lobby, "draw" as never);
  await pass(60);
  expect(draw).not.toHaveBeenCalled();
});

it.each([
  [{ code: "unknown_command", message: "Unknown command." }, "Connecting …"],
  [{ code: "not_found", translation_key: "no_transmitter" }, "There is no such transmitter."],
])("before anything is told, %o reads %s", async (refusal, said) => {
  house = new House();
  house.refusal = refusal;
  lobby = await mount<Lobby>("lrs-pager-lobby", house);
  expect(text(lobby)).toBe(said);
});

it("it has the title that it was given", async () => {
  await show([], { heading: "Your table is ready" });
  expect(text(lobby, "h2")).toBe("Your table is ready");
});
