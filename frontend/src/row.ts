/** One guest: the pager's number, who it is, how long it takes, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { icon } from "./icons";
import { clockText, timeOf, type Known, type Time } from "./session";
import { isInDoubt, type RowState, type Tap } from "./taps";
import type { Words } from "./words";

/** All that a row shows. */
export interface Row {
  session: Known;
  /** The server's time, in whole seconds. */
  now: number;
  lateAfter: number;
  state: RowState;
  canControl: boolean;
  /** Whether what is pressed reaches Home Assistant. */
  isConnected: boolean;
  hideName: boolean | undefined;
  words: Words;
}

/** What is called when a button of a row is pressed. */
type Press = (tap: Tap | "ask" | "dismiss", event: MouseEvent) => void;

/** A button of a row: what it does, and its word's key in the translations. */
interface Button {
  tap: Parameters<Press>[0];
  key: string;
  kind: "primary" | "plain" | "danger";
  icon?: "bell" | "check";
  isOff?: boolean;
}

/** Draw a row. */
export function rowTemplate(row: Row, press: Press): TemplateResult {
  const { session, words, now, state } = row;
  const time = timeOf(session, now, row.lateAfter);
  const isPending = session.seating_until !== null;
  const isEnding = isPending && now >= session.seating_until!;
  const isBusy = state.busy !== undefined || isEnding;
  // Actions go by the pager's number.
  const buttons = row.canControl && session.number !== null ? buttonsOf(row, isPending) : [];
  const name = row.hideName ? null : session.label;
  const who = name ?? (session.number === null ? words.get("no_number") : "");
  return html`
    <li
      class=${isPending ? "seating" : time.state}
      data-key=${session.key}
      tabindex="-1"
      aria-busy=${isBusy}
    >
      <span class="number">${session.number ?? "?"}</span>
      <span class="who" id="who-${session.key}">
        ${who ? html`<bdi class="name" title=${who}>${who}</bdi>` : nothing}
        ${session.party_size === null ? nothing : partyTemplate(session.party_size, words)}
      </span>
      <span class="time"> ${isEnding ? words.get("seating_now") : timeTemplate(row, time)} </span>
      ${failureTemplate(row)}
      ${
        buttons.length
          ? html`<span class="buttons">
              ${repeat(
                buttons,
                ({ tap }) => tap,
                (button) => buttonTemplate(button, row, time, isBusy, press),
              )}
            </span>`
          : nothing
      }
    </li>
  `;
}

/**
 * The buttons of a row. What is meant to be pressed next is the large one; what ends a guest's wait never
 * comes to stand where a finger has just been.
 */
function buttonsOf({ session, state }: Row, isPending: boolean): Button[] {
  const isPaged = session.notified_at !== null && !state.isHeld;
  if (isPending) return [{ tap: "undo", key: "undo", kind: "primary" }];
  if (state.isAsking) {
    return [
      { tap: "dismiss", key: "keep", kind: "plain" },
      { tap: "remove", key: "confirm", kind: "danger" },
    ];
  }
  const page = {
    tap: "page",
    key: isPaged ? "page_again" : "page",
    isOff: state.isLocked,
  } as const;
  const seat = { tap: "seat", key: "seat" } as const;
  const [next, other] = isPaged ? [seat, page] : [page, seat];
  return [
    { ...next, kind: "primary", icon: isPaged ? "check" : "bell" },
    { ...other, kind: "plain" },
    { tap: "ask", key: "remove", kind: "plain" },
  ];
}

function buttonTemplate(
  button: Button,
  { session, words, state, isConnected }: Row,
  time: Time,
  isBusy: boolean,
  press: Press,
): TemplateResult {
  const { tap, key } = button;
  const isOff = isBusy || button.isOff || !isConnected;
  // Where all is loud, nothing is: only the guest who should be paged by now, or soon.
  const kind = button.kind === "primary" && time.state === "late" ? "loud" : button.kind;
  // The name says which pager is meant, as nothing else does to those who don't see the row.
  return html`
    <button
      type="button"
      class="${kind} ${state.busy === tap ? "busy" : ""}"
      aria-disabled=${isOff}
      aria-describedby="who-${session.key}"
      data-tap=${tap}
      @click=${(event: MouseEvent) => !isOff && press(tap, event)}
    >
      ${button.icon ? icon(button.icon) : nothing}<span aria-hidden="true">${words.get(key)}</span>
      <span class="unseen">${words.get(`button_${key}`, { number: session.number })}</span>
    </button>
  `;
}

function partyTemplate(size: number, words: Words): TemplateResult {
  return html`<span class="party"
    >${icon("person")}<span aria-hidden="true">${size}</span
    ><span class="unseen">${words.count("party", size)}</span></span
  >`;
}

/** How long it takes; for a moment, what is about to be done, or asked. */
function timeTemplate({ session, words, state, now }: Row, time: Time): unknown {
  if (session.seating_until !== null) {
    return words.get("seating", { seconds: Math.floor(session.seating_until - now) });
  }
  if (state.isAsking) return words.get("remove_question");
  return html`
    <span>
      ${time.state === "late" ? icon("alert") : nothing}
      <b>${time.span === null ? "" : clockText(time.span)}</b>
      ${words.get(`time_${time.state}`)}
    </span>
    ${
      session.about == null
        ? nothing
        : html`<span class="about">${words.get("about", { minutes: session.about })}</span>`
    }
  `;
}

/** What went wrong, or may have, and the way out. */
function failureTemplate({ session, words, state }: Row): unknown {
  const { notice } = session;
  const failure =
    state.failure ??
    (notice && {
      tap: "seat" as const,
      error: { translation_key: notice.key, translation_placeholders: notice.placeholders },
    });
  if (!failure) return nothing;
  return html`<p class="message alarm">
    ${icon("alert")}${
      isInDoubt(failure.error) ? words.get(`maybe_${failure.tap}`) : words.error(failure.error)
    }
  </p>`;
}
