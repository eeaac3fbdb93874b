import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from "vitest";

import { Live, type Wanted } from "../src/live";
import type { Known } from "../src/session";
import { freeze, House, NOW, pass, session, setHidden } from "./fake-hass";

const HOUR = 3600;

let house: House;
let live: Live;
let told: [Known[], Known[] | undefined][];
let requestUpdate: Mock<() => void>;

beforeEach(() => {
  freeze();
  setHidden(false);
  house = new House([session(12)]);
  told = [];
  requestUpdate = vi.fn();
  live = new Live(
    {
      addController: vi.fn(),
      removeController: vi.fn(),
      requestUpdate,
      updateComplete: Promise.resolve(true),
    },
    (sessions, before) => told.push([sessions, before]),
  );
  live.hostConnected();
});

// What is rejected and not handled fails the run.
afterEach(() => {
  live.hostDisconnected();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Say what is wanted, as an element does at each update. */
function want(change: Partial<Wanted> = {}): void {
  live.want({ hass: house.hass, deviceId: undefined, names: true, ...change });
}

const join = async (change: Partial<Wanted> = {}): Promise<void> => {
  want(change);
  await pass();
};

describe("joining", () => {
  it("asks for the transmitter and the names that are wanted", async () => {
    await join({ deviceId: "device", names: false });
    expect(house.subscribed.map(({ message }) => message)).toEqual([
      { type: "lrs_pager/subscribe", names: false, device_id: "device" },
    ]);
    expect(live.sessions?.map(({ number }) => number)).toEqual([12]);
  });

  it("leaves the transmitter out where none is named", async () => {
    await join();
    expect(house.subscribed[0]!.message).toEqual({ type: "lrs_pager/subscribe", names: true });
  });

  it("waits until the integration is there, and then does not wait any longer", async () => {
    house.change({ config: { components: [], time_zone: "UTC" } });
    await join();
    await pass(60);
    expect(house.connection.subscriptions).toHaveLength(0);
    expect(live.isConnected).toBe(false);

    house.change({ config: { components: ["lrs_pager"], time_zone: "UTC" } });
    await join();
    expect(live.sessions).toHaveLength(1);
    expect(live.isConnected).toBe(true);
  });

  it("is done once, however often it is said what is wanted", async () => {
    await join();
    for (let n = 0; n < 5; n++) await join({ hass: house.change() });
    expect(house.connection.subscriptions).toHaveLength(1);
  });

  it("asks anew when other names or another transmitter are wanted, and leaves what was", async () => {
    await join({ names: false });
    await join({ names: true });
    await join({ names: true, deviceId: "other" });
    expect(house.connection.subscriptions).toHaveLength(3);
    expect(house.subscribed.map(({ message }) => message)).toEqual([
      { type: "lrs_pager/subscribe", names: true, device_id: "other" },
    ]);
  });

  it("never shows one transmitter's guests as another's", async () => {
    await join({ deviceId: "device" });
    house.isSilent = true;
    want({ deviceId: "other" });
    expect(live.snapshot).toBeUndefined();
    expect(live.sessions).toBeUndefined();
    await house.speak();
    expect(told.map(([, before]) => before)).toEqual([undefined, undefined]);
  });

  it("ends with the element, also where the answer comes after that", async () => {
    house.isSilent = true;
    await join();
    live.hostDisconnected();
    await house.speak();
    expect(house.asked.isOver).toBe(true);
    expect(told).toHaveLength(0);

    live.hostConnected();
    await pass();
    expect(told).toHaveLength(1);
    live.hostDisconnected();
    await pass();
    expect(house.asked.isOver).toBe(true);
    const { ready, disconnected } = house.connection.listeners;
    expect(ready.size + disconnected.size).toBe(0);
  });
});

describe("a refused subscription", () => {
  it("is asked for after 1, 2, 4 ... and never more than 30 seconds", async () => {
    house.refusal = { code: "unknown_command", message: "Unknown command." };
    await join();
    const asked = house.connection.subscriptions;
    const waits: number[] = [];
    for (let before = 0, now = 1; waits.length < 8; now++) {
      const length = asked.length;
      await pass(1);
      if (asked.length === length) continue;
      waits.push(now - before);
      before = now;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect(live.refusal).toEqual(house.refusal);
  });

  it("begins with 1 second again after one that was accepted", async () => {
    house.refusal = { code: "unknown_command" };
    await join();
    await pass(7);
    house.refusal = undefined;
    await pass(8);
    expect(live.refusal).toBeUndefined();
    expect(live.isConnected).toBe(true);

    house.refusal = { code: "unknown_command" };
    await join({ names: false });
    const { length } = house.connection.subscriptions;
    await pass(1);
    expect(house.connection.subscriptions).toHaveLength(length + 1);
  });

  it("lets nothing be sent, and keeps the list", async () => {
    await join();
    house.lose();
    house.refusal = { code: "unknown_command" };
    house.restore();
    await pass();
    expect(live.isConnected).toBe(false);
    expect(live.cutSince).toBeUndefined();
    expect(live.sessions?.map(({ number }) => number)).toEqual([12]);
  });

  it("is not asked for at once because it took long to be refused", async () => {
    house.refusal = { code: "unknown_command" };
    house.isSilent = true;
    await join();
    await pass(10);
    await house.speak();
    expect(house.connection.subscriptions).toHaveLength(1);
    await pass(1);
    expect(house.connection.subscriptions).toHaveLength(2);
  });

  it("is asked for at once when the integration comes, however long the wait would have been", async () => {
    house.refusal = { code: "unknown_command" };
    await join();
    await pass(20);
    house.change({ config: { components: [], time_zone: "UTC" } });
    await join();
    house.refusal = undefined;
    house.change({ config: { components: ["lrs_pager"], time_zone: "UTC" } });
    await join();
    expect(live.sessions).toHaveLength(1);
  });
});

describe("a transmitter that was removed", () => {
  const remove = async (): Promise<void> => {
    await join();
    house.refusal = { code: "not_found" };
    await house.push({ sessions: null, link: { state: "removed", since: NOW } });
  };

  it("is said to be so, keeps the list, and is left", async () => {
    await remove();
    expect(live.snapshot?.link.state).toBe("removed");
    expect(live.sessions?.map(({ number }) => number)).toEqual([12]);
    await pass(1);
    expect(house.subscribed).toEqual([]);
    expect(live.refusal).toEqual(house.refusal);
    expect(live.sessions).toHaveLength(1);
  });

  it("is asked for as one that was refused, until it is added again", async () => {
    await remove();
    await pass(20);
    // After 1, 2, 4 and 8 seconds.
    expect(house.connection.subscriptions).toHaveLength(1 + 5);
    house.refusal = undefined;
    house.snapshot = {
      ...house.snapshot,
      entry_id: "again",
      sessions: [session(14)],
      link: { state: "live", since: NOW },
    };
    await pass(30);
    expect(live.snapshot?.link.state).toBe("live");
    expect(live.sessions?.map(({ number }) => number)).toEqual([14]);
    expect(live.isConnected).toBe(true);
    expect(house.subscribed).toHaveLength(1);
  });

  it("never has its guests taken for those of the one that is the only one then", async () => {
    await remove();
    house.refusal = undefined;
    Object.assign(house.snapshot, { entry_id: "other", link: { state: "loading", since: null } });
    await pass(1);
    expect(live.sessions).toBeUndefined();
    await house.push({ sessions: [session(12)], link: { state: "live", since: NOW } });
    expect(told.map(([, before]) => before)).toEqual([undefined, undefined]);
  });

  it("is not asked for by an element that has left the page", async () => {
    await remove();
    live.hostDisconnected();
    await pass(60);
    expect(house.connection.subscriptions).toHaveLength(1);
  });
});

describe("a lost connection", () => {
  it("is told since when, keeps the list, and lets nothing be sent", async () => {
    await join();
    await pass(10);
    house.lose();
    await pass(60);
    expect(live.cutSince).toBe(NOW + 10);
    expect(live.isConnected).toBe(false);
    expect(live.sessions?.map(({ number }) => number)).toEqual([12]);
  });

  it("is joined again once it is back, without waiting for hass to say so", async () => {
    await join();
    house.lose();
    house.snapshot.sessions = [session(12), session(14)];
    house.restore();
    await pass();
    expect(live.sessions).toHaveLength(2);
    expect(live.cutSince).toBeUndefined();
    expect(live.isConnected).toBe(true);
    expect(house.subscribed).toHaveLength(1);
  });

  it("lets nothing be sent from the moment at which it is closing", async () => {
    await join();
    house.connection.connected = false;
    expect(live.isConnected).toBe(false);
  });

  it("is joined again without the waits of before it was lost", async () => {
    house.refusal = { code: "unknown_command" };
    await join();
    await pass(20);
    house.lose();
    house.restore();
    await pass();
    const { length } = house.connection.subscriptions;
    await pass(1);
    expect(house.connection.subscriptions).toHaveLength(length + 1);
  });

  it("is not joined while it is gone, though hass may not know of it yet", async () => {
    await join();
    house.lose();
    await join();
    expect(house.connection.subscriptions).toHaveLength(1);
  });

  it("is noticed also by an element that was taken out of the page and put back", async () => {
    await join();
    live.hostDisconnected();
    live.hostConnected();
    await pass();
    house.lose();
    expect(live.cutSince).toBe(NOW);
    house.restore();
    await pass();
    expect(live.cutSince).toBeUndefined();
    await house.pushSession(12, { notified_at: NOW });
    expect(live.sessions?.[0]?.notified_at).toBe(NOW);
  });

  it("is noticed by an element that was not in the page when it was lost", async () => {
    await join();
    live.hostDisconnected();
    house.lose();
    live.hostConnected();
    expect(live.cutSince).toBe(NOW);
  });
});

describe("an open connection from which nothing comes", () => {
  it("is taken for cut since it was last heard, and made anew", async () => {
    await join();
    await pass(10);
    house.isSilent = true;
    await pass(10);
    expect(live.cutSince).toBeUndefined();
    await pass(5);
    expect(live.cutSince).toBe(NOW + 10);
    expect(live.isConnected).toBe(false);

    await pass(20);
    expect(house.connection.reconnects).toBe(1);
    house.isSilent = false;
    house.restore();
    await pass();
    expect(live.cutSince).toBeUndefined();
    expect(live.isConnected).toBe(true);
  });

  it("is asked once at a time, as answers may only be slow", async () => {
    await join();
    house.isSilent = true;
    await pass(25);
    expect(house.connection.pings).toBe(1);
    expect(live.cutSince).toBe(NOW);
    await house.speak();
    expect(live.cutSince).toBeUndefined();
  });

  it("is not asked while nobody looks", async () => {
    await join();
    setHidden(true);
    house.isSilent = true;
    await pass(HOUR);
    expect(house.connection.pings).toBe(0);
    expect(live.cutSince).toBeUndefined();
  });

  it("is not taken for dead by an element that was put into a page of some age", async () => {
    await pass(HOUR);
    live.hostDisconnected();
    live.hostConnected();
    house.isSilent = true;
    await join();
    await pass(10);
    expect(house.connection.reconnects).toBe(0);
    expect(live.cutSince).toBeUndefined();
  });

  it("is not taken for dead where Home Assistant is slow to answer after it came back", async () => {
    await join();
    house.lose();
    await pass(HOUR);
    house.isSilent = true;
    house.restore();
    await pass(10);
    expect(house.connection.reconnects).toBe(0);
  });
});

describe("the server's time", () => {
  it.each([-5 * HOUR, 0, 7 * HOUR])(
    "is known to a tablet that is %d seconds wrong",
    async (wrong) => {
      vi.setSystemTime((NOW + wrong) * 1000);
      await join();
      await pass(90);
      expect(live.now).toBeCloseTo(NOW + 90, 1);
    },
  );

  it("stays when somebody sets the tablet's clock", async () => {
    await join();
    vi.setSystemTime((NOW - HOUR) * 1000);
    expect(live.now).toBeCloseTo(NOW, 1);
    await pass(20);
    expect(live.now).toBeCloseTo(NOW + 20, 1);
  });

  it("is asked for anew, once, when the tablet's clocks part", async () => {
    await join();
    vi.setSystemTime((NOW + HOUR) * 1000);
    await pass(30);
    expect(house.connection.subscriptions).toHaveLength(2);
    expect(house.subscribed).toHaveLength(1);
  });

  it("does not hide that nothing comes any more", async () => {
    await join();
    house.isSilent = true;
    vi.setSystemTime((NOW + HOUR) * 1000);
    await pass(15);
    expect(live.cutSince).toBeCloseTo(NOW, 1);
    expect(house.connection.subscriptions).toHaveLength(2);
  });

  it("goes on while a tablet sleeps whose steady clock stops, before anything is told", async () => {
    await join();
    setHidden(true);
    house.isSilent = true;
    vi.setSystemTime((NOW + 600) * 1000);
    setHidden(false);
    expect(live.now).toBeCloseTo(NOW + 600, 1);
    await pass(5);
    expect(live.cutSince).toBeCloseTo(NOW, 1);
  });

  it("is not put ahead where something was told before the page was seen again", async () => {
    await join();
    setHidden(true);
    vi.setSystemTime((NOW + 600) * 1000);
    house.subscribed[0]!.tell({ ...house.snapshot, now: NOW + 600 });
    house.isSilent = true;
    setHidden(false);
    expect(live.now).toBeCloseTo(NOW + 600, 1);
  });

  it("is not put behind by what was under way for long", async () => {
    await join();
    await pass(5);
    house.isSilent = true;
    await pass(20);
    // The list was sent when the silence began, and arrives when it ends.
    const [subscription] = house.subscribed;
    house.isSilent = false;
    subscription!.tell({ ...house.snapshot, now: NOW + 5 });
    await house.speak();
    expect(live.now).toBeCloseTo(NOW + 25, 1);
    expect(house.subscribed).toHaveLength(1);
  });
});

describe("a list", () => {
  it("is told with the one before it, if there was one", async () => {
    await join();
    await house.push({ sessions: [session(12), session(14)] });
    expect(told.map(([now, before]) => [now.length, before?.length])).toEqual([
      [1, undefined],
      [2, 1],
    ]);
  });

  it("stays where the server knows none, as while the entry is loaded anew", async () => {
    await join();
    await house.push({ sessions: null, link: { state: "loading", since: null } });
    expect(live.sessions).toHaveLength(1);
    expect(live.snapshot?.link.state).toBe("loading");
    expect(told).toHaveLength(1);
  });

  it("is the first one after a time without any, whatever else was told", async () => {
    house.snapshot.sessions = null;
    await join();
    expect(live.sessions).toBeUndefined();
    await house.push({ sessions: [session(12)] });
    expect(told.map(([, before]) => before)).toEqual([undefined]);
  });

  it("is asked for anew when somebody looks again", async () => {
    await join();
    setHidden(true);
    await pass(HOUR);
    house.snapshot.sessions = [];
    setHidden(false);
    await pass();
    expect(live.sessions).toEqual([]);
    expect(house.subscribed).toHaveLength(1);
    expect(house.connection.subscriptions).toHaveLength(2);
  });
});

it("the age of the link's state is since it was told first", async () => {
  house.snapshot.link = { state: "polled", since: null };
  await join();
  await pass(10);
  await house.push({ sessions: [] });
  await pass(5);
  expect(live.stateAge).toBeCloseTo(15, 1);
  await house.push({ link: { state: "live", since: null } });
  expect(live.stateAge).toBeCloseTo(0, 1);
});

it("each change has the element drawn", async () => {
  await join();
  requestUpdate.mockClear();
  await house.push();
  expect(requestUpdate).toHaveBeenCalled();
  requestUpdate.mockClear();
  house.lose();
  expect(requestUpdate).toHaveBeenCalled();
});
