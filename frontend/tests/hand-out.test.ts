import { beforeEach, describe, expect, it } from "vitest";

import type { HandOut } from "../src/hand-out";
import { house, show, stand } from "./at-the-stand";
import {
  all,
  button,
  buttons,
  LOST,
  NOW,
  type Ours,
  pass,
  press,
  session,
  text,
} from "./fake-hass";

let sheet: Ours<HandOut>;

const dialog = (): HTMLDialogElement => sheet.shadowRoot!.querySelector("dialog")!;
const error = (): string => text(sheet, "[role=alert]");
const field = (name: string): HTMLInputElement =>
  sheet.shadowRoot!.querySelector<HTMLInputElement>(`[name=${name}]`)!;
const chips = (): string[] => all(sheet, ".pagers .chip").map((each) => each.textContent.trim());

async function type(name: string, value: string): Promise<void> {
  field(name).value = value;
  field(name).dispatchEvent(new Event("input"));
  await pass();
}

async function submit(): Promise<void> {
  sheet
    .shadowRoot!.querySelector("form")!
    .dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await pass();
}

beforeEach(async () => {
  await show([session(12), session(3)], {}, ({ snapshot }) => (snapshot.pagers = [3, 7, 12, 14]));
  sheet = stand.shadowRoot!.querySelector<Ours<HandOut>>("lrs-pager-hand-out")!;
  await press(stand, "Hand out a pager");
});

describe("the pagers", () => {
  it("that are free come first, those in use can't be pressed", () => {
    expect(dialog().open).toBe(true);
    expect(chips()).toEqual(["7", "14", "3 in use", "12 in use"]);
    expect(all(sheet, ".pagers button").map((each) => each.textContent.trim())).toEqual([
      "7",
      "14",
    ]);
  });

  it("change while the sheet is open", async () => {
    await house.push({ sessions: [session(7)], pagers: [3, 7, 12, 14, 15] });
    expect(chips()).toEqual(["3", "12", "14", "15", "7 in use"]);
  });

  it("can be typed, also those in use, of which it is said", async () => {
    await type("pager", "12");
    expect(text(sheet, "#pager-note")).toBe("In use: seat or remove its guest first.");
    await type("pager", "13");
    expect(text(sheet, "#pager-note")).toBe("");
  });

  it("can be pressed, and are then in the field", async () => {
    await press(sheet, "14");
    expect(field("pager").value).toBe("14");
    expect(button(sheet, "14").getAttribute("aria-pressed")).toBe("true");
    expect(button(sheet, "7").getAttribute("aria-pressed")).toBe("false");
  });
});

describe("what is sent", () => {
  it("has no more in it than was said", async () => {
    await press(sheet, "14");
    await submit();
    expect(house.sent).toMatchObject({ name: "start_session" });
    expect(house.sent.data).toStrictEqual({ number: 14, config_entry_id: "entry" });
  });

  it("has all that was said", async () => {
    await press(sheet, "7");
    await press(sheet, "4");
    await press(sheet, "20 min");
    field("label").value = "  Nakamura <b> ";
    await submit();
    expect(house.sent.data).toEqual({
      number: 7,
      config_entry_id: "entry",
      party_size: 4,
      goal: { minutes: 20 },
      label: "Nakamura <b>",
    });
  });

  it("has the transmitter's own goal once that is chosen again", async () => {
    await press(sheet, "7");
    await press(sheet, "20 min");
    await press(sheet, "5 min, default");
    await submit();
    expect(house.sent.data).not.toHaveProperty("goal");
  });

  it.each([
    ["007", 7],
    [" 15 ", 15],
    ["١٥", 15],
    ["۱۵", 15],
    ["１５", 15],
  ])("is understood where %s was typed", async (typed, number) => {
    await type("pager", typed);
    await submit();
    expect(house.sent.data.number).toBe(number);
  });

  it("is sent once, however often it is pressed", async () => {
    await press(sheet, "7");
    await submit();
    await submit();
    expect(house.commands).toHaveLength(1);
    expect(button(sheet, "Hand out").getAttribute("aria-disabled")).toBe("true");
    house.sent.resolve();
    await pass();
    expect(dialog().open).toBe(false);
  });
});

