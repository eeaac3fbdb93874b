/** The page in the sidebar: a host stand for each transmitter; /lrs-pager/lobby is the waiting room's. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { PagerElement } from "./element";
import { title, transmitters } from "./hass";
import { setKiosk } from "./screen";
import { panelStyles } from "./styles";

export class Panel extends PagerElement {
  static override styles = panelStyles;
  static override properties = {
    ...PagerElement.properties,
    narrow: { type: Boolean },
    route: { attribute: false },
  };

  declare narrow: boolean;
  declare route: { path: string } | undefined;

  private get isLobby(): boolean {
    return this.route?.path.startsWith("/lobby") === true;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    const wasLobby = changed.get("route")?.path.startsWith("/lobby");
    if (this.isLobby || wasLobby) setKiosk(this, this.isLobby);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.isLobby) setKiosk(window, false);
  }

  protected override draw(): TemplateResult {
    const { hass } = this;
    // Before its entities are there, as while it can't be reached, a transmitter has no device. The only
    // device is named nevertheless, as the server also counts transmitters without one.
    const devices = transmitters(hass);
    const shown = devices.length ? devices : [undefined];
    if (this.isLobby) {
      return html`<main class="lobbies">
        ${shown.map(
          (device) =>
            html`<lrs-pager-lobby .hass=${hass} .deviceId=${device?.id}></lrs-pager-lobby>`,
        )}
      </main>`;
    }
    return html`
      ${
        hass.kioskMode
          ? nothing
          : html`<header>
              <ha-menu-button .hass=${hass} .narrow=${this.narrow}></ha-menu-button>
              <h1>${this.words.get("host_stand")}</h1>
            </header>`
      }
      <main>
        ${shown.map(
          (device) =>
            html`<lrs-pager-stand
              .hass=${hass}
              .isPanel=${true}
              .deviceId=${device?.id}
              .heading=${devices.length > 1 ? title(device!) : ""}
            ></lrs-pager-stand>`,
        )}
      </main>
    `;
  }
}
