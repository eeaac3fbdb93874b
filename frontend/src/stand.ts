/** The host stand of one transmitter: who waits, who was paged, and what a host does about it. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { bannerOf } from "./banner";
import { PagerElement } from "./element";
import type { HandOut } from "./hand-out";
import { icon } from "./icons";
import { Live } from "./live";
import { rowTemplate } from "./row";
import { keepScreen, screen, setKiosk, type Screen } from "./screen";
import { Seconds } from "./seconds";
import {
  happenings,
  inLine,
  lineOf,
  sizeOf,
  SIZES,
  timeOf,
  type Line,
  type Session,
  type Size,
} from "./session";
import { chime, isUnlocked, unlock } from "./sound";
import { standStyles } from "./styles";
import { isInDoubt, Taps, type Tap } from "./taps";

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
  declare private size: Size | undefined;

  private readonly live = new Live(this, (before) => this.listTold(before));
  private readonly taps = new Taps(this, this.live);
  /** The sessions that are known to be late; undefined before the first list. */
  private late: Set<string> | undefined;
  private focused: { id: string; tap: string | undefined; index: number } | undefined;

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
  private listTold(before: Session[] | undefined): void {
    const { sessions } = this.live;
    this.taps.see(sessions, before ?? []);
    for (const { kind, session } of before ? happenings(before, sessions) : []) {
      this.say(`said_${kind}`, session);
    }
  }

  private watchLate(): void {
    const { snapshot, sessions, now } = this.live;
    if (!snapshot) return;
    const seconds = Math.floor(now);
    const late = sessions.filter(
      (session) => timeOf(session, seconds, snapshot.late_after).state === "late",
    );
    const known = this.late;
    this.late = new Set(late.map((session) => session.id));
    const added = known ? late.filter((session) => !known.has(session.id)) : [];
    for (const session of added) this.say("said_late", session);
    if (added.length && screen.sound) chime();
  }

  private said: string[] = [];

  /** Have a screen reader say something of a session; with what else is said at this moment. */
  private say(key: string, session: Session): void {
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
    const active = (this.renderRoot as ShadowRoot | undefined)?.activeElement;
    const row = active?.closest<HTMLElement>("li[data-id]");
    this.focused = row
      ? {
          id: row.dataset.id!,
          tap: (active as HTMLElement).dataset.tap,
          index: [...this.renderRoot.querySelectorAll("li[data-id]")].indexOf(row),
        }
      : undefined;
  }

  private restoreFocus(): void {
    const { focused } = this;
    if (!focused || (this.renderRoot as ShadowRoot).activeElement) return;
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>("li[data-id]")];
    const row = rows.find((each) => each.dataset.id === focused.id);
    const target = row
      ? (row.querySelector<HTMLElement>(`[data-tap="${focused.tap}"]`) ??
        row.querySelector<HTMLElement>("button") ??
        row)
      : (rows[Math.min(focused.index, rows.length - 1)] ??
        this.renderRoot.querySelector<HTMLElement>("h2"));
    target?.focus();
  }

  // --------------------------------------------------------------------------- taps

  private press(tap: Tap | "ask" | "dismiss", session: Session): void {
    if (this.preview) return;
    if (tap === "ask") this.taps.ask(session);
    else if (tap === "dismiss") this.taps.dismiss(session);
    else void this.send(tap, session);
  }

  private async send(tap: Tap, session: Session): Promise<void> {
    this.haptic("light");
    const isDone = await this.taps.send(tap, session);
    const { failure } = this.taps.state(session);
    if (isDone && tap === "seat") this.say("said_seating", session);
    if (!failure) return;
    this.haptic("failure");
    this.say(isInDoubt(failure.error) ? `said_maybe_${tap}` : "said_failed", session);
  }

  /** Have the companion app's phone tick. */
  private haptic(kind: "light" | "failure"): void {
    this.dispatchEvent(new CustomEvent("haptic", { detail: kind, bubbles: true, composed: true }));
  }

  private handOut(): void {
    if (!this.preview) this.renderRoot.querySelector<HandOut>("lrs-pager-hand-out")?.open();
  }

  // -------------------------------------------------------------------------- drawing

  protected override draw(): TemplateResult {
    const { snapshot } = this.live;
    return html`
      <div class="stand">
        ${snapshot ? this.standTemplate() : this.waitTemplate()}
        <p class="unseen" role="status"></p>
      </div>
      ${this.optionsTemplate()}
    `;
  }

  /** Before anything was told. */
  private waitTemplate(): TemplateResult {
    const { refusal, cutSince } = this.live;
    const { words } = this;
    const isUnknown = refusal?.code === "unknown_command";
    if (cutSince !== undefined) {
      return html`<p class="banner">${icon("alert")}${words.get("cut_at_once")}</p>`;
    }
    return refusal && !isUnknown
      ? html`<p class="banner">${icon("alert")}${words.error(refusal)}</p>`
      : html`<p class="empty">${words.get("connecting")}</p>`;
  }

  private standTemplate(): TemplateResult {
    const { words } = this;
    const { snapshot, sessions, now } = this.live;
    const seconds = Math.floor(now);
    const banner = bannerOf(this.live, words);
    const line = inLine(sessions);
    const isWaiting = (session: Session): boolean =>
      session.notified_at === null || this.taps.isHeld(session);
    const waiting = line.filter(isWaiting);
    const paged = line.filter((session) => !isWaiting(session));
    const shown = waiting.filter((session) => !this.size || sizeOf(session) === this.size);
    const sum = lineOf(
      line.filter((session) => session.notified_at === null),
      seconds,
      snapshot!.late_after,
    );
    const canControl = snapshot!.can_control && !this.readOnly;
    const title = this.heading ?? (this.isPanel ? "" : snapshot!.title);
    return html`
      <header>
        <h2 tabindex="-1" class=${title ? "" : "unseen"}>${title || words.get("host_stand")}</h2>
        <p class="sum">${sum.waiting ? this.sumTemplate(sum) : nothing}</p>
        ${
          banner || snapshot!.link.state !== "live"
            ? nothing
            : html`<span class="live">${words.get("live")}</span>`
        }
        <button type="button" @click=${() => this.renderRoot.querySelector("dialog")?.showModal()}>
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
      ${
        screen.sound && !isUnlocked()
          ? html`<button type="button" class="plain wide" @click=${() => this.unlockSound()}>
              ${words.get("unlock_sound")}
            </button>`
          : nothing
      }
      <div class="columns ${banner?.isStale ? "stale" : ""}">
        <section>
          <div class="heading">
            <h3>${words.get("waiting")} <span class="count">${waiting.length}</span></h3>
            ${this.filterTemplate()}
          </div>
          ${
            shown.length
              ? this.listTemplate(shown, seconds, canControl)
              : html`<p class="empty">
                  ${words.get(waiting.length ? "nobody_of_size" : "nobody_waits")}
                </p>`
          }
        </section>
        ${
          paged.length
            ? html`<section class="called">
                <div class="heading">
                  <h3>${words.get("paged")} <span class="count">${paged.length}</span></h3>
                </div>
                ${this.listTemplate(paged, seconds, canControl)}
              </section>`
            : nothing
        }
      </div>
      <lrs-pager-hand-out .hass=${this.hass} .live=${this.live}></lrs-pager-hand-out>
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
          ? html`<span class="alarm">${icon("alert")}${words.count("sum_late", late)}</span>`
          : nothing
      }
    `;
  }

  private listTemplate(
    sessions: readonly Session[],
    now: number,
    canControl: boolean,
  ): TemplateResult {
    const { words } = this;
    const { snapshot, isConnected } = this.live;
    return html`<ul>
      ${repeat(
        sessions,
        (session) => session.id,
        (session) =>
          rowTemplate(
            {
              session,
              now,
              lateAfter: snapshot!.late_after,
              state: this.taps.state(session),
              isLocked: this.taps.isLocked(session),
              canControl,
              isConnected,
              hideName: this.hidesNames,
              words,
            },
            (tap) => this.press(tap, session),
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
      ${choose(undefined, words.get("all"))} ${SIZES.map((size) => choose(size, size))}
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
          <button type="submit" class="loud">${words.get("done")}</button>
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
