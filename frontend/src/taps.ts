/** What a host's taps do to sessions: one command at a time each, and what became of it. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { DOMAIN, type CommandError } from "./hass";
import type { Live } from "./live";
import type { Session } from "./session";

export type Tap = "page" | "seat" | "undo" | "remove";

/** Seconds after a page in which the same pager is not paged again: a double tap is one page. */
const PAGE_LOCK = 3;

/** Seconds for which a row asks whether its guest is to be removed. */
const ASK = 10;

/** How it stands with a row: what is under way, what it asks, what went wrong. */
export interface RowState {
  busy?: Tap;
  isAsking?: boolean;
  /** The error of a tap that failed, or may have. */
  failure?: { tap: Tap; error: CommandError };
  /** Until when it is not paged again, and stays where the finger is (server's POSIX seconds). */
  lockedUntil?: number;
}

/** The error of a command whose connection was lost before the answer (home-assistant-js-websocket). */
const CONNECTION_LOST = 3;

/** Whether what was asked for may have been done although it failed. */
export function isInDoubt(error: CommandError): boolean {
  return error.translation_key === "maybe_done" || error.code === CONNECTION_LOST;
}

export class Taps implements ReactiveController {
  private readonly host: ReactiveControllerHost;
  private readonly live: Live;
  private readonly rows = new Map<string, RowState>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(host: ReactiveControllerHost, live: Live) {
    this.host = host;
    this.live = live;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    this.rows.clear();
  }

  /** How it stands with a session's row. */
  state(session: Session): RowState {
    return this.rows.get(session.id) ?? {};
  }

  /** Whether a page may not be sent now, as one has just been, by whomever. */
  isLocked(session: Session): boolean {
    const until = this.state(session).lockedUntil ?? 0;
    return this.live.now < Math.max(until, (session.notified_at ?? -Infinity) + PAGE_LOCK);
  }

  /** Whether a row stays where it was: it was paged here a moment ago, and fingers may follow. */
  isHeld(session: Session): boolean {
    return this.live.now < (this.state(session).lockedUntil ?? 0);
  }

  /** Ask whether a guest is to be removed, for some seconds. */
  ask(session: Session): void {
    this.set(session, { isAsking: true, failure: undefined });
    this.later(ASK, () => this.set(session, { isAsking: false }));
  }

  /** Take a question or an error off a row. */
  dismiss(session: Session): void {
    this.set(session, { isAsking: false, failure: undefined });
  }

  /** Forget rows whose sessions are gone, and doubts that the list has cleared. */
  see(sessions: readonly Session[], before: readonly Session[]): void {
    const paged = new Map(before.map((session) => [session.id, session.notified_at]));
    const ids = new Set(sessions.map((session) => session.id));
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
    for (const session of sessions) {
      const isPaged = paged.get(session.id) !== session.notified_at;
      if (isPaged && this.state(session).failure?.tap === "page") this.dismiss(session);
    }
  }

  /** Send what was tapped; nothing while a row is busy, locked or Home Assistant is not there. */
  async send(tap: Tap, session: Session): Promise<boolean> {
    const { snapshot } = this.live;
    if (!snapshot || !this.live.isConnected || this.state(session).busy) return false;
    if (tap === "page" && this.isLocked(session)) return false;
    this.set(session, { busy: tap, isAsking: false, failure: undefined });
    if (tap === "page") this.lock(session);
    try {
      await this.command(tap, session, snapshot.entry_id);
    } catch (error) {
      this.set(session, { failure: { tap, error: error as CommandError } });
      return false;
    } finally {
      this.set(session, { busy: undefined });
    }
    if (tap === "page") this.lock(session);
    return true;
  }

  private command(tap: Tap, session: Session, entryId: string): Promise<unknown> {
    const { hass, deviceId } = this.live.wants!;
    const { id, number } = session;
    if (tap === "page" || tap === "remove") {
      const data = { number, session_id: id, config_entry_id: entryId };
      return hass.callService(DOMAIN, `${tap}_session`, data, undefined, false);
    }
    return hass.callWS({
      type: tap === "seat" ? "lrs_pager/seat" : "lrs_pager/undo_seat",
      session_id: id,
      ...(tap === "seat" && { number }),
      ...(deviceId && { device_id: deviceId }),
    });
  }

  private lock(session: Session): void {
    this.set(session, { lockedUntil: this.live.now + PAGE_LOCK });
    this.later(PAGE_LOCK, () => this.host.requestUpdate());
  }

  private set(session: Session, state: RowState): void {
    this.rows.set(session.id, { ...this.state(session), ...state });
    this.host.requestUpdate();
  }

  private later(seconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, seconds * 1000);
    this.timers.add(timer);
  }
}
