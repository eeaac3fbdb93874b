import { beforeEach, expect, it, type MockInstance, vi } from "vitest";

const TAGS = [
  "lrs-pager-hand-out",
  "lrs-pager-stand",
  "lrs-pager-lobby",
  "lrs-pager-card",
  "lrs-pager-manager-card",
  "lrs-pager-panel",
  "ll-strategy-dashboard-lrs-pager",
];

let define: MockInstance<typeof window.customElements.define>;

beforeEach(() => {
  vi.resetModules();
  document.body.replaceChildren();
  delete window.customCards;
  delete window.customStrategies;
  define = vi.spyOn(window.customElements, "define").mockImplementation(() => undefined);
});

/** Load the module, as a page does. */
async function load(): Promise<void> {
  await import("../src/main");
  await new Promise((resolve) => setTimeout(resolve));
}

const defined = (): string[] => define.mock.calls.map(([tag]) => tag);

it("all elements are defined where Home Assistant's are not, as on Cast", async () => {
  await load();
  expect(defined()).toEqual(TAGS);
});

it("elements are defined only once Home Assistant's own are", async () => {
  let isThere = (): void => undefined;
  vi.spyOn(window.customElements, "whenDefined").mockImplementation(
    () =>
      new Promise((resolve) => {
        isThere = () => {
          resolve(HTMLElement);
        };
      }),
  );
  document.body.append(document.createElement("home-assistant"));
  await load();
  expect(defined()).toEqual([]);
  isThere();
  await new Promise((resolve) => setTimeout(resolve));
  expect(window.customElements.whenDefined).toHaveBeenCalledWith("home-assistant");
  expect(defined()).toEqual(TAGS);
});

it("elements that are there are not defined again", async () => {
  vi.spyOn(window.customElements, "get").mockReturnValue(HTMLElement);
  await load();
  expect(defined()).toEqual([]);
});

it("the card and the strategy are added to the very lists that Home Assistant has", async () => {
  const cards = (window.customCards = [{ type: "other-card" }]);
  const strategies = (window.customStrategies = [{ type: "other" }]);
  await load();
  expect(window.customCards).toBe(cards);
  expect(window.customStrategies).toBe(strategies);
  expect(cards.map(({ type }) => type)).toEqual(["other-card", "lrs-pager-card"]);
  expect(strategies.map(({ type }) => type)).toEqual(["other", "lrs-pager"]);
});

it("the card and the strategy are listed once, though the module was loaded from two addresses", async () => {
  await load();
  vi.resetModules();
  await load();
  expect(window.customCards).toHaveLength(1);
  expect(window.customStrategies).toHaveLength(1);
});
