/** One guest: the pager's number, who it is, how long it takes, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";

import { icon } from "./icons";
import { clockText, timeOf, type Session, type Time } from "./session";
import { isInDoubt, type RowState, type Tap } from "./taps";
import type { Words } from "./words";

/** All that a row shows. */
export interface Row {
  session: Session;
  /** The server's time, in whole seconds. */
  now: number;
  lateAfter: number;
  state: RowState;
  isLocked: boolean;
  canControl: boolean;
  /** Whether what is pressed reaches Home Assistant. */
  isConnected: boolean;
  hideName: boolean;
  words: Words;
}

/** A button of a row: where it stands, what it says and does. */
interface Button {
  slot: "main" | "second" | "third";
  tap: Tap | "ask" | "dismiss";
  word: string;
  kind: "primary" | "plain" | "danger";
  icon?: "bell" | "check";
  isOff?: boolean;
}

/** Draw a row. press: what a button does. */
export function rowTemplate(row: Row, press: (tap: Button["tap"]) => void): TemplateResult {
  const { session, words, now, state } = row;
  const time = timeOf(session, now, row.lateAfter);
  const isPending = session.seating_until !== null;
  const isBusy = state.busy !== undefined || (isPending && now >= session.seating_until!);
  const buttons = row.canControl ? buttonsOf(row, isPending) : [];
  const name = row.hideName ? null : session.label;
  const who = name ?? (session.number === null ? words.get("no_number") : "");
  return html`
    <li class=${time.state} data-id=${session.id} tabindex="-1" aria-busy=${isBusy}>
      <span class="number">${session.number ?? "?"}</span>
      <span class="who" id="who-${session.id}">
        ${who ? html`<bdi class="name" title=${who}>${who}</bdi>` : nothing}
        ${session.party_size === null ? nothing : partyTemplate(session.party_size, words)}
      </span>
      <span class="time">${timeTemplate(row, time, isPending, isBusy)}</span>
      ${failureTemplate(row)}
      ${
        buttons.length
          ? html`<span class="buttons ${isPending || state.isAsking ? "few" : ""}">
              ${buttons.map((button) => buttonTemplate(button, row, isBusy, press))}
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
function buttonsOf(row: Row, isPending: boolean): Button[] {
  const { session, words, state } = row;
  const isPaged = session.notified_at !== null;
  if (isPending) {
    const slot = isPaged ? "third" : "main";
    return [{ slot, tap: "undo", word: words.get("undo"), kind: "primary" }];
  }
  if (state.isAsking) {
    return [
      { slot: "main", tap: "dismiss", word: words.get("keep"), kind: "plain" },
      { slot: "second", tap: "remove", word: words.get("confirm"), kind: "danger" },
    ];
  }
  const page: Button = {
    slot: isPaged ? "second" : "main",
    tap: "page",
    word: words.get(isPaged ? "page_again" : "page"),
    kind: isPaged ? "plain" : "primary",
    icon: isPaged ? undefined : "bell",
    isOff: row.isLocked,
  };
  const seat: Button = {
    slot: isPaged ? "main" : "second",
    tap: "seat",
    word: words.get("seat"),
    kind: isPaged ? "primary" : "plain",
    icon: isPaged ? "check" : undefined,
  };
  const remove: Button = { slot: "third", tap: "ask", word: words.get("remove"), kind: "plain" };
  return isPaged ? [seat, page, remove] : [page, seat, remove];
}

function buttonTemplate(
  button: Button,
  row: Row,
  isBusy: boolean,
  press: (tap: Button["tap"]) => void,
): TemplateResult {
  const { session, words } = row;
  const isOff = isBusy || button.isOff || !row.isConnected;
  // Where all is loud, nothing is: only the guest who should be paged by now, or soon.
  const { state } = timeOf(session, row.now, row.lateAfter);
  const kind = button.kind === "primary" && state === "late" ? "loud" : button.kind;
  // Its name says which pager is meant, as nothing else does to those who don't see the row.
  const name = words.get(`button_${nameOf(button, session)}`, { number: session.number ?? "?" });
  return html`
    <button
      type="button"
      class="${kind} ${button.slot} ${row.state.busy === button.tap ? "busy" : ""}"
      aria-disabled=${isOff}
      aria-describedby="who-${session.id}"
      data-tap=${button.tap}
      @click=${(event: MouseEvent) => {
        // The second click of a double click is never meant for what has moved under it.
        if (!isOff && event.detail < 2) press(button.tap);
      }}
    >
      ${button.icon ? icon(button.icon) : nothing}<span aria-hidden="true">${button.word}</span>
      <span class="unseen">${name}</span>
    </button>
  `;
}

/** The key of a button's name for those who hear it. */
function nameOf(button: Button, session: Session): string {
  if (button.tap === "page") return session.notified_at === null ? "page" : "page_again";
  return button.tap === "remove" ? "confirm" : button.tap === "ask" ? "remove" : button.tap;
}

function partyTemplate(size: number, words: Words): TemplateResult {
  return html`<span class="party"
    >${icon("person")}<span aria-hidden="true">${size}</span
    ><span class="unseen">${words.count("party", size)}</span></span
  >`;
}

/** How long it takes; for a moment, what is about to be done, or asked. */
function timeTemplate(
  { session, words, state, now }: Row,
  time: Time,
  isPending: boolean,
  isBusy: boolean,
): unknown {
  if (isPending) {
    const seconds = Math.max(0, Math.floor(session.seating_until! - now));
    return isBusy ? words.get("seating_now") : words.get("seating", { seconds });
  }
  if (state.isAsking) return words.get("remove_question");
  return html`
    ${time.state === "late" ? icon("alert") : nothing}
    <b>${time.span === null ? "" : clockText(time.span)}</b>
    ${words.get(`time_${time.state}`)}
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
