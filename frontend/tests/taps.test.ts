import { describe, expect, it } from "vitest";

import {
  group,
  house,
  isOff,
  message,
  names,
  read,
  row,
  said,
  show,
  stand,
  time,
} from "./at-the-stand";
import { all, button, buttons, LOST, NOW, pass, press, session, text } from "./fake-hass";

describe("a page", () => {
  it("goes by number, session and transmitter, once for a double tap", async () => {
    await show();
    const page = button(stand, "Page 12");
    page.click();
    page.click();
    await pass();
    page.click();
    await pass();
    expect(house.commands.map(({ name, data }) => ({ name, data }))).toEqual([
      {
        name: "page_session",
        data: { number: 12, session_id: "id-12", config_entry_id: "entry" },
      },
    ]);
  });

  it("keeps its row busy until it was answered", async () => {
    await show();
    await press(stand, "Page 12");
    await pass(9);
    expect(row(12).getAttribute("aria-busy")).toBe("true");
    expect(["Page 12", "Seat 12", "Remove 12"].map(isOff)).toEqual([true, true, true]);
    await press(stand, "Seat 12");
    expect(names()).toEqual(["page_session"]);

    house.sent.resolve();
    await pass();
    expect(row(12).getAttribute("aria-busy")).toBe("false");
    expect(["Page 12", "Seat 12", "Remove 12"].map(isOff)).toEqual([true, false, false]);
  });

  it("is not sent again within 3 seconds, and can be after that", async () => {
    await show();
    await press(stand, "Page 12");
    house.sent.resolve();
    await house.pushSession(12, { notified_at: NOW });
    await pass(2.9);
    all(stand, "[data-tap=page]").forEach((each) => each.click());
    await pass();
    expect(names()).toEqual(["page_session"]);
    await pass(1.2);
    await press(stand, "Page 12 again");
    expect(names()).toEqual(["page_session", "page_session"]);
  });

  it("is not sent again either where another tablet has just paged", async () => {
    await show();
    await house.pushSession(12, { notified_at: NOW });
    expect(isOff("Page 12 again")).toBe(true);
    await press(stand, "Page 12 again");
    expect(names()).toEqual([]);
    await pass(3);
    expect(isOff("Page 12 again")).toBe(false);
  });

  it("can be sent though the transmitter's clock is far ahead", async () => {
    await show([session(12, { notified_at: NOW + 600 })]);
    expect(isOff("Page 12 again")).toBe(false);
  });

  it("leaves its row, and its buttons, where the finger is for 3 seconds", async () => {
    await show([session(12), session(14)]);
    await press(stand, "Page 12");
    const before = buttons(stand, "li");
    await house.pushSession(12, { notified_at: NOW });
    house.sent.resolve();
    await pass(2.95);
    expect(group("Waiting")).toEqual(["12", "14"]);
    expect(buttons(stand, "li")).toEqual(before);
    expect(time(12)).toBe("0:03 since paged");
    await pass(1.2);
    expect([group("Waiting"), group("Paged")]).toEqual([["14"], ["12"]]);
  });

  it("leaves its row there while it is not answered, though the list tells of it", async () => {
    await show([session(12), session(14)]);
    await press(stand, "Page 12");
    await house.pushSession(12, { notified_at: NOW });
    await pass(8);
    expect(group("Waiting")).toEqual(["12", "14"]);
    house.sent.resolve();
    await pass(4);
    expect(group("Paged")).toEqual(["12"]);
  });

  it("leaves its row there though the guest is seated at once", async () => {
    await show([session(12), session(14)]);
    await press(stand, "Page 12");
    house.sent.resolve();
    await house.pushSession(12, { notified_at: NOW });
    await press(stand, "Seat 12");
    expect(group("Waiting")).toEqual(["12", "14"]);
  });

  it("leaves its guest in the sum as long as in the row's place, but not late", async () => {
    await show([
      session(12, { created_at: NOW - 20 * 60, party_size: 4 }),
      session(14, { created_at: NOW - 60, party_size: 2 }),
    ]);
    const heads = (): string[] => [text(stand, ".sum"), ...all(stand, "h3").map(read)];
    expect(heads()).toEqual(["6 guests longest 20 min 1 late", "Waiting 2", "Paged 0"]);
    await press(stand, "Page 12");
    house.sent.resolve();
    await house.pushSession(12, { notified_at: NOW });
    await pass(2.5);
    expect(heads()).toEqual(["6 guests longest 20 min", "Waiting 2", "Paged 0"]);
    await pass(1.5);
    expect(heads()).toEqual(["2 guests longest 1 min", "Waiting 1", "Paged 1"]);
  });

  it("from elsewhere moves its row at once", async () => {
    await show([session(12), session(14)]);
    await house.pushSession(12, { notified_at: NOW });
    expect([group("Waiting"), group("Paged")]).toEqual([["14"], ["12"]]);
  });

  it("once more leaves a paged guest among those who were paged", async () => {
    await show([session(12, { notified_at: NOW - 60 })]);
    await press(stand, "Page 12 again");
    expect(group("Paged")).toEqual(["12"]);
    house.sent.resolve();
    await pass();
    expect(group("Paged")).toEqual(["12"]);
  });

  it("stays locked while its session gets another id", async () => {
    await show();
    await press(stand, "Page 12");
    house.sent.resolve();
    await house.pushSession(12, { id: "uuid" });
    await press(stand, "Page 12");
    expect(names()).toHaveLength(1);
    await pass(4);
    await press(stand, "Page 12");
    expect(house.sent.data.session_id).toBe("uuid");
  });

  it("stays locked and busy in a page that was left and is shown again", async () => {
    await show();
    await press(stand, "Page 12");
    stand.remove();
    await pass();
    document.body.append(stand);
    await pass();
    expect(isOff("Page 12")).toBe(true);
    house.sent.reject({ translation_key: "maybe_done" });
    await pass();
    expect(message(12)).toContain("May have been paged");
  });
});

