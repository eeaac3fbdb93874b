/** The host stand of one transmitter: who waits, who was paged, and what a host does about it. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { bannerOf, problemOf } from "./banner";
import { PagerElement } from "./element";
import type { HandOut } from "./hand-out";
import { icon } from "./icons";
import { Live } from "./live";
import { quotesTemplate } from "./quote";
import { rowTemplate } from "./row";
import { keepScreen, screen, setKiosk, type Screen } from "./screen";
import { Seconds } from "./seconds";
import {
  happenings,
  inLine,
  lineOf,
  present,
  sizeOf,
  SIZES,
  timeOf,
  type Known,
  type Line,
  type Size,
  type Snapshot,
} from "./session";
import { chime, isUnlocked, unlock } from "./sound";
import { standStyles } from "./styles";
import { isInDoubt, Taps, type Tap } from "./taps";

/** Where the keyboard is: in whose row, at which button, and whether that is to be seen. */
interface Focused {
  key: string;
  tap: string;
  index: number;
  isShown: boolean;
}

/** The button from which one came to another that has gone now. */
const BACK_TO: Record<string, string> = { dismiss: "ask", remove: "ask", undo: "seat" };

/** Seconds for which it is shown why a tap failed whose row is gone. */
const LOST_SHOWN = 10;

export class Stand extends PagerElement {
  static override styles = standStyles;
  static override properties = {
    ...PagerElement.properties,
    deviceId: { attribute: false },
    heading: { attribute: false },
    large: { attribute: false },
    hideNames: { attribute: false },
    readOnly: { attribute: false },
    preview: { attribute: false },
    isPanel: { attribute: false },
    size: { state: true },
    lost: { state: true },
  };

  /** The transmitter's device; the only one if undefined. */
  declare deviceId: string | undefined;
  declare heading: string | undefined;
  declare large: boolean | undefined;
  declare hideNames: boolean | undefined;
  declare readOnly: boolean | undefined;
  /** In the editor: shows what there is, and does nothing. */
  declare preview: boolean | undefined;
  /** Whether the whole page is ours. */
  declare isPanel: boolean | undefined;
  /** Why a tap failed whose guest has left the list meanwhile. */
  declare private lost: string | undefined;
  declare private size: Size | undefined;

  private readonly live = new Live(this, (sessions, before) => this.listTold(sessions, before));
  private readonly taps = new Taps(this, this.live);
  /** The sessions that are known to be late; undefined before the first list. */
  private late: Set<string> | undefined;
  private focused: Focused | undefined;
  private lastClick: MouseEvent | undefined;

  constructor() {
    super();
    new Seconds(this, () => this.live.now);
  }

