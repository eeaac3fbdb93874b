/** The sheet from which a pager is handed out: which pager, how many people, by when. */

import { html, LitElement, nothing, type TemplateResult } from "lit";

import { DOMAIN, type CommandError, type Hass } from "./hass";
import { icon } from "./icons";
import type { Live } from "./live";
import { sizeOf } from "./session";
import { sheetStyles } from "./styles";
import { isInDoubt } from "./taps";
import { Words } from "./words";

/** Party sizes and goals (minutes) that are one tap away. */
const PARTIES = [1, 2, 3, 4, 5, 6];
const GOALS = [10, 15, 20, 30, 45, 60];

/** The longest name that the transmitter is sent. */
const LONGEST_NAME = 200;

export class HandOut extends LitElement {
  static override styles = sheetStyles;
  static override properties = {
    hass: { attribute: false },
    live: { attribute: false, hasChanged: () => true },
    pager: { state: true },
    party: { state: true },
    goal: { state: true },
    error: { state: true },
    isBusy: { state: true },
  };

  declare hass: Hass;
  /** Where the transmitter's snapshot is; drawn whenever its stand is. */
  declare live: Live;
  declare private pager: string;
  declare private party: string;
  /** Minutes; null is the transmitter's own default, undefined what is proposed. */
  declare private goal: number | null | undefined;
  declare private error: string | undefined;
  declare private isBusy: boolean;

  constructor() {
    super();
    this.clear();
    this.isBusy = false;
  }

  /** Show it: empty, unless what was sent from it last was not answered yet. */
  open(): void {
    if (!this.isBusy) {
      this.clear();
      this.input("label").value = "";
    }
    this.dialog.showModal();
    this.requestUpdate();
  }

  protected override shouldUpdate(): boolean {
    return !this.hasUpdated || this.dialog.open;
  }

  private clear(): void {
    this.pager = this.party = "";
    this.goal = this.error = undefined;
  }

  private get dialog(): HTMLDialogElement {
    return this.renderRoot.querySelector("dialog")!;
  }

  /** The minutes that are proposed as goal: what is quoted to such a party; null if nothing is. */
  private get quoted(): number | null {
    const party_size = wholeNumber(this.party);
    const { quotes, is_auto_paged } = this.live.snapshot ?? {};
    if (!party_size || !quotes || is_auto_paged) return null;
    return quotes[sizeOf({ party_size })].high;
  }

  /** The goal that is chosen in minutes; null is the transmitter's own default. */
  private get chosen(): number | null {
    return this.goal === undefined ? this.quoted : this.goal;
  }

