import { beforeEach, describe, expect, it, vi } from "vitest";

import { keepScreen } from "../src/screen";
import { chime, isUnlocked, unlock } from "../src/sound";
import { group, house, names, read, row, said, show, stand, time } from "./at-the-stand";
import {
  all,
  button,
  buttons,
  House,
  mount,
  NOW,
  pass,
  press,
  session,
  setHidden,
  text,
} from "./fake-hass";

vi.mock("../src/sound", () => ({
  chime: vi.fn(),
  isUnlocked: vi.fn(() => false),
  unlock: vi.fn(() => Promise.resolve()),
}));

beforeEach(() => {
  vi.mocked(chime).mockClear();
  vi.mocked(unlock).mockClear();
  vi.mocked(isUnlocked).mockReturnValue(false);
});

describe("a guest who waits", () => {
  it("is due soon from five minutes before the goal, at that very second", async () => {
    await show([session(12, { created_at: NOW - 597, goal: 900 })]);
    expect([row(12).className, time(12)]).toEqual(["early", "5:03 left"]);
    await pass(2);
    expect([row(12).className, time(12)]).toEqual(["early", "5:01 left"]);
    await pass(1);
    expect([row(12).className, time(12)]).toEqual(["soon", "5:00 left"]);
  });

  it("is late by itself at the second at which the sensor says so", async () => {
    await show([session(12, { created_at: NOW - 899, goal: 900 })]);
    await pass(2);
    expect([row(12).className, time(12)]).toEqual(["soon", "0:00 left"]);
    await pass(1);
    expect([row(12).className, time(12)]).toEqual(["late", "0:02 late"]);
    expect(text(stand, ".sum")).toContain("1 late");
  });

  it("is timed by the server's clock, whatever the tablet shows", async () => {
    vi.setSystemTime((NOW - 5000) * 1000);
    await show([session(12, { created_at: NOW - 895, goal: 900 })]);
    expect(time(12)).toBe("0:05 left");
    await pass(7);
    expect(row(12).className).toBe("late");
  });

  it("costs nothing while nobody looks, and is right at once when somebody does", async () => {
    await show();
    const draw = vi.spyOn(stand, "requestUpdate");
    setHidden(true);
    await pass(60);
    expect(draw).not.toHaveBeenCalled();
    house.isSilent = true;
    setHidden(false);
    await pass();
    expect(time(12)).toBe("13:00 left");
  });

  it("is drawn neither for what else happens in the house, nor in other elements' time", async () => {
    await show();
    const draw = vi.spyOn(stand, "draw" as never);
    for (let n = 0; n < 20; n++) {
      stand.hass = house.change();
      await pass();
    }
    expect(draw).not.toHaveBeenCalled();
    stand.hass = house.change({ locale: { language: "en", time_format: "12" } });
    await pass();
    expect(draw).toHaveBeenCalledTimes(1);
  });

  it.each([
    "<img src=x onerror=alert(1)>",
    "**bold** [link](javascript:alert(1))",
    "שלום \u202e abc",
    "🎉".repeat(200),
  ])("may be called %s, and it is text of its own direction", async (label) => {
    await show([session(12, { label })]);
    const name = row(12).querySelector(".name")!;
    expect([name.localName, name.textContent, name.children.length]).toEqual(["bdi", label, 0]);
  });

  it("without a pager's number is shown, and can be done nothing to", async () => {
    await show([session(null, { label: "Lee" }), session(null, { id: "x" })]);
    expect(all(stand, "li .name").map(read)).toEqual(["Lee", "No number"]);
    expect(all(stand, "li button")).toHaveLength(0);
  });

  it("of unknown age or size is not given one", async () => {
    await show([session(12, { created_at: null, party_size: null })]);
    expect([time(12), read(row(12).querySelector(".who"))]).toEqual(["waiting", ""]);
  });
});

