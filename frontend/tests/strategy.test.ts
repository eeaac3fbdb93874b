import { beforeEach, describe, expect, it, vi } from "vitest";

import { Strategy } from "../src/strategy";
import { House } from "./fake-hass";

interface Section {
  cards: Record<string, unknown>[];
  column_span?: number;
}

interface View {
  title: string;
  path: string;
  sections: Section[];
}

const KEYS = ["daily_count", "average_wait", "longest_wait", "on_time_rate", "late"];

let house: House;

beforeEach(() => {
  house = new House();
});

async function generate(): Promise<View[]> {
  const { views, title } = await Strategy.generate({}, house.hass);
  expect(title).toBe("Host stand");
  return views as View[];
}

/** The manager's view. */
async function manager(): Promise<View> {
  return (await generate()).find(({ path }) => path === "manager")!;
}

it("there is a view for each transmitter, by their names", async () => {
  house.addTransmitters(["Terrace", "Door"], KEYS);
  const views = await generate();
  expect(views.map(({ title, path }) => [title, path])).toEqual([
    ["Door", "device-1"],
    ["Terrace", "device-0"],
    ["Manager", "manager"],
  ]);
  expect(views[0]!.sections[0]).toMatchObject({
    column_span: 2,
    cards: [{ type: "custom:lrs-pager-card", device_id: "device-1" }],
  });
});

it("today's figures are those of the transmitter", async () => {
  house.addTransmitters(["Terrace", "Door"], KEYS);
  const [view] = await generate();
  expect(view!.sections[1]!.cards).toEqual([
    { type: "heading", heading: "Today", icon: "mdi:calendar-today" },
    { type: "tile", entity: "sensor.1_daily_count", name: "Parties" },
    { type: "tile", entity: "sensor.1_average_wait", name: "Average wait" },
    { type: "tile", entity: "sensor.1_longest_wait", name: "Longest wait" },
    { type: "tile", entity: "sensor.1_on_time_rate", name: "On time" },
  ]);
});

it("a manager looks at each transmitter's figures, and at its months", async () => {
  house.addTransmitters(["Terrace", "Door"], KEYS);
  const { sections } = await manager();
  expect(sections.map(({ cards }) => cards[0]!.heading)).toEqual([
    "Door",
    "The last four weeks",
    "Terrace",
    "The last four weeks",
  ]);
  expect(sections[2]!.cards[1]).toMatchObject({
    type: "custom:lrs-pager-manager-card",
    device_id: "device-0",
  });
});

it("the graphs are of the entry's statistics", async () => {
  house.addTransmitters(["Door"], KEYS);
  const { sections } = await manager();
  const [, sessions, wait] = sections[1]!.cards;
  expect(sessions).toMatchObject({
    type: "statistics-graph",
    entities: [
      { entity: "lrs_pager:entry0_sessions", name: "all" },
      { entity: "lrs_pager:entry0_late", name: "late" },
    ],
  });
  expect(wait).toMatchObject({ entities: [{ entity: "lrs_pager:entry0_wait", name: "minutes" }] });
});

describe("what is not there", () => {
  const headings = async (): Promise<unknown[]> =>
    (await generate()).flatMap(({ sections }) => sections.map(({ cards }) => cards[0]!.heading));

  it("as figures that are disabled, is left out", async () => {
    house.addTransmitters(["Door"], ["late", "average_wait"]);
    const [view] = await generate();
    expect(view!.sections[1]!.cards.map(({ entity }) => entity)).toEqual([
      undefined,
      "sensor.0_average_wait",
    ]);
  });

  it("as all figures of today, has no heading", async () => {
    house.addTransmitters(["Door"], ["late"]);
    expect(await headings()).toEqual([undefined, "Door", "The last four weeks"]);
  });

  it("as the entry of a device, has no graphs", async () => {
    house.addTransmitters(["Door"], KEYS);
    delete house.hass.devices["device-0"]!.config_entries;
    expect(await headings()).toEqual([undefined, "Today", "Door"]);
  });
});

it.each([
  { config_entry_id: "ENTRY0" },
  { primary_config_entry: "ENTRY0", config_entries: ["ENTRY0"] },
  // A device that is shared with a router's integration, which has seen the same MAC address.
  { primary_config_entry: "ROUTER", config_entries: ["ROUTER", "ENTRY0"] },
  { primary_config_entry: null, config_entries: ["ENTRY0", "ROUTER"] },
])("the entry is ours as each version of Home Assistant has it: %o", async (device) => {
  house.addTransmitters(["Door"], KEYS);
  house.change({ devices: { "device-0": { id: "device-0", name: "Door", ...device } } });
  expect(JSON.stringify(await manager())).toContain("lrs_pager:entry0_sessions");
});

it("without a transmitter it says how to add one", async () => {
  const views = await generate();
  expect(JSON.stringify(views)).toContain("Add a transmitter under Settings");
});

it("its words are those that were loaded for it", async () => {
  house.addTransmitters(["Door"], KEYS);
  house.hasWords = false;
  house.change({ localize: () => "" });
  const { hass } = house;
  vi.mocked(hass.loadBackendTranslation).mockImplementation(() =>
    Promise.resolve(house.bringWords().localize),
  );
  const { title } = await Strategy.generate({}, hass);
  expect(title).toBe("Host stand");
});

it("a new dashboard is called and looks other than the page in the sidebar", () => {
  expect(Strategy.getCreateSuggestions()).toEqual({ title: "LRS T7470", icon: "mdi:chart-box" });
});

it("it is made anew when transmitters come and go", () => {
  expect(Strategy.registryDependencies).toEqual(["devices", "entities"]);
});