  private input(name: "pager" | "party" | "label"): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  }

  private get words(): Words {
    return new Words(this.hass);
  }

  private async send(event: Event): Promise<void> {
    event.preventDefault();
    if (this.isBusy) return;
    const { words } = this;
    const { snapshot } = this.live;
    const number = wholeNumber(this.pager);
    if (number === undefined) {
      this.error = words.get("which_pager");
      this.input("pager").focus();
      return;
    }
    if (!snapshot || !this.live.isConnected) {
      this.error = words.get("cut_at_once");
      return;
    }
    const party = wholeNumber(this.party);
    if (party === undefined && this.party.trim()) {
      this.error = words.get("which_party");
      this.input("party").focus();
      return;
    }
    const label = this.input("label").value.trim();
    const { chosen } = this;
    this.isBusy = true;
    this.error = undefined;
    try {
      await this.hass.callService(
        DOMAIN,
        "start_session",
        {
          number,
          config_entry_id: snapshot.entry_id,
          // What is undefined is not sent.
          label: label || undefined,
          party_size: party,
          goal: chosen === null ? undefined : { minutes: chosen },
        },
        undefined,
        false,
      );
      this.dialog.close();
    } catch (thrown) {
      const error = thrown as CommandError;
      this.error = isInDoubt(error) ? words.get("maybe_hand_out") : words.error(error);
      // Whoever has closed it meanwhile believes that it was done.
      if (!this.dialog.open) this.dialog.showModal();
    } finally {
      this.isBusy = false;
    }
  }

  protected override render(): TemplateResult {
    const { words, quoted, chosen } = this;
    const { snapshot, sessions } = this.live;
    const used = new Set(sessions?.flatMap((session) => session.number ?? []));
    const pagers = snapshot?.pagers ?? [];
    const free = pagers.filter((number) => !used.has(number));
    const ordered = [...free, ...pagers.filter((number) => used.has(number))];
    const goal = snapshot?.default_goal ?? 0;
    const isUsed = used.has(wholeNumber(this.pager) ?? NaN);
    return html`
      <dialog aria-labelledby="title" closedby="any">
        <form novalidate @submit=${this.send}>
          <header>
            <h2 id="title">${words.get("hand_out_a_pager")}</h2>
            <button type="button" @click=${() => this.dialog.close()}>
              ${icon("close")}<span class="unseen">${words.get("close")}</span>
            </button>
          </header>
          <div class="field">
            <label for="pager">${words.get("pager")}</label>
            <input
              id="pager"
              name="pager"
              inputmode="numeric"
              autocomplete="off"
              maxlength="6"
              .value=${this.pager}
              aria-describedby="pager-note"
              @input=${(event: Event) => (this.pager = valueOf(event))}
            />
            <p id="pager-note" class="note">${isUsed ? words.get("pager_in_use") : nothing}</p>
            <div class="chips pagers">
              ${ordered.map((number) => {
                const text = `${number}`;
                return used.has(number)
                  ? html`<span class="chip used"
                      >${text}<span class="unseen"> ${words.get("in_use")}</span></span
                    >`
                  : this.chip(text, this.pager === text, () => (this.pager = text));
              })}
            </div>
          </div>
          <div class="field">
            <label for="party">${words.get("party_size")}</label>
            <input
              id="party"
              name="party"
              inputmode="numeric"
              autocomplete="off"
              maxlength="4"
              .value=${this.party}
              @input=${(event: Event) => (this.party = valueOf(event))}
            />
            <div class="chips">
              ${PARTIES.map((size) => {
                const text = `${size}`;
                return this.chip(text, this.party === text, () => (this.party = text));
              })}
            </div>
          </div>
          <fieldset class="field">
            <legend>${words.get("goal")}</legend>
            <div class="chips">
              ${this.chip(
                goal && goal % 60 === 0
                  ? words.get("goal_default_minutes", { minutes: goal / 60 })
                  : words.get("goal_default"),
                chosen === null,
                () => (this.goal = null),
              )}
              ${
                quoted === null
                  ? nothing
                  : this.chip(
                      words.get("goal_quoted", { minutes: quoted }),
                      chosen === quoted,
                      () => (this.goal = undefined),
                    )
              }
              ${GOALS.filter((each) => each * 60 !== goal && each !== quoted).map((minutes) =>
                this.chip(
                  words.get("minutes", { minutes }),
                  chosen === minutes,
                  () => (this.goal = minutes),
                ),
              )}
            </div>
            ${
              snapshot?.is_auto_paged
                ? html`<p class="note">${words.get("no_quote_auto_page")}</p>`
                : nothing
            }
          </fieldset>
          <div class="field">
            <label for="label">${words.get("name")}</label>
            <input
              id="label"
              name="label"
              autocomplete="off"
              maxlength=${LONGEST_NAME}
              placeholder=${words.get("name_optional")}
            />
          </div>
          <p class="alarm" role="alert">${this.error ? [icon("alert"), this.error] : nothing}</p>
          <button class="loud" aria-disabled=${this.isBusy}>${words.get("hand_out")}</button>
        </form>
      </dialog>
    `;
  }

  private chip(text: string, isChosen: boolean, choose: () => void): TemplateResult {
    return html`<button type="button" class="chip" aria-pressed=${isChosen} @click=${choose}>
      ${text}
    </button>`;
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement).value;
}

/** A number from 1 as people type it, also with Arabic, Persian or wide digits; undefined if it is none. */
function wholeNumber(text: string): number | undefined {
  const digits = text.trim().replace(/[٠-٩۰-۹０-９]/g, (digit) => `${digit.charCodeAt(0) & 15}`);
  return /^0*[1-9][0-9]*$/.test(digits) ? Number(digits) : undefined;
}
