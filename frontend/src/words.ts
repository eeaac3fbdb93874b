/**
 * Words, plurals and times in the user's language.
 *
 * Texts are in translations/ under `common`, and under `exceptions` what actions fail with.
 */

import { DOMAIN, type CommandError, type Hass } from "./hass";

/** The rules of plurals by language, as it takes long to make them. */
const plurals = new Map<string, Intl.PluralRules>();

export class Words {
  private readonly hass: Hass;
  private readonly loaded: Hass["localize"] | undefined;

  /** loaded: what has the words if hass, as it is, has not. */
  constructor(hass: Hass, loaded?: Hass["localize"]) {
    this.hass = hass;
    this.loaded = loaded;
  }

  /** The text of a key. */
  get(key: string, values?: Record<string, unknown>): string {
    return this.text(`component.${DOMAIN}.common.${key}`, values);
  }

  private text(name: string, values?: Record<string, unknown>): string {
    return this.hass.localize(name, values) || (this.loaded?.(name, values) ?? "");
  }

  /** The text of a key for a number of things: `key_one`, `key_few`, ..., by the language. */
  count(key: string, count: number): string {
    const { language } = this.hass.locale;
    const rules = plurals.get(language) ?? new Intl.PluralRules(language);
    plurals.set(language, rules);
    const values = { count };
    return this.get(`${key}_${rules.select(count)}`, values) || this.get(`${key}_other`, values);
  }

  /** What went wrong, in the user's language. */
  error(error: CommandError): string {
    const { translation_domain: domain, translation_key: key, message } = error;
    const text =
      key &&
      this.text(
        `component.${domain ?? DOMAIN}.exceptions.${key}.message`,
        error.translation_placeholders,
      );
    return text || message || this.get("unknown_error");
  }

  /** The time of day of an instant (POSIX seconds), as the user wants times written. */
  timeOfDay(instant: number, timeZone?: string): string {
    const { language, time_format: format, time_zone: zone } = this.hass.locale;
    return new Intl.DateTimeFormat(format === "system" ? undefined : language, {
      hour: "numeric",
      minute: "2-digit",
      ...(format === "12" && { hour12: true }),
      ...(format === "24" && { hourCycle: "h23" as const }),
      timeZone: timeZone ?? (zone === "server" ? this.hass.config.time_zone : undefined),
    }).format(instant * 1000);
  }
}
