import { beforeEach, describe, expect, it, vi } from "vitest";

import "../src/main";
import { ManagerCard, type Answer } from "../src/manager";
import { read } from "./at-the-stand";
import { all, House, NOW, type Ours, pass, text } from "./fake-hass";

const DAY = {
  sessions: 41,
  guests: 120,
  average_wait: 12.34,
  wait_80: 20,
  late: 3,
  left: 2,
  no_show: 1,
};

/** An hour of a weekday (0 is Monday). */
function cell(weekday: number, hour: number, sessions: number, wait_80: number | null): Cell {
  const counts = { guests: 3 * sessions, late: 1, left: 0, no_show: 0 };
  return { weekday, hour, sessions, wait_80, ...counts };
}

type Cell = Answer["pattern"]["cells"][number];

const ANSWER: Answer = {
  entry_id: "ENTRY0",
  today: DAY,
  usual: { ...DAY, sessions: 38.25, guests: null },
  weeks: 3,
  quotes_kept: 81,
  quote_error: 4.5,
  pattern: {
    weeks: 8,
    cells: [cell(4, 18, 20, 10), cell(5, 18, 40, 40), cell(5, 1, 4, 90), cell(6, 18, 9, null)],
    left_out: 0,
  },
  day_start: 5,
};

let house: House;
let card: Ours<ManagerCard>;

/** Show the card, before anything was answered. */
async function open(
  change: Partial<House["hass"]> = {},
  config: { device_id?: string } = { device_id: "device-0" },
): Promise<void> {
  house = new House();
  house.addTransmitters(["Door"]);
  house.change({ config: { components: [], time_zone: "Pacific/Honolulu" }, ...change });
  card = new ManagerCard();
  card.setConfig(config);
  card.hass = house.hass;
  document.body.append(card);
  await pass();
}

/** Show the card with figures. */
async function show(answer: Partial<Answer> = {}): Promise<void> {
  await open();
  house.sent.resolve({ ...ANSWER, ...answer });
  await pass();
}

/** A table's rows, as they are read. */
function table(selector: string): string[][] {
  return all(card, `${selector} tr`).map((row) => [...row.children].map(read));
}

describe("the figures", () => {
  it("are those of the card's transmitter", async () => {
    await open();
    expect(house.commands).toMatchObject([
      { name: "lrs_pager/manager", data: { device_id: "device-0" } },
    ]);
  });

  it("of today stand beside those of days as this one, and quotes beside them", async () => {
    await show();
    expect(table("table:not(.heat)")).toEqual([
      ["", "Today", "Usual"],
      ["Parties", "41", "38.3"],
      ["Guests, where known", "120", "–"],
      ["Average wait, min", "12.3", "12.3"],
      ["8 of 10 waited at most, min", "20", "20"],
      ["Late", "3", "3"],
      ["Left before they were paged", "2", "2"],
      ["Did not come", "1", "1"],
      ["Quotes kept in four weeks, %", "–", "81"],
      ["Quotes off in four weeks, min", "–", "4.5"],
    ]);
    expect(text(card)).toContain("Weeks with sessions: 3.");
  });

  it("that are not known are a dash", async () => {
    await show({ usual: null, quotes_kept: null, quote_error: null });
    const usual = table("table:not(.heat)").map((row) => row[2]);
    expect(new Set(usual.slice(1))).toEqual(new Set(["–"]));
  });

  it("are written as the user's language has it", async () => {
    await open({ locale: { language: "de", time_format: "24" } });
    house.sent.resolve(ANSWER);
    await pass();
    expect(table("table:not(.heat)")[3]).toContain("12,3");
    expect(table(".heat")[0]).toContain("Mo");
  });

  it("are asked for anew after a while, but not at each change in the house", async () => {
    await show();
    card.hass = house.change();
    await pass(60);
    card.hass = house.change();
    await pass();
    expect(house.commands).toHaveLength(1);
    await pass(60);
    card.hass = house.change();
    await pass();
    expect(house.commands).toHaveLength(2);
    house.sent.resolve({ ...ANSWER, today: { ...DAY, sessions: 42 } });
    await pass();
    expect(table("table:not(.heat)")[1]![1]).toBe("42");
  });

  it("that can't be had say why, and those before stay", async () => {
    await show();
    await pass(120);
    card.hass = house.change();
    await pass();
    house.sent.reject({ translation_key: "no_transmitter" });
    await pass();
    expect(text(card, "[role=alert]")).toBe("There is no such transmitter.");
    expect(table(".heat")).not.toEqual([]);
  });
});

describe("when another transmitter is chosen", () => {
  const sessions = (): string | undefined => table("table:not(.heat)")[1]?.[1];

  it("its figures are asked for at once, and those of the former are gone", async () => {
    await show();
    card.setConfig({ device_id: "device-1" });
    await pass();
    expect(all(card, "table")).toEqual([]);
    expect(house.commands).toHaveLength(2);
    expect(house.sent.data).toEqual({ device_id: "device-1" });
    house.sent.resolve({ ...ANSWER, today: { ...DAY, sessions: 7 } });
    await pass();
    expect(sessions()).toBe("7");
  });

  it("what comes late of the former is not shown", async () => {
    await open();
    const [former] = house.commands;
    card.setConfig({ device_id: "device-1" });
    await pass();
    house.sent.resolve(ANSWER);
    former!.resolve({ ...ANSWER, today: { ...DAY, sessions: 7 } });
    await pass();
    expect(sessions()).toBe("41");
  });

  it("nor why those of the former can't be had", async () => {
    await open();
    const [former] = house.commands;
    card.setConfig({ device_id: "device-1" });
    await pass();
    former!.reject({ translation_key: "no_transmitter" });
    await pass();
    expect(text(card, "[role=alert]")).toBe("");
  });

  it("one that is configured as it was asks for nothing anew", async () => {
    await show();
    card.setConfig({ device_id: "device-0" });
    await pass();
    expect(house.commands).toHaveLength(1);
    expect(sessions()).toBe("41");
  });
});

