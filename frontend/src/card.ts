/** The card for people's own dashboards: the host stand, or the screen for the waiting room. */

import { css, html, LitElement, type TemplateResult } from "lit";

import { DOMAIN, title, transmitters, type Hass } from "./hass";
import { Words } from "./words";

/** The card's configuration. */
export interface CardConfig {
  type: string;
  /** The transmitter's device; may be left out while there is one transmitter. */
  device_id?: string;
  title?: string;
  mode?: "stand" | "lobby";
  size?: "normal" | "large";
  hide_names?: boolean;
  read_only?: boolean;
}

/** What can be chosen of the configuration; the first is so if nothing is. */
const CHOICES = {
  mode: ["stand", "lobby"],
  size: ["normal", "large"],
  hide_names: [false, true],
  read_only: [false, true],
};

export class Card extends LitElement {
  static override styles = css`
    ha-card {
      height: 100%;
      overflow: hidden;
    }
  `;
  static override properties = {
    hass: { attribute: false },
    preview: { attribute: false },
    config: { state: true },
  };

  declare hass: Hass;
  /** Set by the dashboard's editor. */
  declare preview: boolean;
  declare private config: CardConfig | undefined;

  setConfig(config: CardConfig): void {
    for (const [key, values] of Object.entries(CHOICES)) {
      const value = config[key as keyof CardConfig];
      if (value !== undefined && !(values as unknown[]).includes(value)) {
        throw new Error(`${key}: one of ${values.join(", ")}`);
      }
    }
    this.config = config;
  }

  /** In rows of 50 pixels, for dashboards that fill columns. */
  getCardSize(): number {
    return 8;
  }

  /** No number of rows: the list is as long as the line. */
  getGridOptions(): Record<string, unknown> {
    return { columns: 12, min_columns: 6 };
  }

  static getStubConfig(hass: Hass): Partial<CardConfig> {
    const devices = transmitters(hass);
    return devices.length > 1 ? { device_id: devices[0]!.id } : {};
  }

  static getConfigForm(): Record<string, unknown> {
    const choice = (name: "mode" | "size"): object => {
      const options = CHOICES[name].map((value) => ({
        value,
        label: formWord(`${name}_${value}`) || value,
      }));
      return { name, selector: { select: { mode: "dropdown", options } } };
    };
    return {
      schema: [
        { name: "device_id", selector: { device: { integration: DOMAIN } } },
        { name: "title", selector: { text: {} } },
        choice("mode"),
        choice("size"),
        { name: "hide_names", selector: { boolean: {} } },
        { name: "read_only", selector: { boolean: {} } },
      ],
      computeLabel: ({ name }: { name: string }) => formWord(name) || undefined,
      computeHelper: ({ name }: { name: string }) => formWord(`${name}_help`) || undefined,
    };
  }

  protected override render(): TemplateResult {
    const { config, hass } = this;
    return html`
      <ha-card>
        ${
          config?.mode === "lobby"
            ? html`<lrs-pager-lobby
                .hass=${hass}
                .deviceId=${config.device_id}
                .heading=${config.title}
              ></lrs-pager-lobby>`
            : html`<lrs-pager-stand
                .hass=${hass}
                .deviceId=${config?.device_id}
                .heading=${config?.title}
                .large=${config?.size === "large"}
                .hideNames=${config?.hide_names}
                .readOnly=${config?.read_only}
                .preview=${this.preview}
              ></lrs-pager-stand>`
        }
      </ha-card>
    `;
  }
}

/** A word for the editor, which gives no hass: that of the page, whose texts the card has loaded. */
function formWord(key: string): string {
  const home = document.querySelector<HTMLElement & { hass?: Hass }>("home-assistant");
  return home?.hass ? new Words(home.hass).get(`card_${key}`) : "";
}

/** What the picker knows of the card. */
export const CARD_ENTRY = {
  type: "lrs-pager-card",
  name: "LRS Pager",
  description: "Who waits, for how long, who is late; page and seat by a tap.",
  preview: true,
  documentationURL: "https://github.com/ha-lrs-pager/lrs-pager#host-stand",
  /** Suggest the card for the entities that it shows. */
  getEntitySuggestion(hass: Hass, entityId: string): unknown {
    const entity = hass.entities[entityId];
    const shown = ["active_sessions", "waiting_sessions", "paged_sessions", "late"];
    if (entity?.platform !== DOMAIN || !shown.includes(entity.translation_key ?? "")) return null;
    const device = entity.device_id && hass.devices[entity.device_id];
    return {
      label: device ? `LRS Pager: ${title(device)}` : "LRS Pager",
      config: { type: "custom:lrs-pager-card", device_id: entity.device_id },
    };
  },
};
