/** The parts of Home Assistant's front end that this one uses; it publishes no types. */

import type { Snapshot } from "./session";

export interface Connection {
  readonly connected: boolean;
  subscribeMessage(
    callback: (event: Snapshot) => void,
    message: { type: string; [key: string]: unknown },
    options: { resubscribe: boolean },
  ): Promise<() => Promise<void>>;
  addEventListener(type: "ready" | "disconnected", listener: () => void): void;
  removeEventListener(type: "ready" | "disconnected", listener: () => void): void;
  ping(): Promise<unknown>;
  reconnect(force?: boolean): void;
}

export interface Entity {
  entity_id: string;
  device_id?: string;
  platform?: string;
  translation_key?: string;
}

export interface Device {
  id: string;
  name: string | null;
  name_by_user?: string | null;
  /** Home Assistant 2027 has this in the place of config_entries, which may be of several integrations. */
  config_entry_id?: string;
  config_entries?: string[];
}

/** Home Assistant's state as its elements are given it: a new object at each change. */
export interface Hass {
  connected: boolean;
  connection: Connection;
  language: string;
  locale: { language: string; time_format: string; time_zone?: string };
  config: { components: string[]; time_zone: string };
  entities: Record<string, Entity>;
  devices: Record<string, Device>;
  kioskMode?: boolean;
  localize(key: string, values?: Record<string, unknown>): string;
  loadBackendTranslation(category: string, integration?: string): Promise<Hass["localize"]>;
  callService(
    domain: string,
    service: string,
    data: Record<string, unknown>,
    target: undefined,
    notifyOnError: boolean,
  ): Promise<unknown>;
  callWS(message: { type: string; [key: string]: unknown }): Promise<unknown>;
}

/** What a command or an action is rejected with; a lost connection is told one level deeper. */
export interface CommandError {
  error?: CommandError;
  code?: string | number;
  message?: string;
  translation_domain?: string;
  translation_key?: string;
  translation_placeholders?: Record<string, string>;
}

export const DOMAIN = "lrs_pager";

/** The transmitters' devices, by title. */
export function transmitters(hass: Hass): Device[] {
  const ids = new Set<string>();
  for (const entity of Object.values(hass.entities)) {
    if (entity.platform === DOMAIN && entity.device_id) ids.add(entity.device_id);
  }
  return [...ids]
    .flatMap((id) => hass.devices[id] ?? [])
    .sort((a, b) => title(a).localeCompare(title(b)));
}

/** What a device is called. */
export function title(device: Device): string {
  return device.name_by_user || device.name || "T7470";
}
