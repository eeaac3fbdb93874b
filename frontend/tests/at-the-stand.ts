/** A host stand in a page, for tests of what is seen and pressed there. */

import { afterEach, beforeEach, expect, vi } from "vitest";

import "../src/main";
import { keepScreen } from "../src/screen";
import type { Stand } from "../src/stand";
import {
  all,
  button,
  freeze,
  House,
  mount,
  type Ours,
  pass,
  session,
  setHidden,
} from "./fake-hass";

export let house: House;
export let stand: Ours<Stand>;
/** What was said, since the stand was shown. */
export let said: string[];

beforeEach(() => {
  freeze();
  setHidden(false);
  keepScreen({ large: false, hideNames: false, sound: false });
});

afterEach(() => {
  document.body.replaceChildren();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Show a stand. change: of the house before that. */
export async function show(
  sessions = [session(12)],
  properties: Record<string, unknown> = {},
  change: (house: House) => void = () => undefined,
): Promise<void> {
  house = new House(sessions);
  change(house);
  stand = await mount<Stand>("lrs-pager-stand", house, properties);
  // Full seconds have passed by then, by whatever is awaited.
  await pass(0.1);
  said = [];
  const status = stand.shadowRoot!.querySelector("[role=status]");
  if (!status) return;
  const observer = new MutationObserver(() => said.push(status.textContent));
  observer.observe(status, { childList: true, characterData: true, subtree: true });
}

/** The pagers' numbers in the group of that title, from the top. */
export function group(title: string): string[] {
  const section = all(stand, "section").find((each) =>
    each.querySelector("h3")!.textContent.startsWith(title),
  );
  return [...(section?.querySelectorAll("li .number") ?? [])].map((each) => each.textContent);
}

/** The row of a pager. */
export function row(number: number): HTMLElement {
  return all(stand, "li").find(
    (each) => each.querySelector(".number")!.textContent === `${number}`,
  )!;
}

/** The text of an element as a reader sees it. */
export const read = (element: Element | null): string =>
  (element?.textContent ?? "").replace(/\s+/g, " ").trim();

/** What a pager's row says of the time, and of what went wrong. */
export const time = (number: number): string => read(row(number).querySelector(".time"));
export const message = (number: number): string => read(row(number).querySelector(".message"));

/** Whether a button can't be pressed. */
export const isOff = (name: string): boolean =>
  button(stand, name).getAttribute("aria-disabled") === "true";

/** The names of the commands and actions that were sent. */
export const names = (): string[] => house.commands.map(({ name }) => name);