describe("the line", () => {
  it("is from the oldest, those paged in a group of their own", async () => {
    await show([
      session(3, { created_at: NOW - 10 }),
      session(7, { created_at: NOW - 70, notified_at: NOW - 9 }),
      session(12, { created_at: NOW - 60 }),
    ]);
    expect(group("Waiting")).toEqual(["12", "3"]);
    expect(group("Paged")).toEqual(["7"]);
    expect(time(7)).toBe("0:09 since paged");
  });

  it("is summed up", async () => {
    await show([
      session(3, { created_at: NOW - 20 * 60, party_size: 4 }),
      session(12, { created_at: NOW - 60, party_size: null }),
      session(7, { notified_at: NOW, party_size: 9 }),
    ]);
    expect(text(stand, ".sum")).toBe("5 guests longest 20 min 1 late");
  });

  it("shows pagers that nobody cleared at closing, and counts them nowhere", async () => {
    const left = { created_at: NOW - 36_000, not_cleared: true, party_size: 9 };
    await show([
      session(3, { created_at: NOW - 20 * 60 }),
      session(7, { notified_at: NOW }),
      session(8, left),
      session(9, { ...left, notified_at: NOW - 35_000 }),
    ]);
    expect(group("Waiting")).toEqual(["8", "3"]);
    expect(group("Paged")).toEqual(["9", "7"]);
    expect(all(stand, "h3").map(read)).toEqual(["Waiting 1", "Paged 1"]);
    expect(text(stand, ".sum")).toBe("2 guests longest 20 min 1 late");
  });

  it("is not said to be empty as long as it is not known", async () => {
    await show([], {}, ({ snapshot }) => {
      snapshot.sessions = null;
      snapshot.link = { state: "no_list", since: null };
    });
    expect(text(stand)).not.toContain("Nobody");
    expect(all(stand, "h3")).toHaveLength(0);
    await house.push({ sessions: [], link: { state: "live", since: null } });
    expect(text(stand)).toContain("Nobody is waiting.");
  });

  it("is narrowed to a size of party, which others of the line don't notice", async () => {
    await show([session(3, { party_size: 2 }), session(7, { party_size: 6 })]);
    await press(stand, "5+");
    expect(group("Waiting")).toEqual(["7"]);
    expect(button(stand, "5+").getAttribute("aria-pressed")).toBe("true");
    expect(text(stand, "h3")).toBe("Waiting 2");
    await press(stand, "3–4");
    expect(text(stand, "section .empty")).toBe("Nobody of this size is waiting.");
    await press(stand, "All");
    expect(group("Waiting")).toEqual(["3", "7"]);
  });
});

describe("names", () => {
  const guests = [session(12, { label: "Nakamura" })];

  it.each([
    ["on this screen", (): void => keepScreen({ hideNames: true }), {}],
    ["by the card", (): void => undefined, { hideNames: true }],
  ])("that are hidden %s are neither drawn nor asked for", async (_, hide, properties) => {
    hide();
    await show(guests, properties);
    expect(house.connection.subscriptions.map(({ message }) => message.names)).toEqual([false]);
    expect(stand.shadowRoot!.innerHTML).not.toContain("Nakamura");
  });

  it("are gone at once when they are hidden, before the server answers", async () => {
    await show(guests);
    expect(text(stand)).toContain("Nakamura");
    house.isSilent = true;
    const [, hide] = all(stand, "input");
    (hide as HTMLInputElement).click();
    await pass();
    expect(text(stand)).not.toContain("Nakamura");
    expect(house.asked.message.names).toBe(false);
  });

  it("are hidden by all that is on this screen", async () => {
    await show(guests);
    const other = await mount("lrs-pager-stand", house);
    const [, hide] = all(other, "input");
    (hide as HTMLInputElement).click();
    await pass(1);
    expect(text(stand)).not.toContain("Nakamura");
  });
});

