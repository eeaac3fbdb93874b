import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it, type Mock, vi } from "vitest";

import { Words } from "../src/words";
import { House, LOST, NOW } from "./fake-hass";

const FOLDER = "../custom_components/lrs_pager/translations/";

/** Each language with its texts. */
const LANGUAGES = readdirSync(FOLDER).map((name): [string, { common: object }] => [
  name.replace(".json", ""),
  JSON.parse(readFileSync(FOLDER + name, "utf8")) as { common: object },
]);

/** Watch how often something of Intl is made, and of what. */
function watch(name: "PluralRules" | "DateTimeFormat"): Mock {
  const Real = Intl[name];
  return vi.spyOn(Intl, name).mockImplementation(function (...args: unknown[]) {
    return Reflect.construct(Real, args) as never;
  }) as Mock;
}

/** Words of a house in that language. */
function words(
  locale: Partial<House["hass"]["locale"]> = {},
  texts?: Record<string, string>,
): Words {
  const house = new House();
  const { hass } = house;
  const localize = texts
    ? (path: string, values?: Record<string, unknown>): string =>
        (texts[path.split(".").pop()!] ?? "").replace("{count}", String(values?.count))
    : hass.localize;
  return new Words(house.change({ locale: { ...hass.locale, ...locale }, localize }));
}

describe("a number of things", () => {
  it.each([
    [0, "0 guests"],
    [1, "1 guest"],
    [2, "2 guests"],
  ])("in English, %d is %s", (count, text) => {
    expect(words().count("sum_guests", count)).toBe(text);
  });

  const POLISH = { x_one: "{count} gość", x_few: "{count} goście", x_many: "{count} gości" };

  it.each([
    [1, "1 gość"],
    [3, "3 goście"],
    [5, "5 gości"],
    [22, "22 goście"],
  ])("in Polish, %d is %s", (count, text) => {
    expect(words({ language: "pl" }, POLISH).count("x", count)).toBe(text);
  });

  it.each(LANGUAGES)("has the form that each number takes in %s", (language, { common }) => {
    const keys = Object.keys(common);
    const rules = new Intl.PluralRules(language);
    const forms = new Set([...Array(1000).keys()].map((count) => rules.select(count)));
    const stems = keys.filter((key) => key.endsWith("_other")).map((key) => key.slice(0, -6));
    const needed = stems.flatMap((stem) => [...forms].map((form) => `${stem}_${form}`));
    expect(stems.length).toBeGreaterThan(3);
    expect(needed.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it("has one word for all where a language's forms were not translated", () => {
    const texts = { x_one: "{count} gość", x_other: "{count} gości" };
    expect([3, 5].map((count) => words({ language: "pl" }, texts).count("x", count))).toEqual([
      "3 gości",
      "5 gości",
    ]);
  });

  it("has its language's rules worked out once, as rows are drawn each second", () => {
    const make = watch("PluralRules");
    for (let count = 0; count < 50; count++) words({ language: "cy" }).count("sum_guests", count);
    expect(make).toHaveBeenCalledTimes(1);
  });
});

describe("the time of day", () => {
  // A summer's evening: 2026-07-14 20:05 UTC.
  const evening = Date.UTC(2026, 6, 14, 20, 5) / 1000;
  const night = Date.UTC(2026, 6, 14, 0, 5) / 1000;

  it.each([
    ["24", "en", "20:05"],
    ["12", "en", "8:05 PM"],
    ["12", "de", "8:05 PM"],
    ["language", "de", "20:05"],
    ["language", "en", "8:05 PM"],
  ])("with the format %s in %s is %s", (time_format, language, text) => {
    const time = words({ time_format, language }).timeOfDay(evening);
    expect(time.replace(/\s/gu, " ")).toBe(text);
  });

  it.each([
    ["24", "en", "00:05"],
    ["12", "en", "12:05 AM"],
    ["12", "de", "12:05 AM"],
  ])("after midnight with the format %s in %s is %s", (time_format, language, text) => {
    const time = words({ time_format, language }).timeOfDay(night);
    expect(time.replace(/\s/gu, " ")).toBe(text);
  });

  it("with the system's format does not ask for the user's language", () => {
    const make = watch("DateTimeFormat");
    words({ time_format: "system", language: "de" }).timeOfDay(evening);
    words({ time_format: "language", language: "de" }).timeOfDay(evening);
    expect(make.mock.calls.map(([language]: unknown[]) => language)).toEqual([undefined, "de"]);
  });

  it("is the server's where the user wants that, and the tablet's otherwise", () => {
    const house = new House();
    house.change({ config: { components: [], time_zone: "Asia/Tokyo" } });
    const at = (time_zone: string): string =>
      new Words(
        house.change({ locale: { language: "en", time_format: "24", time_zone } }),
      ).timeOfDay(evening);
    expect(at("server")).toBe("05:05");
    const make = watch("DateTimeFormat");
    at("local");
    expect(make.mock.calls[0]![1]).toHaveProperty("timeZone", undefined);
  });

  it("is the tablet's where an old browser does not know the server's zone", () => {
    const house = new House();
    const here = words({ time_zone: "local" }).timeOfDay(evening);
    house.change({ config: { components: [], time_zone: "Europe/Nowhere" } });
    expect(new Words(house.hass).timeOfDay(evening)).toBe(here);
  });
});

describe("an error", () => {
  it("is told in the user's words, with what it is about", () => {
    const error = {
      message: "raw",
      translation_domain: "lrs_pager",
      translation_key: "no_session",
      translation_placeholders: { number: "12" },
    };
    expect(words().error(error)).toBe("Pager 12 has no active session.");
  });

  it("of another part of Home Assistant is looked up there", () => {
    const house = new House();
    const localize = vi.fn(() => "elsewhere");
    const error = { translation_domain: "homeassistant", translation_key: "service_not_found" };
    expect(new Words(house.change({ localize })).error(error)).toBe("elsewhere");
    expect(localize).toHaveBeenCalledWith(
      "component.homeassistant.exceptions.service_not_found.message",
      undefined,
    );
  });

  it.each([
    [{ message: "Unauthorized" }, "Unauthorized"],
    [{ message: "raw", translation_key: "not_translated" }, "raw"],
    [{}, "That did not work."],
    [LOST, "That did not work."],
  ])("%o that has no words is told as well as can be", (error, text) => {
    expect(words().error(error as never)).toBe(text);
  });
});

it("texts have their values filled in", () => {
  expect(words().get("cut", { time: NOW })).toContain(`since ${NOW}.`);
});
