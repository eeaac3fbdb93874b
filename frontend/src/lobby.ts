/** The screen for a waiting room: the numbers that are called, and how many parties wait. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { bannerOf, problemOf } from "./banner";
import { PagerElement } from "./element";
import { Live } from "./live";
import { rangesTemplate } from "./quote";
import { present } from "./session";
import { lobbyStyles } from "./styles";

/** Numbers that are shown at most: those who were called before have seen it, or never will. */
const MOST_NUMBERS = 12;

export class Lobby extends PagerElement {
  static override styles = lobbyStyles;
  static override properties = {
    ...PagerElement.properties,
    deviceId: { attribute: false },
    heading: { attribute: false },
  };

  /** The transmitter's device; the only one if undefined. */
  declare deviceId: string | undefined;
  declare heading: string | undefined;

  private readonly live = new Live(this, () => undefined);

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    // A name that is not sent can't be shown to a waiting room, nor read in its browser.
    this.live.want({ hass: this.hass, deviceId: this.deviceId, names: false });
  }

  protected override draw(): TemplateResult {
    const { words } = this;
    const { snapshot, sessions } = this.live;
    if (!sessions) {
      const text =
        problemOf(this.live, words) ?? words.get(snapshot ? "lobby_stale" : "connecting");
      return html`<p class="note">${text}</p>`;
    }
    const guests = present(sessions);
    const called = guests
      .filter((session) => session.notified_at !== null && session.number !== null)
      .sort((a, b) => b.notified_at! - a.notified_at! || b.created_at! - a.created_at!)
      .slice(0, MOST_NUMBERS);
    const waiting = guests.filter((session) => session.notified_at === null).length;
    const banner = bannerOf(this.live, words);
    return html`
      <div class="lobby">
        <h2>${this.heading || words.get("lobby_called")}</h2>
        ${banner?.isStale ? html`<p class="note" role="alert">${words.get("lobby_stale")}</p>` : nothing}
        ${
          called.length
            ? html`<ol aria-live="polite">
                ${repeat(
                  called,
                  (session) => session.id,
                  (session) => html`<li>${session.number}</li>`,
                )}
              </ol>`
            : html`<p class="nobody">${words.get("lobby_nobody")}</p>`
        }
        <div class="waiting">
          ${words.count("lobby_waiting", waiting)}
          <p class="quotes">
            ${banner?.isStale ? nothing : rangesTemplate(snapshot!.quotes, "lobby_quote", words)}
          </p>
        </div>
      </div>
    `;
  }
}