describe("the keyboard's focus", () => {
  const focused = (): string => {
    const { activeElement } = stand.shadowRoot!;
    return activeElement?.localName === "button"
      ? buttons(stand, "li")[all(stand, "li button").indexOf(activeElement as HTMLElement)]!
      : `${activeElement?.localName} ${activeElement?.querySelector(".number")?.textContent}`;
  };

  it("stays at the guest who moves to those who were paged", async () => {
    await show([session(12), session(14)]);
    button(stand, "Page 12").focus();
    await house.pushSession(12, { notified_at: NOW });
    expect(focused()).toBe("Page 12 again");
  });

  it("goes to the button that comes in the place of the one that was pressed", async () => {
    await show();
    button(stand, "Remove 12").focus();
    await press(stand, "Remove 12");
    expect(focused()).toBe("No, keep");
    await press(stand, "No, keep");
    expect(focused()).toBe("Remove 12");

    button(stand, "Seat 12").focus();
    await house.pushSession(12, { seating_until: NOW + 5 });
    expect(focused()).toBe("Undo");
    await house.pushSession(12, { seating_until: null });
    expect(focused()).toBe("Seat 12");
  });

  it("comes back to Remove when nobody answers its question", async () => {
    await show();
    await press(stand, "Remove 12");
    button(stand, "Yes, remove").focus();
    await pass(11);
    expect(focused()).toBe("Remove 12");
  });

  it("goes to the next guest when its own is gone, and to the title after the last", async () => {
    await show([session(12), session(14)]);
    button(stand, "Seat 12").focus();
    await house.push({ sessions: [session(14)] });
    expect(focused()).toBe("li 14");
    await house.push({ sessions: [] });
    expect(stand.shadowRoot!.activeElement?.localName).toBe("h2");
  });

  it("goes to the one before when the last is gone", async () => {
    await show([session(12), session(14)]);
    button(stand, "Seat 14").focus();
    await house.push({ sessions: [session(12)] });
    expect(focused()).toBe("li 12");
  });

  it("is where it was after a session got another id", async () => {
    await show();
    const seat = button(stand, "Seat 12");
    seat.focus();
    await house.pushSession(12, { id: "uuid" });
    expect(stand.shadowRoot!.activeElement).toBe(seat);
  });

  it("does not scroll the page away from whoever works with a finger", async () => {
    const focus = vi.spyOn(HTMLElement.prototype, "focus");
    await show([session(12), session(14)]);
    button(stand, "Page 12").focus();
    await pass(5);
    expect(focus).toHaveBeenCalledTimes(1);
    await house.pushSession(12, { notified_at: NOW });
    expect(focus).toHaveBeenLastCalledWith({ preventScroll: true });

    vi.spyOn(HTMLElement.prototype, "matches").mockReturnValue(true);
    await house.pushSession(12, { notified_at: null });
    expect(focus).toHaveBeenLastCalledWith({ preventScroll: false });
  });

  it("is not taken from elsewhere", async () => {
    await show();
    button(stand, "5+").focus();
    await house.push({ sessions: [] });
    expect(stand.shadowRoot!.activeElement).toBe(button(stand, "5+"));
  });
});

describe("whoever hears the screen", () => {
  it("is told once of what happens, all of a moment together", async () => {
    await show([session(12), session(14)]);
    await house.push({
      sessions: [session(12, { notified_at: NOW }), session(3)],
    });
    await pass(5);
    expect(said).toEqual(["Pager 12 paged. Pager 3 handed out. Pager 14 is back"]);
  });

  it("is told that a guest is late, and nothing of the seconds that pass", async () => {
    await show([session(12, { created_at: NOW - 895 })]);
    await pass(30);
    expect(said).toEqual(["Pager 12 is late"]);
  });

  it("is not told of guests who were there before", async () => {
    await show([session(12, { created_at: NOW - 5000 })]);
    await pass(5);
    expect(said).toEqual([]);
  });

  it("is not told of them either where their list comes late", async () => {
    await show([], {}, ({ snapshot }) => (snapshot.sessions = null));
    await pass(5);
    await house.push({ sessions: [session(12, { created_at: NOW - 5000 })] });
    await pass(5);
    expect(said).toEqual([]);
  });

  it("is told nothing by another transmitter's list", async () => {
    await show([session(12)]);
    house.snapshot.sessions = [session(14, { created_at: NOW - 5000 })];
    Object.assign(stand, { deviceId: "other" });
    await pass(5);
    expect(group("Waiting")).toEqual(["14"]);
    expect(said).toEqual([]);
  });

  it("is told nothing by another id of the same session", async () => {
    await show([session(12, { created_at: NOW - 5000 })]);
    await house.pushSession(12, { id: "uuid" });
    await pass(2);
    expect(said).toEqual([]);
  });

  it("is told of a second page, which the list does not tell", async () => {
    await show([session(12, { notified_at: NOW - 60 })]);
    await press(stand, "Page 12 again");
    house.sent.resolve();
    await pass();
    expect(said).toEqual(["Pager 12 paged"]);
  });

  it("is told once of the first page", async () => {
    await show();
    await press(stand, "Page 12");
    house.sent.resolve();
    await house.pushSession(12, { notified_at: NOW });
    await pass(5);
    expect(said).toEqual(["Pager 12 paged"]);
  });

  it("hears which pager a button is for, and no timer in a live region", async () => {
    await show([session(12, { label: "Lee" })]);
    const page = button(stand, "Page 12");
    const who = stand.shadowRoot!.getElementById(page.getAttribute("aria-describedby")!);
    expect(read(who)).toContain("Lee");
    const regions = all(stand, "[aria-live], [role=status], [role=alert], [role=timer]");
    expect(regions.some((region) => region.querySelector("b, .time"))).toBe(false);
  });
});

