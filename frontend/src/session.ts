/**
 * What the server tells of a transmitter, and what a host sees of it: pure functions.
 *
 * All instants are POSIX seconds by the server's clock, all spans are seconds.
 */

/** An event of the WebSocket command lrs_pager/subscribe; websocket.py describes it. */
export interface Snapshot {
  version: string;
  entry_id: string;
  device_id: string | null;
  title: string;
  can_control: boolean;
  now: number;
  link: { state: LinkState; since: number | null };
  late_after: number;
  default_goal: number | null;
  pagers: number[];
  sessions: Session[] | null;
  /** What is quoted to parties of each size; null where nothing can be worked out yet. */
  quotes: Quotes | null;
  /** Whether the unit seems to page by itself at the goal. */
  is_auto_paged: boolean;
}

/** The wait that is quoted, in minutes, or why there is none. */
export interface Quote {
  low: number | null;
  /** What is kept four times in five. */
  high: number | null;
  reason: string | null;
}

export type Quotes = Record<Size, Quote>;

export type LinkState =
  | "live"
  | "accepted"
  | "polled"
  | "unreachable"
  | "no_list"
  | "loading"
  | "failed"
  | "disabled"
  | "removed";

/** An active session. */
export interface Session {
  /** By what the server knows it; it may change when the unit tells more of the session. */
  id: string;
  number: number | null;
  label: string | null;
  party_size: number | null;
  goal: number | null;
  created_at: number | null;
  notified_at: number | null;
  /** Whether it is of an earlier business day: nobody cleared it at closing. */
  not_cleared: boolean;
  /** Until when its end can be undone; null if nobody asked for it. */
  seating_until: number | null;
  /** Why its end failed, by the key of the exception's translation. */
  notice: { key: string; placeholders: Record<string, string> } | null;
  /** Minutes for which its guest will probably wait on; null where that can't be said. */
  about: number | null;
}

/** A session as it is known here, under one key from its start to its end. */
export interface Known extends Session {
  key: string;
}

/** Find sessions that were told in a list among those of the list before, where they were in that. */
export function recognise(before: readonly Known[], told: readonly Session[]): Known[] {
  const ids = new Set(told.map(({ id }) => id));
  const known = new Map(before.map((session) => [session.id, session.key]));
  // One whose id is gone is the one that began with the same pager at the same instant.
  const start = (session: Session): string => `${session.number} ${session.created_at}`;
  const lost = new Map(
    before.filter(({ id }) => !ids.has(id)).map((session) => [start(session), session.key]),
  );
  return told.map((session) => {
    const key = known.get(session.id) ?? lost.get(start(session)) ?? session.id;
    lost.delete(start(session));
    return { ...session, key };
  });
}

/** Seconds before its goal from which a session is due soon. */
export const DUE_SOON = 300;

/**
 * How it stands with a session's time: `open` without a goal, `early`, `soon`, `late`, `paged`, or
 * `not_cleared` at closing.
 */
export type TimeState = "open" | "early" | "soon" | "late" | "paged" | "not_cleared";

/**
 * The state of a session's time, and the span to show with it: since the page, since the start, left to
 * the goal, or past the goal. null: the unit did not say when it started.
 */
export interface Time {
  state: TimeState;
  span: number | null;
}

/** Reckon a session's time. now: whole seconds. */
export function timeOf(session: Session, now: number, lateAfter: number): Time {
  if (session.not_cleared) return { state: "not_cleared", span: null };
  if (session.notified_at !== null) {
    return { state: "paged", span: Math.max(0, now - session.notified_at) };
  }
  if (session.created_at === null) return { state: "open", span: null };
  if (!session.goal) return { state: "open", span: Math.max(0, now - session.created_at) };
  const left = session.created_at + session.goal - now;
  if (-left >= lateAfter) return { state: "late", span: -left };
  return { state: left <= DUE_SOON ? "soon" : "early", span: Math.max(0, left) };
}

/** A span as people read it on a clock: 6:13, 1:06:13. */
export function clockText(span: number): string {
  const seconds = `${span % 60}`.padStart(2, "0");
  const minutes = Math.floor(span / 60);
  if (minutes < 60) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${`${minutes % 60}`.padStart(2, "0")}:${seconds}`;
}

/** The classes of party sizes, by which tables are looked for. */
export const SIZES = { small: "1–2", medium: "3–4", large: "5+" };
export type Size = keyof typeof SIZES;

/** The class of a party; one whose size is not known is a guest at least, as in the sensors. */
export function sizeOf({ party_size }: Pick<Session, "party_size">): Size {
  const size = party_size ?? 1;
  return size <= 2 ? "small" : size <= 4 ? "medium" : "large";
}

/** The sessions from the oldest; those whose start is not known are last. */
export function inLine(sessions: readonly Known[]): Known[] {
  const start = (session: Session): number => session.created_at ?? Infinity;
  return [...sessions].sort((a, b) => start(a) - start(b) || (a.number ?? 0) - (b.number ?? 0));
}

/** The sessions of guests who are there: not those that nobody cleared at closing. */
export function present<T extends Session>(sessions: readonly T[]): T[] {
  return sessions.filter(({ not_cleared }) => !not_cleared);
}

/** The line as a whole. */
export interface Line {
  waiting: number;
  guests: number;
  late: number;
  /** How long the first in the line has waited; null if nobody waits. */
  longest: number | null;
}

/** Sum up those who wait, and are there. now: whole seconds. */
export function lineOf(listed: readonly Session[], now: number, lateAfter: number): Line {
  const waiting = present(listed);
  const starts = waiting.flatMap((session) => session.created_at ?? []);
  return {
    waiting: waiting.length,
    guests: waiting.reduce((sum, session) => sum + (session.party_size ?? 1), 0),
    late: waiting.filter((session) => timeOf(session, now, lateAfter).state === "late").length,
    longest: starts.length ? Math.max(0, now - Math.min(...starts)) : null,
  };
}

/** What happened to sessions between two lists, for those who hear the screen. */
export interface Happening {
  kind: "started" | "paged" | "ended" | "failed";
  session: Known;
}

/** Compare two lists. */
export function happenings(before: readonly Known[], after: readonly Known[]): Happening[] {
  const known = new Map(before.map((session) => [session.key, session]));
  const found: Happening[] = [];
  for (const session of after) {
    const earlier = known.get(session.key);
    known.delete(session.key);
    if (!earlier) found.push({ kind: "started", session });
    else if (earlier.notified_at !== session.notified_at && session.notified_at !== null) {
      found.push({ kind: "paged", session });
    } else if (session.notice && !earlier.notice) found.push({ kind: "failed", session });
  }
  for (const session of known.values()) found.push({ kind: "ended", session });
  return found;
}
