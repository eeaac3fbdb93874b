/**
 * What our sources have to keep to, as far as it can be read off them.
 *
 * @vitest-environment node
 */

import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import texts from "../../custom_components/lrs_pager/translations/en.json";

const FOLDER = new URL("../src/", import.meta.url);

const sources = readdirSync(FOLDER).map(
  (name) => [name, readFileSync(new URL(name, FOLDER), "utf8")] as const,
);
const all = sources.map(([, source]) => source).join("\n");

/** Our words; what the server tells by itself is among them, too. */
const words = Object.entries(texts.common).filter(
  ([key]) => !/^(explanation|notice|voice)_/.test(key),
);
const keys = words.map(([key]) => key);

it.each(sources)("%s draws no element of Home Assistant's that comes and goes", (_, source) => {
  const tags = [...source.matchAll(/<(?:ha|hui|mwc|paper|md|wa)-[a-z-]+/g)].map(([tag]) => tag);
  expect(tags.filter((tag) => !["<ha-card", "<ha-menu-button"].includes(tag))).toEqual([]);
});

it.each(sources)("%s has no text taken for markup", (_, source) => {
  expect(source).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|unsafe|document\.write/i);
});

it.each(sources)("%s writes nothing that may have a guest's name to the console", (_, source) => {
  expect(source).not.toMatch(/console\./);
});

describe("the words", () => {
  /** Those whose keys are put together, or are read elsewhere. */
  const FAMILIES: Record<string, string[]> = {
    "words.get(`button_${key}`": [
      "page",
      "page_again",
      "seat",
      "undo",
      "keep",
      "confirm",
      "remove",
    ],
    "words.get(`time_${time.state}`": ["open", "early", "soon", "late", "paged", "not_cleared"],
    "words.get(`maybe_${failure.tap}`": ["page", "seat", "undo", "remove"],
    "`said_maybe_${tap}`": ["page", "seat", "undo", "remove"],
    "`said_${kind}`": ["started", "paged", "ended", "failed"],
    "words.get(`no_quote_${reason}`": [
      "too_few_sessions",
      "no_neighbours",
      "gate_not_passed",
      "auto_page",
      "no_live_list",
    ],
    "words.get(`screen_${key}`": ["large", "hide_names", "sound", "kiosk"],
    "words.get(`today_${key}`": ["daily_count", "average_wait", "longest_wait", "on_time_rate"],
    "words.get(`figure_${key}`": [
      "sessions",
      "guests",
      "average_wait",
      "wait_80",
      "late",
      "left",
      "no_show",
      "quotes_kept",
      "quote_error",
    ],
    "words.get(`csv_${name}`": ["start", "end"],
    "stale(`link_${state}`": ["failed", "disabled", "removed"],
    "get(`card_${key}`": [
      "device_id",
      "device_id_help",
      "title",
      "mode",
      "mode_stand",
      "mode_lobby",
      "size",
      "size_normal",
      "size_large",
      "hide_names",
      "read_only",
    ],
  };

  const families = Object.entries(FAMILIES).flatMap(([call, ends]) => {
    const start = /`(\w+)\$/.exec(call)![1]!;
    return ends.map((end) => start + end);
  });

  /** Those that are written as they are. */
  const plain = [
    ...all.matchAll(/(?:(?<!changed\.)\bget|\bsay|\bstale|\bstatistic)\(\s*(?:"\w+", )?"(\w+)"/g),
    ...all.matchAll(/(?:\bget|\bstale)\([^()"]*\? "(\w+)"/g),
    ...all.matchAll(/(?:\bget|\bstale)\([^()"]*\? "\w+" : "(\w+)"/g),
    ...all.matchAll(/\? `\w+\$\{tap\}` : "(\w+)"/g),
    ...all.matchAll(/\brangesTemplate\([\w!.]+, "(\w+)"/g),
    ...all.matchAll(/\bkey: "(\w+)"/g),
    ...all.matchAll(/\bkey: isPaged \? "(\w+)"/g),
    ...all.matchAll(/\bkey: isPaged \? "\w+" : "(\w+)"/g),
  ].map(([, key]) => key!);

  const counted = [...all.matchAll(/\bcount\("(\w+)"/g)].flatMap(([, key]) => [
    `${key}_one`,
    `${key}_other`,
  ]);

  const used = new Set([...plain, ...counted, ...families]);

  it("that are put together are so where it is thought", () => {
    for (const call of Object.keys(FAMILIES)) expect(all).toContain(call);
    const composed = [...all.matchAll(/`[a-z_]+_\$\{[^`]*`/g)].map(([key]) => key);
    const known = Object.keys(FAMILIES).map((call) => /`.*/.exec(call)![0].replace(/`?$/, "`"));
    const forms = ["`${name}_${value}`", "`${name}_help`"];
    expect(composed.filter((key) => ![...known, ...forms].includes(key))).toEqual([]);
  });

  it("that are used are there", () => {
    expect([...used].filter((key) => !keys.includes(key))).toEqual([]);
  });

  it("that are there are used", () => {
    expect(keys.filter((key) => !used.has(key))).toEqual([]);
  });

  it("are plain sentences: no markup, and no value but those that are named", () => {
    const values = [...new Set(words.join().match(/\{[^}]*\}/g))].sort();
    expect(values).toEqual([
      "{count}",
      "{minutes}",
      "{number}",
      "{seconds}",
      "{size}",
      "{time}",
      "{weeks}",
    ]);
    expect(words.filter(([, text]) => /[<>]/.test(text))).toEqual([]);
  });
});