describe("the sound", () => {
  const due = [session(12, { created_at: NOW - 899 })];

  it("is off at first", async () => {
    vi.mocked(isUnlocked).mockReturnValue(true);
    await show(due);
    await pass(10);
    expect(chime).not.toHaveBeenCalled();
  });

  it("is for those who become late, once, and not for those who were", async () => {
    keepScreen({ sound: true });
    await show([...due, session(14, { created_at: NOW - 5000 })]);
    await pass(2);
    expect(chime).not.toHaveBeenCalled();
    await pass(10);
    expect(chime).toHaveBeenCalledTimes(1);
  });

  it("is unlocked and heard when it is switched on", async () => {
    await show();
    const [, , sound] = all(stand, "input");
    (sound as HTMLInputElement).click();
    await pass();
    expect(unlock).toHaveBeenCalledTimes(1);
    expect(chime).toHaveBeenCalledTimes(1);
  });

  it("asks for a tap where the browser plays nothing before one", async () => {
    keepScreen({ sound: true });
    await show();
    vi.mocked(unlock).mockImplementation(() => {
      vi.mocked(isUnlocked).mockReturnValue(true);
      return Promise.resolve();
    });
    await press(stand, "Tap here to let this screen make sounds");
    expect(buttons(stand)).not.toContain("Tap here to let this screen make sounds");
    expect(chime).toHaveBeenCalledTimes(1);
  });
});

describe("before anything was told", () => {
  const nothing = async (change: (house: House) => void): Promise<string> => {
    await show([], {}, change);
    return text(stand, ".stand");
  };

  it("says that it connects, also where the integration is not there yet", async () => {
    expect(await nothing((house) => (house.isSilent = true))).toBe("Connecting …");
    stand.remove();
    expect(await nothing((house) => (house.refusal = { code: "unknown_command" }))).toBe(
      "Connecting …",
    );
  });

  it("is told as soon as the integration is there", async () => {
    await show([session(12)], {}, (house) => {
      house.change({ config: { components: [], time_zone: "UTC" } });
    });
    expect(house.connection.subscriptions).toHaveLength(0);
    stand.hass = house.change({ config: { components: ["lrs_pager"], time_zone: "UTC" } });
    await pass();
    expect(group("Waiting")).toEqual(["12"]);
  });

  it("says what is wrong", async () => {
    expect(
      await nothing(
        (house) => (house.refusal = { code: "not_found", translation_key: "which_transmitter" }),
      ),
    ).toBe("There are several transmitters: say which one.");
    stand.remove();
    expect(await nothing((house) => (house.connection.connected = false))).toBe(
      "No connection to Home Assistant. Nothing was sent.",
    );
  });
});

