/** What our elements have in common: hass, words, and to be drawn no more often than is to be seen. */

import { LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";

import { DOMAIN, type Hass } from "./hass";
import { Words } from "./words";

/** The parts of hass whose change is to be seen here; all else is the house's. */
const WATCHED = ["connected", "localize", "locale", "devices", "entities", "kioskMode"] as const;

export abstract class PagerElement extends LitElement {
  static override properties: Record<string, object> = {
    hass: { attribute: false },
    hasWords: { state: true },
  };

  declare hass: Hass;
  /** Whether our words were loaded, without which nothing is drawn. */
  declare private hasWords: boolean | undefined;

  protected get words(): Words {
    return new Words(this.hass);
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    const hass = this.hass as Hass | undefined;
    const before = changed.get("hass");
    return (
      hass !== undefined &&
      (changed.size !== 1 ||
        !before ||
        before.config.components !== hass.config.components ||
        WATCHED.some((part) => before[part] !== hass[part]))
    );
  }

  protected override willUpdate(_: PropertyValues<this>): void {
    if (this.hasWords !== undefined) return;
    this.hasWords = false;
    void Promise.all(
      ["common", "exceptions"].map((part) => this.hass.loadBackendTranslation(part, DOMAIN)),
    ).then(() => (this.hasWords = true));
  }

  protected override render(): unknown {
    return this.hasWords ? this.draw() : nothing;
  }

  /** Draw, with hass and words. */
  protected abstract draw(): TemplateResult;
}
