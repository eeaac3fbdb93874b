/** What is wrong with what the screen shows: the sentence above the list. */

import type { Live } from "./live";
import type { Words } from "./words";

/** Seconds for which changes may have to be asked for before that is worth a sentence. */
const POLLED_GRACE = 15;

export interface Banner {
  text: string;
  level: "error" | "info";
  /** Whether the list is only what was so some time ago. */
  isStale: boolean;
}

/** What is to be said; undefined if all is well. */
export function bannerOf(live: Live, words: Words): Banner | undefined {
  const { snapshot, cutSince, refusal, now } = live;
  const since = (instant: number | null | undefined): { time: string } => ({
    time: words.timeOfDay(instant ?? now),
  });
  const stale = (text: string): Banner => ({ text, level: "error", isStale: true });
  if (cutSince !== undefined) return stale(words.get("cut", since(cutSince)));
  if (refusal) return stale(words.get("starting"));
  if (!snapshot) return undefined;
  const { state } = snapshot.link;
  switch (state) {
    case "live":
      return undefined;
    case "polled":
      if (live.stateAge < POLLED_GRACE) return undefined;
      return { text: words.get("link_polled"), level: "info", isStale: false };
    case "no_list":
      return { text: words.get("link_no_list"), level: "error", isStale: false };
    case "unreachable":
      return snapshot.link.since === null
        ? stale(words.get("link_unreachable"))
        : stale(words.get("link_unreachable_since", since(snapshot.link.since)));
    case "loading":
      return stale(words.get("starting"));
    default:
      return stale(words.get(`link_${state}`));
  }
}