describe("what went wrong", () => {
  it("is told in the row in the user's words, and leaves the buttons to try again", async () => {
    await show();
    await press(stand, "Seat 12");
    house.sent.reject({
      translation_key: "no_session",
      translation_placeholders: { number: "12" },
    });
    await pass();
    expect(message(12)).toBe("Pager 12 has no active session.");
    expect(said).toEqual(["Pager 12: that did not work"]);
    await press(stand, "Seat 12");
    expect(message(12)).toBe("");
  });

  it.each([
    ["page_session", "Page 12", "May have been paged, or not"],
    ["lrs_pager/seat", "Seat 12", "May have been seated, or not"],
  ])("of %s may have been done: that is said, with the way out", async (name, tap, doubt) => {
    await show();
    await press(stand, tap);
    expect(house.sent.name).toBe(name);
    house.sent.reject({ translation_key: "maybe_done" });
    await pass();
    expect(message(12)).toContain(doubt);
    expect(said[0]).toContain("or not");
  });

  it("for want of the connection may have been done, as the command may have arrived", async () => {
    await show();
    await press(stand, "Page 12");
    house.lose();
    await pass();
    expect(message(12)).toContain("May have been paged, or not");
  });

  it("is taken off when the list shows that it was done", async () => {
    await show([session(12), session(14)]);
    for (const tap of ["Page 12", "Page 14"]) {
      await press(stand, tap);
      house.sent.reject({ translation_key: "maybe_done" });
      await pass();
    }
    await house.pushSession(12, { notified_at: NOW });
    expect(message(12)).toBe("");
    expect(message(14)).toContain("May have been paged");

    await press(stand, "Seat 14");
    house.sent.reject({ translation_key: "maybe_done" });
    await house.pushSession(14, { notified_at: NOW });
    expect(message(14)).toContain("May have been seated");
    await house.pushSession(14, { seating_until: NOW + 5 });
    expect(message(14)).toBe("");
  });

  it("is taken off when the list shows that it failed", async () => {
    await show();
    await press(stand, "Seat 12");
    house.sent.reject(LOST);
    await house.pushSession(12, { notice: { key: "timed_out", placeholders: {} } });
    expect(message(12)).toBe("The transmitter does not answer.");
  });

  it("is not told at all where the list had shown before that it was done", async () => {
    await show();
    await press(stand, "Page 12");
    await house.pushSession(12, { notified_at: NOW });
    house.sent.reject(LOST);
    await pass();
    expect(message(12)).toBe("");
    expect(said).toEqual(["Pager 12 paged"]);
  });

  it("is not told of a guest who is gone, as was asked for", async () => {
    await show([session(12), session(14)]);
    await press(stand, "Remove 12");
    await press(stand, "Yes, remove");
    await house.push({ sessions: [session(14)] });
    house.sent.reject(LOST);
    await pass();
    expect(said).toEqual(["Pager 12 is back"]);
  });

  it("for sure is told, though another tablet has done it meanwhile", async () => {
    await show();
    await press(stand, "Page 12");
    await house.pushSession(12, { notified_at: NOW });
    house.sent.reject({ translation_key: "timed_out" });
    await pass();
    expect(message(12)).toBe("The transmitter does not answer.");
  });

  it("is told of a seat that failed later, until the server takes it back", async () => {
    await show();
    await house.pushSession(12, { notice: { key: "timed_out", placeholders: {} } });
    expect(message(12)).toBe("The transmitter does not answer.");
    expect(said).toEqual(["Pager 12: that did not work"]);
    await house.pushSession(12, { notice: { key: "maybe_done", placeholders: {} } });
    expect(message(12)).toContain("May have been seated");
    await house.pushSession(12, { notice: null });
    expect(message(12)).toBe("");
  });
});

