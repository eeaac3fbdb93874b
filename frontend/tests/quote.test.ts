import { beforeEach, describe, expect, it } from "vitest";

import type { HandOut } from "../src/hand-out";
import type { Quotes } from "../src/session";
import { house, read, row, show, stand, time } from "./at-the-stand";
import {
  all,
  button,
  buttons,
  NOW,
  type Ours,
  pass,
  press,
  quote,
  session,
  text,
} from "./fake-hass";

const QUOTES: Quotes = { small: quote(15, 25), medium: quote(20, 30), large: quote(35, 50) };

/** Quotes that are all unknown, for one reason. */
function unknown(reason: string): Quotes {
  const none = quote(null, null, reason);
  return { small: none, medium: none, large: none };
}

const quoted = (): string => text(stand, ".quotes");

describe("the head of the stand", () => {
  it("has what is quoted to each size", async () => {
    await show([session(12)], {}, ({ snapshot }) => (snapshot.quotes = QUOTES));
    expect(quoted()).toBe("Wait 1–2: 15–25 min 3–4: 20–30 min 5+: 35–50 min");
    await house.push({ quotes: { ...QUOTES, small: quote(20, 30) } });
    expect(quoted()).toContain("1–2: 20–30 min");
  });

  it("leaves out a size for which there is no quote", async () => {
    await show();
    await house.push({
      quotes: { ...QUOTES, medium: quote(null, null, "no_line"), large: quote(10) },
    });
    expect(quoted()).toBe("Wait 1–2: 15–25 min 5+: 10 min");
  });

  it.each(["too_few_sessions", "no_neighbours", "gate_not_passed", "auto_page", "no_live_list"])(
    "says in a sentence why there is no quote: %s",
    async (reason) => {
      await show();
      await house.push({ quotes: unknown(reason) });
      expect(quoted()).toMatch(/^No quote\b.*\.$/);
    },
  );

  it("tells the reason of the sizes for which somebody waits", async () => {
    await show();
    const { small } = unknown("no_line");
    await house.push({ quotes: { ...unknown("too_few_sessions"), small } });
    expect(quoted()).toBe("No quote yet: too few sessions to learn from.");
  });

  it.each([null, unknown("no_line")])(
    "says nothing where there is nothing to say: %o",
    async (quotes) => {
      await show([], {}, ({ snapshot }) => (snapshot.quotes = quotes));
      expect(all(stand, ".quotes")).toEqual([]);
    },
  );

  it("quotes nothing from a list that is not up to date", async () => {
    await show([session(12)], {}, ({ snapshot }) => (snapshot.quotes = QUOTES));
    house.lose();
    await pass();
    expect(all(stand, ".quotes")).toEqual([]);
  });
});

describe("a guest who waits", () => {
  it("is told to wait about so long, beside the timer", async () => {
    await show([session(12, { about: 10 }), session(13)]);
    expect(time(12)).toBe("14:00 left ≈10 more");
    expect(time(13)).toBe("14:00 left");
  });

  it("is told nothing of it while something is asked or about to be done", async () => {
    await show([session(12, { about: 10 })]);
    await press(stand, "Remove 12");
    expect(time(12)).toBe("Has left?");
    await house.pushSession(12, { seating_until: NOW + 5 });
    expect(read(row(12))).not.toContain("about");
  });
});

describe("the goal of a pager that is handed out", () => {
  let sheet: Ours<HandOut>;

  beforeEach(async () => {
    await show([], {}, ({ snapshot }) =>
      Object.assign(snapshot, { pagers: [12, 14], quotes: QUOTES }),
    );
    sheet = stand.shadowRoot!.querySelector<Ours<HandOut>>("lrs-pager-hand-out")!;
    await press(stand, "Hand out a pager");
    await press(sheet, "14");
  });

  /** What is chosen. */
  const goals = (): string[] => all(sheet, "fieldset [aria-pressed=true]").map(read);

  /** The goal (minutes) that is sent. */
  async function sent(): Promise<unknown> {
    sheet
      .shadowRoot!.querySelector("form")!
      .dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await pass();
    return (house.sent.data.goal as { minutes: number } | undefined)?.minutes;
  }

  it("is proposed to be what is quoted to parties of that size", async () => {
    expect(goals()).toEqual(["5 min, default"]);
    await press(sheet, "2");
    expect(goals()).toEqual(["25 min, quoted"]);
    await press(sheet, "5");
    expect(goals()).toEqual(["50 min, quoted"]);
    expect(await sent()).toBe(50);
  });

  it("is there once where the quote is one of those that are one tap away", async () => {
    await press(sheet, "4");
    expect(buttons(sheet, "fieldset").filter((name) => name.startsWith("30 min"))).toEqual([
      "30 min, quoted",
    ]);
  });

  it("follows the quote while the sheet is open", async () => {
    await press(sheet, "2");
    await house.push({ quotes: { ...QUOTES, small: quote(20, 35) } });
    expect(goals()).toEqual(["35 min, quoted"]);
    expect(await sent()).toBe(35);
  });

  it("is what the host chooses, whatever is quoted", async () => {
    await press(sheet, "20 min");
    await press(sheet, "2");
    expect(goals()).toEqual(["20 min"]);
    await house.push({ quotes: { ...QUOTES, small: quote(10, 20) } });
    expect(goals()).toEqual(["20 min, quoted"]);
    expect(await sent()).toBe(20);
  });

  it("is the transmitter's own where the host wants that", async () => {
    await press(sheet, "2");
    await press(sheet, "5 min, default");
    expect(goals()).toEqual(["5 min, default"]);
    expect(await sent()).toBeUndefined();
  });

  it("is the quote again where the host comes back to it", async () => {
    await press(sheet, "2");
    await press(sheet, "20 min");
    await press(sheet, "25 min, quoted");
    expect(await sent()).toBe(25);
  });

  it.each([
    ["of whose size nothing is known", () => Promise.resolve()],
    [
      "for whose size there is no quote",
      async () => {
        await house.push({ quotes: unknown("no_neighbours") });
        await press(sheet, "2");
      },
    ],
  ])("is the transmitter's own for a party %s", async (_, prepare) => {
    await prepare();
    expect(goals()).toEqual(["5 min, default"]);
    expect(await sent()).toBeUndefined();
  });

  it("is never the quote where the transmitter pages by itself, which is said", async () => {
    expect(text(sheet, "fieldset .note")).toBe("");
    await house.push({ is_auto_paged: true });
    await press(sheet, "2");
    expect(button(sheet, "5 min, default").getAttribute("aria-pressed")).toBe("true");
    expect(text(sheet, "fieldset .note")).toBe(
      "No quote: the transmitter pages by itself at the goal.",
    );
    expect(await sent()).toBeUndefined();
  });
});
