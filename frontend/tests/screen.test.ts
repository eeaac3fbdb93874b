import { beforeEach, expect, it, vi } from "vitest";

const KEY = "lrs-pager-screen";

beforeEach(() => {
  vi.resetModules();
  localStorage.clear();
});

/** The module as a page that was just opened has it. */
const open = (): Promise<typeof import("../src/screen")> => import("../src/screen");

it("all is off at first", async () => {
  expect((await open()).screen).toEqual({ large: false, hideNames: false, sound: false });
});

it("what was set is there when the page is opened again", async () => {
  (await open()).keepScreen({ hideNames: true });
  vi.resetModules();
  expect((await open()).screen).toEqual({ large: false, hideNames: true, sound: false });
});

it.each(["null", "{", '"x"', ""])(
  "what the browser has otherwise kept is no harm: %s",
  async (kept) => {
    localStorage.setItem(KEY, kept);
    expect((await open()).screen).toMatchObject({ large: false, hideNames: false, sound: false });
  },
);

it("a browser that keeps nothing has it until the page is closed", async () => {
  const refuse = (): never => {
    throw new Error("SecurityError");
  };
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(refuse);
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(refuse);
  const module = await open();
  module.keepScreen({ large: true });
  expect(module.screen.large).toBe(true);
});

it("Home Assistant is told of the kiosk from wherever the element is", async () => {
  const { setKiosk } = await open();
  const host = document.createElement("div");
  document.body.append(host);
  const inner = document.createElement("p");
  host.attachShadow({ mode: "open" }).append(inner);
  const told = vi.fn();
  window.addEventListener("hass-kiosk-mode", (event) => {
    told((event as CustomEvent<unknown>).detail);
  });
  setKiosk(inner, true);
  expect(told.mock.calls).toEqual([[{ enable: true }]]);
});