  // ------------------------------------------------------------------------- updates

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    this.live.want({ hass: this.hass, deviceId: this.deviceId, names: !this.hidesNames });
    this.toggleAttribute("large", this.isLarge);
    this.watchLate();
    this.rememberFocus();
  }

  private get isLarge(): boolean {
    return screen.large || this.large === true;
  }

  protected override updated(): void {
    this.restoreFocus();
  }

  private get hidesNames(): boolean {
    return screen.hideNames || this.hideNames === true;
  }

  /** Say what happened, for those who don't see it, and sound what they may have missed. */
  private listTold(sessions: Known[], before: Known[] | undefined): void {
    this.taps.see(sessions, before ?? []);
    for (const { kind, session } of before ? happenings(before, sessions) : []) {
      this.say(`said_${kind}`, session);
    }
  }

  private watchLate(): void {
    const { snapshot, sessions, now } = this.live;
    const known = this.late;
    const late = sessions?.filter(
      (session) => timeOf(session, Math.floor(now), snapshot!.late_after).state === "late",
    );
    this.late = late && new Set(late.map(({ key }) => key));
    const added = known ? (late ?? []).filter(({ key }) => !known.has(key)) : [];
    for (const session of added) this.say("said_late", session);
    if (added.length && screen.sound && !this.preview) chime();
  }

  private said: string[] = [];

  /** Have a screen reader say something of a session; with what else is said at this moment. */
  private say(key: string, session: Known): void {
    this.said.push(this.words.get(key, { number: session.number ?? "?" }));
    if (this.said.length > 1) return;
    setTimeout(() => {
      const status = this.renderRoot.querySelector("[role=status]");
      if (status) status.textContent = this.said.join(". ");
      this.said = [];
    });
  }

  // --------------------------------------------------------------------------- focus

  // A row that moves is drawn anew elsewhere, and a button may make way for another. Whoever works with
  // a keyboard stays at the guest; if that one is gone, at the next.

  private rememberFocus(): void {
    const active = this.shadowRoot?.activeElement as HTMLElement | null | undefined;
    const row = active?.closest("li");
    this.focused = row
      ? {
          key: row.dataset.key!,
          tap: active!.dataset.tap ?? "",
          index: this.rows.indexOf(row),
          isShown: active!.matches(":focus-visible"),
        }
      : undefined;
  }

  private restoreFocus(): void {
    const { focused } = this;
    if (!focused || this.shadowRoot!.activeElement) return;
    const { key, tap, index, isShown } = focused;
    const row = this.rows.find((each) => each.dataset.key === key);
    const button = (name = ""): HTMLElement | null | undefined =>
      row?.querySelector(`[data-tap="${name}"]`);
    const target =
      button(tap) ??
      button(BACK_TO[tap]) ??
      row?.querySelector("button") ??
      row ??
      this.rows[Math.min(index, this.rows.length - 1)] ??
      this.shadowRoot!.querySelector("h2");
    // Whoever works with a finger looks where it is, not where the row has gone.
    target?.focus({ preventScroll: !isShown });
  }

  private get rows(): HTMLElement[] {
    return [...this.shadowRoot!.querySelectorAll("li")];
  }

  // --------------------------------------------------------------------------- taps

  private press(tap: Tap | "ask" | "dismiss", session: Known, event: MouseEvent): void {
    if (this.preview || this.isSecondOfTwo(event)) return;
    if (tap === "ask" || tap === "dismiss") this.taps[tap](session);
    else void this.send(tap, session);
  }

  /** Whether a click belongs to a double tap, whose second is not meant for what has moved under it. */
  private isSecondOfTwo(event: MouseEvent): boolean {
    const before = this.lastClick;
    this.lastClick = event;
    return (
      before !== undefined &&
      event.detail > 0 &&
      event.timeStamp - before.timeStamp < 500 &&
      Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < 24
    );
  }

  private async send(tap: Tap, session: Known): Promise<void> {
    this.haptic("light");
    const isDone = await this.taps.send(tap, session);
    // The list does not tell of a seat that can be undone, nor of a second page.
    if (isDone && tap === "seat") this.say("said_seating", session);
    if (isDone && tap === "page" && session.notified_at !== null) this.say("said_paged", session);
    if (isDone !== false) return;
    this.haptic("failure");
    const { failure } = this.taps.state(session);
    this.say(failure && isInDoubt(failure.error) ? `said_maybe_${tap}` : "said_failed", session);
    if (!failure || this.live.sessions?.some(({ key }) => key === session.key)) return;
    // There is no row any more that could say it.
    this.lost = this.words.error(failure.error);
    setTimeout(() => (this.lost = undefined), LOST_SHOWN * 1000);
  }

  /** Have the companion app's phone tick. */
  private haptic(kind: "light" | "failure"): void {
    this.dispatchEvent(new CustomEvent("haptic", { detail: kind, bubbles: true, composed: true }));
  }

  private openScreen(): void {
    if (!this.preview) this.renderRoot.querySelector("dialog")?.showModal();
  }

  private handOut(): void {
    if (!this.preview) this.renderRoot.querySelector<HandOut>("lrs-pager-hand-out")?.open();
  }

  // -------------------------------------------------------------------------- drawing

  protected override draw(): TemplateResult {
    const { snapshot } = this.live;
    return html`
      <div
        class="stand"
        @keydown=${(event: KeyboardEvent) => {
          // A key that is held down presses once, and not what has come in its place since.
          if (event.repeat && event.key === "Enter") event.preventDefault();
          // A question whether a guest has left is answered by Escape, too.
          const row = event.key === "Escape" && (event.target as Element).closest("li");
          if (row) row.querySelector<HTMLElement>("[data-tap=dismiss]")?.click();
        }}
      >
        ${snapshot ? this.standTemplate(snapshot) : this.waitTemplate()}
        <p class="unseen" role="status"></p>
      </div>
      ${this.optionsTemplate()}
    `;
  }

  /** Before anything was told. */
  private waitTemplate(): TemplateResult {
    const problem = problemOf(this.live, this.words);
    return problem
      ? html`<p class="banner">${icon("alert")}${problem}</p>`
      : html`<p class="empty">${this.words.get("connecting")}</p>`;
  }

  private standTemplate(snapshot: Snapshot): TemplateResult {
    const { words } = this;
    const { sessions, now } = this.live;
    const banner = bannerOf(this.live, words);
    const line = inLine(sessions ?? []);
    // Whoever was paged here a moment ago still stands among them, and so counts.
    const waiting = line.filter(
      (session) => session.notified_at === null || this.taps.state(session).isHeld,
    );
    const sum = lineOf(waiting, Math.floor(now), snapshot.late_after);
    const canControl = snapshot.can_control && !this.readOnly;
    const title = this.heading ?? (this.isPanel ? "" : snapshot.title);
    return html`
      <header>
        <h2 tabindex="-1" class=${title ? "" : "unseen"}>${title || words.get("host_stand")}</h2>
        <div class="sum">
          ${sum.waiting ? this.sumTemplate(sum) : nothing}
          ${banner?.isStale ? nothing : quotesTemplate(snapshot.quotes, words)}
        </div>
        ${
          banner || snapshot.link.state !== "live"
            ? nothing
            : html`<span class="live">${words.get("live")}</span>`
        }
        <button type="button" @click=${() => this.openScreen()}>
          ${icon("options")}<span class="unseen">${words.get("screen")}</span>
        </button>
      </header>
      ${
        canControl
          ? html`<button type="button" class="loud hand-out" @click=${() => this.handOut()}>
              ${icon("plus")}${words.get("hand_out_a_pager")}
            </button>`
          : nothing
      }
      ${
        banner
          ? html`<p class="banner ${banner.level}" role="alert">${icon("alert")}${banner.text}</p>`
          : nothing
      }
      ${this.lost ? html`<p class="banner" role="alert">${icon("alert")}${this.lost}</p>` : nothing}
      ${
        screen.sound && !isUnlocked()
          ? html`<button type="button" class="plain wide" @click=${() => this.unlockSound()}>
              ${words.get("unlock_sound")}
            </button>`
          : nothing
      }
      ${
        sessions
          ? html`<div class="columns ${banner?.isStale ? "stale" : ""}">
              ${this.groupsTemplate(line, waiting, canControl)}
            </div>`
          : nothing
      }
      <lrs-pager-hand-out .hass=${this.hass} .live=${this.live}></lrs-pager-hand-out>
    `;
  }

  /** Those who wait, and those who were paged. */
  private groupsTemplate(
    line: readonly Known[],
    waiting: readonly Known[],
    canControl: boolean,
  ): TemplateResult {
    const { words } = this;
    const paged = line.filter((session) => !waiting.includes(session));
    const shown = waiting.filter((session) => !this.size || sizeOf(session) === this.size);
    return html`
      <section>
        <div class="heading">
          <h3>${words.get("waiting")} <span class="count">${present(waiting).length}</span></h3>
          ${this.filterTemplate()}
        </div>
        ${
          shown.length
            ? this.listTemplate(shown, canControl)
            : html`<p class="empty">
                ${words.get(waiting.length ? "nobody_of_size" : "nobody_waits")}
              </p>`
        }
      </section>
      <section class="called">
        <div class="heading">
          <h3>${words.get("paged")} <span class="count">${present(paged).length}</span></h3>
        </div>
        ${this.listTemplate(paged, canControl)}
      </section>
    `;
  }

  private sumTemplate({ guests, longest, late }: Line): TemplateResult {
    const { words } = this;
    const minutes = Math.floor((longest ?? 0) / 60);
    return html`
      <span>${words.count("sum_guests", guests)}</span>
      ${minutes ? html`<span>${words.get("sum_longest", { minutes })}</span>` : nothing}
      ${
        late
          ? html`<span class="alarm">${icon("alert")} ${words.count("sum_late", late)}</span>`
          : nothing
      }
    `;
  }

  private listTemplate(sessions: readonly Known[], canControl: boolean): TemplateResult {
    const { words } = this;
    const { snapshot, isConnected, now } = this.live;
    return html`<ul>
      ${repeat(
        sessions,
        (session) => session.key,
        (session) =>
          rowTemplate(
            {
              session,
              now: Math.floor(now),
              lateAfter: snapshot!.late_after,
              state: this.taps.state(session),
              canControl,
              isConnected,
              hideName: this.hidesNames,
              words,
            },
            (tap, event) => this.press(tap, session, event),
          ),
      )}
    </ul>`;
  }

  private filterTemplate(): TemplateResult {
    const { words } = this;
    const choose = (size: Size | undefined, word: string): TemplateResult => html`
      <button type="button" aria-pressed=${this.size === size} @click=${() => (this.size = size)}>
        ${word}
      </button>
    `;
    return html`<div class="filter" role="group" aria-label=${words.get("filter")}>
      ${choose(undefined, words.get("all"))}
      ${Object.entries(SIZES).map(([size, word]) => choose(size as Size, word))}
    </div>`;
  }

  // --------------------------------------------------------------------- this screen

  private optionsTemplate(): TemplateResult {
    const { words } = this;
    const isKiosk = this.hass.kioskMode === true;
    const option = (
      key: string,
      isOn: boolean,
      set: (isOn: boolean) => void,
      isFixed = false,
    ): TemplateResult => html`
      <label class="option">
        <input
          type="checkbox"
          .checked=${isOn}
          ?disabled=${isFixed}
          @change=${(event: Event) => set((event.target as HTMLInputElement).checked)}
        />
        <span>${words.get(`screen_${key}`)}</span>
      </label>
    `;
    return html`
      <dialog aria-labelledby="screen" closedby="any">
        <form method="dialog">
          <h2 id="screen">${words.get("screen")}</h2>
          <p class="note">${words.get("screen_note")}</p>
          ${option("large", this.isLarge, (large) => this.keep({ large }), this.large)}
          ${option(
            "hide_names",
            this.hidesNames,
            (hideNames) => this.keep({ hideNames }),
            this.hideNames,
          )}
          ${option("sound", screen.sound, (sound) => {
            this.keep({ sound });
            if (sound) void this.unlockSound();
          })}
          ${this.isPanel ? option("kiosk", isKiosk, (isOn) => setKiosk(this, isOn)) : nothing}
          <button class="loud">${words.get("done")}</button>
        </form>
      </dialog>
    `;
  }

  private keep(change: Partial<Screen>): void {
    keepScreen(change);
    this.requestUpdate();
  }

  private async unlockSound(): Promise<void> {
    await unlock();
    chime();
    this.requestUpdate();
  }
}
