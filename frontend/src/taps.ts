/** What a host's taps do to sessions: one command at a time each, and what became of it. */

import type { ReactiveControllerHost } from "lit";

import { DOMAIN, type CommandError } from "./hass";
import type { Live } from "./live";
import type { Known, Snapshot } from "./session";

export type Tap = "page" | "seat" | "undo" | "remove";

/**
 * Seconds after a page in which the same pager is not paged again, as a double tap is one page, and in
 * which its row stays where it was, as a finger may be on it.
 */
const PAGE_LOCK = 3;

/** Seconds for which a row asks whether its guest is to be removed. */
const ASK = 10;

/** The error of a tap that failed, or may have. */
export interface Failure {
  tap: Tap;
  error: CommandError;
}

/** What is kept of a row. Instants are the server's POSIX seconds. */
interface Kept {
  busy?: Tap | undefined;
  failure?: Failure | undefined;
  askedAt?: number;
  pagedAt?: number;
  /** Whether its guest waited when it was paged here. */
  hasWaited?: boolean;
}

/** How it stands with a row. */
export interface RowState {
  /** What is under way. */
  busy: Tap | undefined;
  failure: Failure | undefined;
  /** Whether it asks if its guest is to be removed. */
  isAsking: boolean;
  /** Whether it may not be paged, as it has just been, by whomever. */
  isLocked: boolean;
  /** Whether it is shown as one that waits, as it was paged here a moment ago. */
  isHeld: boolean;
}

/** The error of a command whose connection was lost before the answer (home-assistant-js-websocket). */
const CONNECTION_LOST = 3;

/** Whether what was asked for may have been done although it failed. */
export function isInDoubt(error: CommandError): boolean {
  return error.translation_key === "maybe_done" || error.error?.code === CONNECTION_LOST;
}

/** Whether a list shows what a tap has led to. after: the session as it is then, if it is. */
function isShown(tap: Tap, before: Known, after: Known | undefined): boolean {
  if (!after) return true;
  if (tap === "page") return before.notified_at !== after.notified_at;
  return before.seating_until !== after.seating_until || before.notice?.key !== after.notice?.key;
}

export class Taps {
  private readonly host: ReactiveControllerHost;
  private readonly live: Live;
  private readonly rows = new Map<string, Kept>();

  constructor(host: ReactiveControllerHost, live: Live) {
    this.host = host;
    this.live = live;
  }

  /** How it stands with a session's row; asked for at each full second. */
  state(session: Known): RowState {
    const { busy, failure, askedAt, pagedAt, hasWaited } = this.rows.get(session.key) ?? {};
    const isPagedHere = this.isSince(pagedAt, PAGE_LOCK);
    return {
      busy,
      failure,
      isAsking: this.isSince(askedAt, ASK),
      isLocked: isPagedHere || this.isSince(session.notified_at, PAGE_LOCK),
      isHeld: hasWaited === true && (isPagedHere || busy === "page"),
    };
  }

  /** Whether an instant was some seconds ago at most, and is not far ahead, as if clocks were set. */
  private isSince(instant: number | null | undefined, seconds: number): boolean {
    return Math.abs(this.live.now - (instant ?? -Infinity)) < seconds;
  }

  /** Ask whether a guest is to be removed, for some seconds. */
  ask(session: Known): void {
    this.set(session, { askedAt: this.live.now, failure: undefined });
  }

  /** Take a question off a row. */
  dismiss(session: Known): void {
    this.set(session, { askedAt: -Infinity });
  }

  /** Forget rows whose sessions are gone, and what went wrong where a list shows how it ended. */
  see(sessions: readonly Known[], before: readonly Known[]): void {
    const now = new Map(sessions.map((session) => [session.key, session]));
    for (const key of this.rows.keys()) if (!now.has(key)) this.rows.delete(key);
    for (const session of before) {
      const { key } = session;
      const row = this.rows.get(key);
      if (row?.failure && isShown(row.failure.tap, session, now.get(key))) row.failure = undefined;
    }
  }

  /**
   * Send what was tapped, and return whether it was done.
   *
   * Nothing is sent, and undefined returned, while a row is busy or the integration is not there.
   */
  async send(tap: Tap, session: Known): Promise<boolean | undefined> {
    const { snapshot, isConnected } = this.live;
    if (!snapshot || !isConnected || this.state(session).busy) return undefined;
    this.set(session, {
      busy: tap,
      failure: undefined,
      askedAt: -Infinity,
      ...(tap === "page" && { hasWaited: session.notified_at === null }),
    });
    let failure: Failure | undefined;
    try {
      await this.command(tap, session, snapshot);
    } catch (thrown) {
      const error = thrown as CommandError;
      // The list may have told meanwhile that it was done.
      const now = this.live.sessions?.find(({ key }) => key === session.key);
      if (!isInDoubt(error) || !isShown(tap, session, now)) failure = { tap, error };
    }
    this.set(session, {
      busy: undefined,
      failure,
      ...(tap === "page" && { pagedAt: this.live.now }),
    });
    return !failure;
  }

  private command(tap: Tap, session: Known, { entry_id, device_id }: Snapshot): Promise<unknown> {
    const { hass } = this.live.wanted!;
    const { id, number } = session;
    if (tap === "page" || tap === "remove") {
      const data = { number, session_id: id, config_entry_id: entry_id };
      return hass.callService(DOMAIN, `${tap}_session`, data, undefined, false);
    }
    return hass.callWS({
      type: tap === "seat" ? "lrs_pager/seat" : "lrs_pager/undo_seat",
      session_id: id,
      ...(tap === "seat" && { number }),
      ...(device_id !== null && { device_id }),
    });
  }

  private set(session: Known, row: Kept): void {
    this.rows.set(session.key, { ...this.rows.get(session.key), ...row });
    this.host.requestUpdate();
  }
}
