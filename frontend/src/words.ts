/**
 * Words, plurals and times in the user's language.
 *
 * Texts are in translations/ under `common`, and under `exceptions` what actions fail with.
 */

import { DOMAIN, type CommandError, type Hass } from "./hass";

/** The rules of plurals by language, as it takes long to make them. */
const plurals = new Map<string, Intl.PluralRules>();

/** The words that were asked for, by language. */
export const loads = new Map<string, Promise<Hass["localize"]>>();

/**
 * Load the words; what is returned has them, while the hass that is given stays as it was.
 *
 * All that ask share one answer: to a second one, while the first is under way, Home Assistant
 * answers at once, and without the words.
 */
export function loadWords(hass: Hass): Promise<Hass["localize"]> {
  const { language } = hass;
  const words = loads.get(language) ?? load(hass);
  loads.set(language, words);
  words.catch(() => loads.delete(language));
  return words;
}

async function load(hass: Hass): Promise<Hass["localize"]> {
  const [common, exceptions] = await Promise.all(
    // What failed is never asked for again, except for those of all integrations.
    ["common", "exceptions"].map((part) =>
      hass.loadBackendTranslation(part, DOMAIN).catch(() => hass.loadBackendTranslation(part)),
    ),
  );
  return (name, values) => common!(name, values) || exceptions!(name, values);
}

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

  /** The server's time zone; undefined, which is the browser's own, if the browser does not know it. */
  get timeZone(): string | undefined {
    const timeZone = this.hass.config.time_zone;
    try {
      new Date().toLocaleString("en", { timeZone });
      return timeZone;
    } catch {
      return undefined;
    }
  }

  /** The time of day of an instant (POSIX seconds), as the user wants times written. */
  timeOfDay(instant: number, timeZone?: string): string {
    const { language, time_format: format, time_zone: zone } = this.hass.locale;
    return new Intl.DateTimeFormat(format === "system" ? undefined : language, {
      hour: "numeric",
      minute: "2-digit",
      // With hour12, midnight would be 0:05 AM in languages whose own clock has 24 hours.
      ...(format === "12" && { hourCycle: "h12" as const }),
      ...(format === "24" && { hourCycle: "h23" as const }),
      timeZone: timeZone ?? (zone === "server" ? this.timeZone : undefined),
    }).format(instant * 1000);
  }
}