describe("what can't be sent", () => {
  it.each(["", " ", "0", "-3", "1.5", "1e3", "0x10", "abc", "१५"])(
    "for the pager %j is said, and typed anew",
    async (typed) => {
      await type("pager", typed);
      await submit();
      expect(error()).toBe("Choose a pager, or type its number.");
      expect(sheet.shadowRoot!.activeElement).toBe(field("pager"));
      expect(house.commands).toHaveLength(0);
    },
  );

  it("for the party is said, and typed anew", async () => {
    await press(sheet, "7");
    await type("party", "many");
    await submit();
    expect(error()).toBe("The party size has to be a number.");
    expect(sheet.shadowRoot!.activeElement).toBe(field("party"));
    expect(house.commands).toHaveLength(0);
  });

  it("for want of a connection is said, and nothing of it is lost", async () => {
    await press(sheet, "7");
    field("label").value = "Lee";
    house.lose();
    await submit();
    expect(error()).toBe("No connection to Home Assistant. Nothing was sent.");
    expect(house.commands).toHaveLength(0);
    house.restore();
    await pass();
    await submit();
    expect(house.sent.data).toMatchObject({ number: 7, label: "Lee" });
    expect(error()).toBe("");
  });
});

describe("an error", () => {
  beforeEach(async () => {
    await press(sheet, "7");
    field("label").value = "Lee";
    await submit();
  });

  it("is said in the sheet, in the user's words, with all that was typed", async () => {
    house.sent.reject({
      translation_key: "already_active",
      translation_placeholders: { number: "7" },
    });
    await pass();
    expect(error()).toContain("Pager 7 is in use.");
    expect([dialog().open, field("pager").value, field("label").value]).toEqual([true, "7", "Lee"]);
    await submit();
    expect(house.commands).toHaveLength(2);
  });

  it.each([
    ["maybe_done", { translation_key: "maybe_done" }],
    ["a lost connection", LOST],
  ])("after which it may have been done says so: %s", async (_, thrown) => {
    house.sent.reject(thrown);
    await pass();
    expect(error()).toContain("May have been handed out, or not");
  });

  it("is shown although the sheet was closed meanwhile", async () => {
    await press(sheet, "Close");
    house.sent.reject({ translation_key: "timed_out" });
    await pass();
    expect([dialog().open, error()]).toEqual([true, "The transmitter does not answer."]);
    expect([field("pager").value, field("label").value]).toEqual(["7", "Lee"]);
  });
});

it("a sheet that is opened before the answer is still the one that was sent", async () => {
  await press(sheet, "7");
  await submit();
  await press(sheet, "Close");
  await press(stand, "Hand out a pager");
  expect(field("pager").value).toBe("7");
  expect(button(sheet, "Hand out").getAttribute("aria-disabled")).toBe("true");
});

it("a sheet that is opened anew has nothing of the guest before", async () => {
  await press(sheet, "7");
  await press(sheet, "4");
  await press(sheet, "20 min");
  field("label").value = "Lee";
  await submit();
  house.sent.resolve();
  await house.push({ sessions: [session(7)] });
  await press(stand, "Hand out a pager");
  expect(["pager", "party", "label"].map((name) => field(name).value)).toEqual(["", "", ""]);
  expect(button(sheet, "20 min").getAttribute("aria-pressed")).toBe("false");
  expect(button(sheet, "Hand out").getAttribute("aria-disabled")).toBe("false");
  expect(chips()[0]).toBe("3");
});

it.each([
  [null, "As set at the transmitter"],
  [600, "10 min, default"],
  [90, "As set at the transmitter"],
])("the transmitter's own goal of %s seconds is called %s", async (default_goal, name) => {
  await house.push({ default_goal });
  const goals = buttons(sheet, "fieldset");
  expect(goals[0]).toBe(name);
  expect(goals.includes("10 min")).toBe(default_goal !== 600);
});

it("nothing of a closed sheet is drawn while time passes", async () => {
  await press(sheet, "Close");
  await house.push({ pagers: [99], sessions: [session(12, { created_at: NOW - 1 })] });
  expect(chips()).not.toContain("99");
  await press(stand, "Hand out a pager");
  expect(chips()).toContain("99");
});
