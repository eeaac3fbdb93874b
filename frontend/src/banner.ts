/** What is wrong with what the screen shows: the sentence above the list. */

import { type Live, UNKNOWN_COMMAND } from "./live";
import type { Words } from "./words";

/** Seconds for which changes may have to be asked for before that is worth a sentence. */
const POLLED_GRACE = 15;

/** What is known of a transmitter and of Home Assistant. */
type State = Pick<Live, "snapshot" | "sessions" | "cutSince" | "refusal" | "now" | "stateAge">;

export interface Banner {
  text: string;
  level: "error" | "info";
  /** Whether the list is only what was so some time ago. */
  isStale: boolean;
}

/** Why nothing was told yet; undefined if that is under way. */
export function problemOf(
  { cutSince, refusal }: Pick<State, "cutSince" | "refusal">,
  words: Words,
): string | undefined {
  if (cutSince !== undefined) return words.get("cut_at_once");
  return refusal && refusal.code !== UNKNOWN_COMMAND ? words.error(refusal) : undefined;
}

/** What is to be said of what was told; undefined if all is well. */
export function bannerOf(live: State, words: Words): Banner | undefined {
  const { snapshot, sessions, cutSince, refusal, now } = live;
  const stale = (key: string, instant = now): Banner => ({
    text: words.get(key, { time: words.timeOfDay(instant) }),
    level: "error",
    isStale: true,
  });
  const problem = problemOf(live, words);
  if (cutSince !== undefined && sessions) return stale("cut", cutSince);
  if (problem) return { text: problem, level: "error", isStale: true };
  if (refusal) return stale("starting");
  const { state, since } = snapshot!.link;
  switch (state) {
    case "live":
    case "accepted":
      return undefined;
    case "polled":
      if (Math.max(live.stateAge, now - (since ?? now)) < POLLED_GRACE) return undefined;
      return { text: words.get("link_polled"), level: "info", isStale: false };
    case "no_list":
      return { text: words.get("link_no_list"), level: "error", isStale: false };
    case "unreachable":
      return since !== null && sessions
        ? stale("link_unreachable_since", since)
        : stale("link_unreachable");
    case "loading":
      return stale(sessions ? "starting" : "connecting");
    default:
      return stale(`link_${state}`);
  }
}
