import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import "../src/main";
import type { Panel } from "../src/panel";
import { all, freeze, House, mount, type Ours, pass, setHidden, text } from "./fake-hass";

let house: House;
let panel: Ours<Panel>;
let kiosk: boolean[];

const onKiosk = (event: Event): void => {
  kiosk.push((event as CustomEvent<{ enable: boolean }>).detail.enable);
};

beforeEach(() => {
  freeze();
  setHidden(false);
  kiosk = [];
  window.addEventListener("hass-kiosk-mode", onKiosk);
});

afterEach(() => {
  document.body.replaceChildren();
  window.removeEventListener("hass-kiosk-mode", onKiosk);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function show(names: string[], path = ""): Promise<void> {
  house = new House();
  house.addTransmitters(names);
  panel = await mount<Panel>("lrs-pager-panel", house, { narrow: false, route: { path } });
}

const shown = (tag: string): unknown[][] =>
  all(panel, tag).map((each) => {
    const { deviceId, heading } = each as unknown as { deviceId: string; heading: string };
    return [deviceId, heading];
  });

describe("the page", () => {
  it("has the stand of the only transmitter with a device, without its name", async () => {
    await show(["Door"]);
    // The server may count another, which was never set up or whose entities are all disabled.
    expect(shown("lrs-pager-stand")).toEqual([["device-0", ""]]);
    expect(text(panel, "h1")).toBe("Host stand");
    expect(kiosk).toEqual([]);
  });

  it("has a stand where no transmitter is known yet", async () => {
    await show([]);
    expect(shown("lrs-pager-stand")).toEqual([[undefined, ""]]);
  });

  it("has a stand for each transmitter, by their names", async () => {
    await show(["Terrace", "Door"]);
    expect(shown("lrs-pager-stand")).toEqual([
      ["device-1", "Door"],
      ["device-0", "Terrace"],
    ]);
  });

  it("has another transmitter's stand as soon as there is one", async () => {
    await show(["Door"]);
    house.addTransmitters(["Door", "Terrace"]);
    panel.hass = house.hass;
    await pass();
    expect(shown("lrs-pager-stand")).toHaveLength(2);
  });

  it("has Home Assistant's menu, but not in a kiosk", async () => {
    await show(["Door"]);
    const [menu] = all(panel, "ha-menu-button");
    expect(menu).toMatchObject({ hass: house.hass, narrow: false });
    panel.hass = house.change({ kioskMode: true });
    await pass();
    expect(all(panel, "header")).toEqual([]);
    expect(shown("lrs-pager-stand")).toHaveLength(1);
  });
});

describe("the waiting room's address", () => {
  it("has the numbers of each transmitter, without anything of Home Assistant's", async () => {
    await show(["Terrace", "Door"], "/lobby");
    expect(shown("lrs-pager-lobby").map(([id]) => id)).toEqual(["device-1", "device-0"]);
    expect(all(panel, "header, lrs-pager-stand, button")).toEqual([]);
    expect(kiosk.every((isOn) => isOn)).toBe(true);
    expect(kiosk.length).toBeGreaterThan(0);
  });

  it("has the numbers of the only transmitter with a device", async () => {
    await show(["Door"], "/lobby");
    expect(shown("lrs-pager-lobby").map(([id]) => id)).toEqual(["device-0"]);
  });

  it("gives the sidebar back when it is left", async () => {
    await show(["Door"], "/lobby");
    kiosk = [];
    panel.remove();
    expect(kiosk).toEqual([false]);
  });

  it("gives the sidebar back when it is left for the stand", async () => {
    await show(["Door"], "/lobby");
    kiosk = [];
    Object.assign(panel, { route: { path: "" } });
    await pass();
    expect(kiosk).toEqual([false]);
    expect(shown("lrs-pager-stand")).toHaveLength(1);
  });

  it("takes the sidebar again when the page is put back, as after a long sleep", async () => {
    await show(["Door"], "/lobby");
    panel.remove();
    kiosk = [];
    document.body.append(panel);
    await pass();
    expect(kiosk).toEqual([true]);
  });
});

it("the stand's page leaves the sidebar alone when it is left", async () => {
  await show(["Door"]);
  panel.remove();
  expect(kiosk).toEqual([]);
});
