/** A Home Assistant with one transmitter, as far as the front end sees it; its texts are the real ones. */

import { vi } from "vitest";

import texts from "../../custom_components/lrs_pager/translations/en.json";
import {
  type CommandError,
  type Connection,
  type Device,
  type Entity,
  type Hass,
} from "../src/hass";
import type { Quote, Session, Snapshot } from "../src/session";
import { loads } from "../src/words";

/** The server's time when a test starts (POSIX seconds): a full second, whatever the tablet shows. */
export const NOW = 1_800_000_000;

/** How a command fails whose connection is lost before the answer (home-assistant-js-websocket). */
export const LOST = {
  type: "result",
  success: false,
  error: { code: 3, message: "Connection lost" },
};

export function session(number: number | null, fields: Partial<Session> = {}): Session {
  return {
    id: `id-${number}`,
    number,
    label: null,
    party_size: 2,
    goal: 900,
    created_at: NOW - 60,
    notified_at: null,
    not_cleared: false,
    seating_until: null,
    notice: null,
    about: null,
    ...fields,
  };
}

/** What is quoted to parties of a size. */
export function quote(low: number | null, high = low, reason: string | null = null): Quote {
  return { low, high, reason };
}

/** What the tests stand on: fake timers, and a tablet whose clock shows `tablet`. */
export function freeze(tablet = NOW): void {
  vi.useFakeTimers({ now: tablet * 1000 });
}