describe("a seat", () => {
  it("is held by the server and can be undone as long as it says so", async () => {
    await show([session(12, { notified_at: NOW - 60 })]);
    await press(stand, "Seat 12");
    expect(house.sent).toMatchObject({
      name: "lrs_pager/seat",
      data: { session_id: "id-12", number: 12, device_id: "device" },
    });
    house.sent.resolve({ until: NOW + 5 });
    await house.pushSession(12, { seating_until: NOW + 5 });
    expect(said).toEqual(["Pager 12 seated, can be undone"]);
    expect(buttons(stand, "li")).toEqual(["Undo"]);
    expect([row(12).className, time(12)]).toEqual(["seating", "seated · 5 s to undo"]);
    await pass(2);
    expect(time(12)).toBe("seated · 3 s to undo");

    await press(stand, "Undo");
    expect(house.sent).toMatchObject({
      name: "lrs_pager/undo_seat",
      data: { session_id: "id-12", device_id: "device" },
    });
    expect(time(12)).toBe("seated · 3 s to undo");
    house.sent.resolve();
    await house.pushSession(12, { seating_until: null });
    expect(buttons(stand, "li")).toEqual(["Seat 12", "Page 12 again", "Remove 12"]);
  });

  it("can be undone on each screen", async () => {
    await show([session(12, { seating_until: NOW + 5 })]);
    expect(buttons(stand, "li")).toEqual(["Undo"]);
  });

  it("can't be undone once its time is up, and is busy until the guest is gone", async () => {
    await show([session(12, { seating_until: NOW + 2 })]);
    await pass(2);
    expect(time(12)).toBe("seated …");
    expect(isOff("Undo")).toBe(true);
    expect(row(12).getAttribute("aria-busy")).toBe("true");
  });
});

describe("a removal", () => {
  it("asks in the row, and goes by number, session and transmitter once it is confirmed", async () => {
    await show();
    await press(stand, "Remove 12");
    expect(buttons(stand, "li")).toEqual(["No, keep", "Yes, remove"]);
    expect(all(stand, "li button [aria-hidden]").map(read)).toEqual(["No", "Yes"]);
    expect(time(12)).toBe("Has left?");
    expect(names()).toEqual([]);
    await press(stand, "Yes, remove");
    expect(house.sent).toMatchObject({
      name: "remove_session",
      data: { number: 12, session_id: "id-12", config_entry_id: "entry" },
    });
  });

  it("can be left", async () => {
    await show();
    await press(stand, "Remove 12");
    await press(stand, "No, keep");
    expect(buttons(stand, "li")).toEqual(["Page 12", "Seat 12", "Remove 12"]);
  });

  it("is not asked for any longer after ten seconds, counted from the last question", async () => {
    await show();
    await press(stand, "Remove 12");
    await press(stand, "No, keep");
    await pass(8);
    await press(stand, "Remove 12");
    await pass(8);
    expect(buttons(stand, "li")).toEqual(["No, keep", "Yes, remove"]);
    await pass(3);
    expect(buttons(stand, "li")).toEqual(["Page 12", "Seat 12", "Remove 12"]);
    expect(names()).toEqual([]);
  });
});

describe("nothing is sent", () => {
  it("by whoever may only look", async () => {
    await show([session(12)], {}, ({ snapshot }) => (snapshot.can_control = false));
    expect(buttons(stand, "li")).toEqual([]);
    expect(buttons(stand)).not.toContain("Hand out a pager");
  });

  it("by a card that is to look at only", async () => {
    await show([session(12)], { readOnly: true });
    expect(buttons(stand, "li")).toEqual([]);
    expect(buttons(stand)).not.toContain("Hand out a pager");
  });

  it("while Home Assistant is cut off, also by a tap that comes just then", async () => {
    await show();
    const page = button(stand, "Page 12");
    house.lose();
    page.click();
    await pass();
    expect(isOff("Page 12")).toBe(true);
    await press(stand, "Seat 12");
    expect(names()).toEqual([]);
    expect(all(stand, ".columns.stale")).toHaveLength(1);
  });

  it("while nothing comes from it", async () => {
    await show();
    house.isSilent = true;
    await pass(16);
    await press(stand, "Page 12");
    expect(names()).toEqual([]);
    expect(text(stand, ".banner")).toContain("No connection to Home Assistant");
  });

  it("by the second click of a double click, to what has moved under it", async () => {
    await show([session(12), session(14), session(16)]);
    const click = (name: string, at: number): void => {
      const event = new MouseEvent("click", {
        bubbles: true,
        detail: 1,
        clientX: 500,
        clientY: at,
      });
      Object.defineProperty(event, "timeStamp", { value: performance.now() });
      button(stand, name).dispatchEvent(event);
    };
    click("Seat 12", 100);
    await pass(0.3);
    click("Seat 14", 104);
    await pass(0.3);
    expect(names()).toEqual(["lrs_pager/seat"]);
    click("Seat 14", 160);
    await pass(0.6);
    click("Seat 16", 160);
    await pass();
    expect(names()).toEqual(Array<string>(3).fill("lrs_pager/seat"));
  });

  it.each(["Seat 12", "Hand out a pager"])("by a key that is held down on %s", async (name) => {
    await show();
    const goesOn = (key: string, repeat: boolean): boolean =>
      button(stand, name).dispatchEvent(
        new KeyboardEvent("keydown", { key, repeat, bubbles: true, cancelable: true }),
      );
    expect(goesOn("Enter", false)).toBe(true);
    expect(goesOn("Enter", true)).toBe(false);
    expect(goesOn("ArrowDown", true)).toBe(true);
  });
});
