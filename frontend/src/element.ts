/** What our elements have in common: hass, words, and to be drawn no more often than is to be seen. */

import { LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";

import type { Hass } from "./hass";
import { loadWords, Words } from "./words";

/** The parts of hass whose change is to be seen here; all else is the house's. */
const WATCHED = ["connected", "localize", "locale", "devices", "entities", "kioskMode"] as const;

export abstract class PagerElement extends LitElement {
  static override properties: Record<string, object> = {
    hass: { attribute: false },
  };

  declare hass: Hass;
  /** The language whose words were asked for. */
  private language: string | undefined;
  /** The words as they were loaded, for whoever is given no hass that has them. */
  private loaded: Hass["localize"] | undefined;

  protected get words(): Words {
    return new Words(this.hass, this.loaded);
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
    const { hass } = this;
    if (this.language === hass.language) return;
    this.language = hass.language;
    loadWords(hass).then(
      (localize) => {
        this.loaded = localize;
        this.requestUpdate();
      },
      () => undefined,
    );
  }

  protected override render(): unknown {
    return this.words.get("host_stand") ? this.draw() : nothing;
  }

  /** Draw, with hass and words. */
  protected abstract draw(): TemplateResult;
}