/** Let a span pass (seconds), and all that follows from it happen. */
export async function pass(seconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

/** Hide the page, or show it. */
export function setHidden(isHidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

/** A command or an action that was sent, which waits for its answer. */
export interface Command {
  name: string;
  data: Record<string, unknown>;
  resolve(result?: unknown): void;
  reject(error: unknown): void;
}

interface Subscription {
  message: Record<string, unknown>;
  tell(snapshot: Snapshot): void;
  isOver: boolean;
}

class FakeConnection implements Connection {
  connected = true;
  readonly listeners = { ready: new Set<() => void>(), disconnected: new Set<() => void>() };
  readonly subscriptions: Subscription[] = [];
  pings = 0;
  reconnects = 0;
  private readonly house: House;

  constructor(house: House) {
    this.house = house;
  }

  subscribeMessage(
    callback: (event: Snapshot) => void,
    message: Record<string, unknown>,
    { resubscribe }: { resubscribe: boolean },
  ): Promise<() => Promise<void>> {
    if (resubscribe) throw new Error("A refused resubscription would reject unhandled.");
    const subscription: Subscription = { message, tell: callback, isOver: false };
    this.subscriptions.push(subscription);
    return new Promise((resolve, reject) => {
      const refuse: (reason: unknown) => void = reject;
      // What is sent over no connection is never answered.
      if (!this.connected) return;
      this.house.answer(() => {
        if (this.house.refusal) {
          subscription.isOver = true;
          refuse(this.house.refusal);
          return;
        }
        resolve(() => {
          subscription.isOver = true;
          // Home Assistant may be gone by then.
          return Promise.reject(new Error("not there"));
        });
        // The event comes in the same message, before anybody has learnt of the answer.
        this.house.tell(subscription);
      });
    });
  }

  addEventListener(type: "ready" | "disconnected", listener: () => void): void {
    this.listeners[type].add(listener);
  }

  removeEventListener(type: "ready" | "disconnected", listener: () => void): void {
    this.listeners[type].delete(listener);
  }

  ping(): Promise<unknown> {
    this.pings += 1;
    return new Promise((resolve, reject) => {
      this.house.answer(() => resolve(undefined), reject);
    });
  }

  reconnect(force?: boolean): void {
    if (!force) throw new Error("A dead connection is never closed by the other side.");
    this.reconnects += 1;
    this.house.lose();
  }
}

/** Home Assistant: what it knows, what it was sent, and what may happen to it. */
export class House {
  /** What is told of the transmitter, but for the time; change it, then `push`. */
  snapshot: Omit<Snapshot, "now"> = {
    version: "1",
    entry_id: "entry",
    device_id: "device",
    title: "Front door",
    can_control: true,
    link: { state: "live", since: NOW - 3600 },
    late_after: 2,
    default_goal: 300,
    pagers: [],
    sessions: [],
    quotes: null,
    is_auto_paged: false,
  };
  /** Why subscriptions are refused, if they are. */
  refusal: CommandError | undefined;
  /** Whether nothing comes from it although the connection is open; see `speak`. */
  isSilent = false;
  /** Whether it has sent our words to the browser. */
  hasWords = true;
  readonly commands: Command[] = [];
  readonly connection = new FakeConnection(this);
  hass: Hass;

  private readonly start = performance.now();
  private waiting: { answer(): void; lose(): void }[] = [];

  constructor(sessions: Session[] = []) {
    this.snapshot.sessions = sessions;
    loads.clear();
    this.hass = {
      connected: true,
      connection: this.connection,
      language: "en",
      locale: { language: "en", time_format: "24", time_zone: "server" },
      config: { components: ["lrs_pager"], time_zone: "UTC" },
      entities: {},
      devices: {},
      kioskMode: false,
      localize: this.localizer(),
      loadBackendTranslation: vi.fn(() => Promise.resolve(this.hass.localize)),
      callService: (_domain, service, data, _target, notifyOnError) => {
        if (notifyOnError) throw new Error("Errors are shown in the row, not as a toast.");
        return this.send(service, data);
      },
      callWS: ({ type, ...data }) =>
        type === "config_entries/get" ? this.entriesOf(data) : this.send(type, data),
    };
  }

  /** The server's time. */
  get now(): number {
    return NOW + (performance.now() - this.start) / 1000;
  }

  /** Subscriptions that were not given up. */
  get subscribed(): Subscription[] {
    return this.connection.subscriptions.filter(({ isOver }) => !isOver);
  }

  /** The subscription that was asked for last. */
  get asked(): Subscription {
    return this.connection.subscriptions.slice(-1)[0]!;
  }

  /** The command that was sent last. */
  get sent(): Command {
    const [command] = this.commands.slice(-1);
    if (!command) throw new Error("Nothing was sent.");
    return command;
  }

  /** Have hass replaced, as Home Assistant does at each change. */
  change(change: Partial<Hass> = {}): Hass {
    this.hass = { ...this.hass, ...change };
    return this.hass;
  }

  /** Add transmitters, each with a sensor for each key. */
  addTransmitters(names: string[], keys = ["active_sessions"]): void {
    const devices: Record<string, Device> = {};
    const entities: Record<string, Entity> = {};
    names.forEach((name, index) => {
      const id = `device-${index}`;
      devices[id] = { id, name, config_entries: [`ENTRY${index}`] };
      for (const key of keys) {
        const entity_id = `sensor.${index}_${key}`;
        entities[entity_id] = {
          entity_id,
          device_id: id,
          platform: "lrs_pager",
          translation_key: key,
        };
      }
    });
    this.change({ devices, entities });
  }

  tell(subscription: Subscription): void {
    if (subscription.isOver || this.isSilent) return;
    const { names } = subscription.message;
    const { sessions } = this.snapshot;
    const told = names ? sessions : sessions?.map((each) => ({ ...each, label: null }));
    subscription.tell(structuredClone({ ...this.snapshot, sessions: told ?? null, now: this.now }));
  }

  /** Tell what has changed. */
  async push(change: Partial<Snapshot> = {}): Promise<void> {
    Object.assign(this.snapshot, change);
    this.subscribed.forEach((subscription) => this.tell(subscription));
    await pass();
  }

  /** Change a session, and tell it. */
  async pushSession(number: number, change: Partial<Session>): Promise<void> {
    const sessions = this.snapshot.sessions!.map((each) =>
      each.number === number ? { ...each, ...change } : each,
    );
    await this.push({ sessions });
  }

  /** Answer something at once, or when the silence is over. lose: if the connection is lost before. */
  answer(answer: () => void, lose: (reason: unknown) => void = () => undefined): void {
    if (this.isSilent) this.waiting.push({ answer, lose: () => lose(LOST) });
    else void Promise.resolve().then(answer);
  }

  /** What was held back by a silence comes now. */
  async speak(): Promise<void> {
    this.isSilent = false;
    for (const { answer } of this.waiting.splice(0)) answer();
    await pass();
  }

  /** The connection is lost. */
  lose(): void {
    this.connection.connected = false;
    for (const subscription of this.connection.subscriptions) subscription.isOver = true;
    for (const listener of [...this.connection.listeners.disconnected]) listener();
    for (const { reject } of this.commands) reject(LOST);
    for (const { lose } of this.waiting.splice(0)) lose();
  }

  /** The connection is there again. */
  restore(): void {
    this.connection.connected = true;
    for (const listener of [...this.connection.listeners.ready]) listener();
  }

  /** The words come, as they do to a page that has asked for them. */
  bringWords(): Hass {
    this.hasWords = true;
    return this.change({ localize: this.localizer() });
  }

  /** Home Assistant's answer, to whoever asks, with the entries of the transmitters that were added. */
  private entriesOf({ domain }: Record<string, unknown>): Promise<unknown> {
    if (domain !== "lrs_pager") throw new Error("All integrations' entries were asked for.");
    const devices = Object.keys(this.hass.devices);
    return Promise.resolve(devices.map((_, index) => ({ entry_id: `ENTRY${index}` })));
  }

  private send(name: string, data: Record<string, unknown>): Promise<unknown> {
    // As JSON, in which nothing is undefined.
    const sent = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
    return new Promise((resolve, reject) => {
      this.commands.push({ name, data: sent, resolve, reject });
    });
  }

  /** Texts as they are known now; one that is nowhere, or lacks a value, fails the test. */
  private localizer(): Hass["localize"] {
    const hasWords = this.hasWords;
    return (path, values = {}) => {
      if (!hasWords) return "";
      const [, , part, key = ""] = path.split(".");
      const text =
        part === "common"
          ? (texts.common as Record<string, string>)[key]
          : (texts.exceptions as Record<string, { message: string } | undefined>)[key]?.message;
      if (text === undefined) {
        // Plural forms of other languages, and explanations that not every field has.
        if (part !== "common" || /_(zero|two|few|many|help)$/.test(key)) return "";
        throw new Error(`There is no text for ${key}.`);
      }
      return text.replace(/\{(\w+)\}/g, (_, name: string) => {
        if (!(name in values)) throw new Error(`${key} lacks its ${name}.`);
        return String(values[name]);
      });
    };
  }
}

/** An element of ours in the page. */
export type Ours<T = object> = HTMLElement & T & { hass: Hass };

/** Put an element of ours into the page, and wait until it is drawn. */
export async function mount<T = object>(
  tag: string,
  house: House,
  properties: Record<string, unknown> = {},
): Promise<Ours<T>> {
  const element = document.createElement(tag) as Ours<T>;
  Object.assign(element, { hass: house.hass }, properties);
  document.body.append(element);
  await pass();
  return element;
}

/** What is in an element's shadow, by selector. */
export function all(element: HTMLElement, selector: string): HTMLElement[] {
  return [...element.shadowRoot!.querySelectorAll<HTMLElement>(selector)];
}

/** The text of what is there by that selector, with its white space as a reader sees it. */
export function text(element: HTMLElement, selector = ":host"): string {
  const found =
    selector === ":host" ? element.shadowRoot : element.shadowRoot!.querySelector(selector);
  return (found?.textContent ?? "").replace(/\s+/g, " ").trim();
}

/** What a button is called by those who hear the page. */
function nameOf(button: Element): string {
  const copy = button.cloneNode(true) as Element;
  for (const silent of copy.querySelectorAll("[aria-hidden=true]")) silent.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/** The names of an element's buttons, as they are heard, one after the other. */
export function buttons(element: HTMLElement, within = ""): string[] {
  return all(element, `${within} button`).map(nameOf);
}

/** The button of that name. */
export function button(element: HTMLElement, name: string): HTMLElement {
  const found = all(element, "button").filter((each) => nameOf(each) === name);
  if (found.length !== 1) throw new Error(`${found.length} of ${buttons(element).join(", ")}`);
  return found[0]!;
}

/** Press a button, and wait for what follows at once. */
export async function press(element: HTMLElement, name: string): Promise<void> {
  button(element, name).click();
  await pass();
}