describe("words", () => {
  it("are waited for", async () => {
    await show([session(12)], {}, (house) => {
      house.hasWords = false;
      house.change({ localize: () => "" });
    });
    expect(stand.shadowRoot!.textContent).toBe("");
    stand.hass = house.bringWords();
    await pass();
    expect(text(stand)).toContain("Waiting 1");
    expect(house.hass.loadBackendTranslation).toHaveBeenCalledTimes(2);
  });

  it("are there for all elements as soon as they have come for the first that asked", async () => {
    let bring!: () => void;
    const brought = new Promise<void>((resolve) => (bring = resolve));
    await show([session(12)], {}, (house) => {
      const { localize } = house.hass;
      const asked = new Set<string>();
      house.change({
        localize: () => "",
        // So Home Assistant does it; and its hass may be without the words for long.
        loadBackendTranslation: async (part) => {
          const isFirst = !asked.has(part);
          asked.add(part);
          if (!isFirst) return () => "";
          await brought;
          return localize;
        },
      });
    });
    const second = await mount("lrs-pager-stand", house);
    expect(text(second)).toBe("");
    bring();
    await pass();
    expect(text(stand)).toContain("Waiting 1");
    expect(text(second)).toContain("Waiting 1");
  });

  it("are asked for anew in another language", async () => {
    await show();
    const load = vi.mocked(house.hass.loadBackendTranslation);
    load.mockClear();
    stand.hass = house.change({ language: "de", locale: { language: "de", time_format: "24" } });
    await pass(3);
    expect(load.mock.calls).toEqual([
      ["common", "lrs_pager"],
      ["exceptions", "lrs_pager"],
    ]);
  });

  it("that can't be loaded are asked for once more, in the way that is tried again", async () => {
    await show([], {}, (house) => {
      house.change({ loadBackendTranslation: vi.fn(() => Promise.reject(new Error("lost"))) });
    });
    expect(vi.mocked(house.hass.loadBackendTranslation).mock.calls).toEqual([
      ["common", "lrs_pager"],
      ["exceptions", "lrs_pager"],
      ["common"],
      ["exceptions"],
    ]);
  });
});

describe("the options of this screen", () => {
  it("are kept in the browser", async () => {
    await show();
    const [large] = all(stand, "input");
    (large as HTMLInputElement).click();
    await pass();
    expect(stand.hasAttribute("large")).toBe(true);
    expect(JSON.parse(localStorage.getItem("lrs-pager-screen")!)).toMatchObject({ large: true });
  });

  it("that the card has set can't be changed", async () => {
    await show([], { large: true, hideNames: true });
    expect(all(stand, "input").map((each) => (each as HTMLInputElement).disabled)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("hide Home Assistant's sidebar where the page is ours, and nowhere else", async () => {
    await show([], { isPanel: true });
    const kiosk = vi.fn();
    window.addEventListener("hass-kiosk-mode", (event) => {
      kiosk((event as CustomEvent<unknown>).detail);
    });
    (all(stand, "input")[3] as HTMLInputElement).click();
    expect(kiosk.mock.calls).toEqual([[{ enable: true }]]);
    stand.remove();
    await show([]);
    expect(all(stand, "input")).toHaveLength(3);
  });
});

it("a phone ticks at a tap, and otherwise where that failed", async () => {
  await show();
  const ticks: unknown[] = [];
  stand.addEventListener("haptic", (event) => ticks.push((event as CustomEvent).detail));
  await press(stand, "Page 12");
  house.sent.reject({ code: "not_found" });
  await pass();
  expect(ticks).toEqual(["light", "failure"]);
});

it("nothing is left behind in the page by an element that is gone", async () => {
  const add = vi.spyOn(document, "addEventListener");
  const remove = vi.spyOn(document, "removeEventListener");
  await show();
  await press(stand, "Remove 12");
  stand.remove();
  await pass();
  expect(remove.mock.calls.map(([type]) => type)).toEqual(add.mock.calls.map(([type]) => type));
  const { ready, disconnected } = house.connection.listeners;
  expect([ready.size, disconnected.size, house.subscribed.length]).toEqual([0, 0, 0]);
});

it("a preview in an editor sends, opens and sounds nothing", async () => {
  vi.mocked(isUnlocked).mockReturnValue(true);
  keepScreen({ sound: true });
  await show([session(12, { created_at: NOW - 901 })], { preview: true });
  for (const each of all(stand, "header button, .hand-out, li button")) each.click();
  await pass(3);
  expect(names()).toEqual([]);
  expect(buttons(stand, "li")).toEqual(["Page 12", "Seat 12", "Remove 12"]);
  expect(all(stand, "dialog[open]")).toHaveLength(0);
  expect(all(stand, "lrs-pager-hand-out").flatMap((each) => all(each, "[open]"))).toEqual([]);
  expect(chime).not.toHaveBeenCalled();
});
