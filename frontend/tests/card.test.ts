import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import "../src/main";
import { Card, CARD_ENTRY, type CardConfig } from "../src/card";
import { freeze, House, pass, session, setHidden } from "./fake-hass";

let house: House;

beforeEach(() => {
  freeze();
  setHidden(false);
  house = new House([session(12)]);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

async function show(config: Partial<CardConfig>, preview?: boolean): Promise<HTMLElement> {
  const card = new Card();
  card.setConfig({ type: "custom:lrs-pager-card", ...config });
  Object.assign(card, { hass: house.hass, preview });
  document.body.append(card);
  await pass();
  return card.shadowRoot!.querySelector<HTMLElement>("ha-card > *")!;
}

describe("the configuration", () => {
  it.each([
    [{ mode: "wall" }, "mode: one of stand, lobby"],
    [{ size: "huge" }, "size: one of normal, large"],
    [{ mode: "" }, "mode: one of stand, lobby"],
    // What Home Assistant's dashboards read of yes and no, which are text in YAML 1.2.
    [{ hide_names: "yes" }, "hide_names: one of false, true"],
    [{ read_only: "no" }, "read_only: one of false, true"],
  ])("refuses %o", (config, reason) => {
    const card = new Card();
    expect(() => {
      card.setConfig({ type: "custom:lrs-pager-card", ...(config as Partial<CardConfig>) });
    }).toThrow(reason);
  });

  it("has the stand shown as it says", async () => {
    const stand = await show(
      {
        device_id: "device",
        title: "Door",
        size: "large",
        hide_names: true,
        read_only: true,
      },
      true,
    );
    expect(stand.localName).toBe("lrs-pager-stand");
    expect(stand).toMatchObject({
      deviceId: "device",
      heading: "Door",
      large: true,
      hideNames: true,
      readOnly: true,
      preview: true,
    });
    expect(house.asked.message).toMatchObject({ device_id: "device", names: false });
  });

  it("may have nothing in it", async () => {
    const stand = await show({});
    expect(stand.localName).toBe("lrs-pager-stand");
    expect(stand).toMatchObject({ deviceId: undefined, large: false });
    expect(stand.shadowRoot!.querySelector("h2")!.textContent).toBe("Front door");
  });

  it("has the waiting room's screen shown", async () => {
    const lobby = await show({ mode: "lobby", device_id: "device", title: "Ready" });
    expect(lobby.localName).toBe("lrs-pager-lobby");
    expect(lobby).toMatchObject({ deviceId: "device", heading: "Ready" });
  });
});

it.each([
  [[], {}],
  [["Door"], {}],
  [["Terrace", "Door"], { device_id: "device-1" }],
])("with the transmitters %j it begins with %o", (names, config) => {
  house.addTransmitters(names);
  expect(Card.getStubConfig(house.hass)).toEqual(config);
});

describe("the form", () => {
  interface Field {
    name: string;
    selector: { select?: { options: { value: string; label: string }[] } };
  }

  const form = (): {
    schema: Field[];
    computeLabel(field: Field): string | undefined;
    computeHelper(field: Field): string | undefined;
  } => Card.getConfigForm() as never;

  it("has a word for each field and each choice", () => {
    const home = document.createElement("home-assistant");
    document.body.append(Object.assign(home, { hass: house.hass }));
    const { schema, computeLabel, computeHelper } = form();
    expect(schema.map(computeLabel)).toEqual([
      "Transmitter",
      "Title",
      "Shows",
      "Size",
      "Hide guests' names",
      "View only",
    ]);
    expect(schema.map(computeHelper)).toEqual([
      "Can be left empty while there is one.",
      ...Array<undefined>(5),
    ]);
    expect(schema.flatMap(({ selector }) => selector.select?.options ?? [])).toEqual([
      { value: "stand", label: "Host stand" },
      { value: "lobby", label: "Numbers that are called, for a waiting room" },
      { value: "normal", label: "Normal" },
      { value: "large", label: "Large, for a wall" },
    ]);
  });

  it("names fields and choices as they are written where there are no words", () => {
    const { schema, computeLabel } = form();
    expect(schema.map(computeLabel)).toEqual(Array<undefined>(6));
    expect(schema[2]!.selector.select!.options[0]).toEqual({ value: "stand", label: "stand" });
  });

  it("has all that can be configured", async () => {
    const fields = form().schema.map(({ name }) => name);
    const config: Required<Omit<CardConfig, "type">> = {
      device_id: "",
      title: "",
      mode: "stand",
      size: "normal",
      hide_names: false,
      read_only: false,
    };
    expect(fields.sort()).toEqual(Object.keys(config).sort());
    await pass();
  });
});

describe("it is suggested", () => {
  beforeEach(() => {
    house.addTransmitters(["Door"], ["active_sessions", "late", "battery"]);
  });

  it("for what it shows of a transmitter", () => {
    for (const key of ["active_sessions", "late"]) {
      expect(CARD_ENTRY.getEntitySuggestion(house.hass, `sensor.0_${key}`)).toEqual({
        label: "LRS Pager: Door",
        config: { type: "custom:lrs-pager-card", device_id: "device-0" },
      });
    }
  });

  it("for nothing else", () => {
    const other = { ...house.hass.entities["sensor.0_late"]!, platform: "other" };
    house.change({ entities: { ...house.hass.entities, "sensor.other": other } });
    for (const id of ["sensor.0_battery", "sensor.other", "sensor.unknown"]) {
      expect(CARD_ENTRY.getEntitySuggestion(house.hass, id)).toBeNull();
    }
  });
});

it("a dashboard is told how wide it is at least, and not how high", () => {
  const card = new Card();
  expect(card.getGridOptions()).toEqual({ columns: 12, min_columns: 6 });
  expect(card.getCardSize()).toBeGreaterThan(0);
});
