/** What is quoted to those who ask how long it takes. */

import { html, nothing } from "lit";

import { SIZES, type Quotes, type Size } from "./session";
import type { Words } from "./words";

/** The range for each size that has one, in the words of a key. */
export function rangesTemplate(quotes: Quotes | null, key: string, words: Words): unknown[] {
  return Object.entries(SIZES).flatMap(([size, text]) => {
    const { low, high } = quotes?.[size as Size] ?? { high: null };
    const minutes = low === high ? high : `${low}–${high}`;
    return high === null ? [] : html`<bdi>${words.get(key, { size: text, minutes })}</bdi> `;
  });
}

/** The ranges, or why there are none; nothing where nobody waits, as nobody asks why then. */
export function quotesTemplate(quotes: Quotes | null, words: Words): unknown {
  const ranges = rangesTemplate(quotes, "quote", words);
  const reason = Object.values(quotes ?? {}).find((quote) => quote.reason !== "no_line")?.reason;
  if (!ranges.length && !reason) return nothing;
  return html`<p class="quotes">
    ${ranges.length ? [words.get("quotes"), " ", ranges] : words.get(`no_quote_${reason}`)}
  </p>`;
}