describe("the pattern", () => {
  it("is a table of weekdays by the hours that had sessions, the evening before its night", async () => {
    await show();
    expect(table(".heat")).toEqual([
      ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
      ["18:00", "", "", "", "", "10", "40", "–"],
      ["01:00", "", "", "", "", "", "90 fewer than 5 sessions", ""],
    ]);
    expect(text(card, "caption")).toBe("By weekday and hour, in the last 8 weeks");
    expect(all(card, ".heat [scope=col]")).toHaveLength(7);
    expect(all(card, ".heat [scope=row]")).toHaveLength(2);
  });

  it.each(["en", "de", "fr", "it", "nl", "pl", "pt-BR"])(
    "has hours without minutes by a clock of 12 hours, which are narrow, in %s",
    async (language) => {
      await open({ locale: { language, time_format: "12" } });
      house.sent.resolve(ANSWER);
      await pass();
      const hours = all(card, ".heat [scope=row]").map(read);
      expect(hours.map((hour) => hour.toUpperCase().replace(/\./g, ""))).toEqual(["6 PM", "1 AM"]);
    },
  );

  it("is hot where it is worst, but for hours of which little is known", async () => {
    await show();
    const heat = all(card, ".heat td[style]").map((each) => each.getAttribute("style"));
    expect(heat.slice(0, 2)).toEqual(["--heat: 12.5%", "--heat: 50%"]);
    expect(all(card, ".heat .few").map(read)).toEqual(["90 fewer than 5 sessions"]);
  });

  it("is of what is chosen", async () => {
    await show();
    const select = all(card, "select")[0] as HTMLSelectElement;
    expect(text(card, "option")).toBe("8 of 10 waited at most, min");
    select.value = "sessions";
    select.dispatchEvent(new Event("change"));
    await pass();
    expect(table(".heat")[1]!.slice(5)).toEqual(["20", "40", "9"]);
  });

  it("says what is left out of it", async () => {
    await show({ pattern: { ...ANSWER.pattern, left_out: 2 } });
    expect(text(card)).toContain("2 spans in which sessions may have been missed are left out.");
  });

  it("of no sessions has no hours", async () => {
    await show({ pattern: { weeks: 8, cells: [], left_out: 0 } });
    expect(table(".heat")).toHaveLength(1);
    expect(text(card)).not.toContain("left out");
  });
});

describe("the download", () => {
  let followed: HTMLAnchorElement[];

  const field = (name: string): HTMLInputElement =>
    card.shadowRoot!.querySelector<HTMLInputElement>(`[name=${name}]`)!;

  async function download(): Promise<void> {
    card
      .shadowRoot!.querySelector("form")!
      .dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await pass();
  }

  beforeEach(async () => {
    followed = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      followed.push(this);
    });
    await show();
  });

  it("is of a month by the server's calendar, and without names", async () => {
    // 2027-01-15 08:00 UTC, the evening before where the server is.
    expect(NOW).toBe(Date.UTC(2027, 0, 15, 8) / 1000);
    await download();
    expect(house.sent).toMatchObject({
      name: "auth/sign_path",
      data: {
        path: "/api/lrs_pager/ENTRY0/sessions.csv?start=2026-12-15&end=2027-01-14&names=0",
      },
    });
    house.sent.resolve({ path: "/api/signed?authSig=x" });
    await pass();
    expect(followed.map((link) => [link.getAttribute("href"), link.download])).toEqual([
      ["/api/signed?authSig=x", ""],
    ]);
    expect(followed[0]!.hasAttribute("download")).toBe(true);
  });

  it("is of the transmitter that is shown, also where the card names none", async () => {
    await open({}, {});
    house.sent.resolve({ ...ANSWER, entry_id: "ONLY" });
    await pass();
    await download();
    expect(house.sent.data.path).toContain("/api/lrs_pager/ONLY/sessions.csv?");
  });

  it("waits until it is known which transmitter that is", async () => {
    const isOff = (): string | null =>
      card.shadowRoot!.querySelector("form button")!.getAttribute("aria-disabled");
    await open();
    expect(isOff()).toBe("true");
    await download();
    expect(house.commands).toHaveLength(1);
    house.sent.resolve(ANSWER);
    await pass();
    expect(isOff()).toBe("false");
  });

  it("is of a month by the browser's calendar where that does not know the server's zone", async () => {
    await open({ config: { components: [], time_zone: "Europe/Nowhere" } });
    expect(field("end").value).toBe(new Date(NOW * 1000).toLocaleDateString("sv"));
  });

  it("is of the days that were chosen, whichever came first, with names by a tick", async () => {
    field("start").value = "2026-11-30";
    field("end").value = "2026-11-01";
    field("names").checked = true;
    await download();
    expect(house.sent.data.path).toContain("?start=2026-11-01&end=2026-11-30&names=1");
  });

  it("keeps the days that were chosen while figures come", async () => {
    field("start").value = "2026-11-30";
    await pass(120);
    card.hass = house.change();
    await pass();
    house.sent.resolve(ANSWER);
    await pass();
    expect(field("start").value).toBe("2026-11-30");
  });

  it("that is refused says why", async () => {
    await download();
    house.sent.reject({ message: "Unauthorized" });
    await pass();
    expect(text(card, "[role=alert]")).toBe("Unauthorized");
    expect(followed).toEqual([]);
  });
});
