/** The dashboard under "Add dashboard": a view per transmitter, from what Home Assistant has. */

import { DOMAIN, title, transmitters, type Device, type Hass } from "./hass";
import { loadWords, Words } from "./words";

type Config = Record<string, unknown>;

/** The sensors of the section for today, and those of the section for now, by their keys. */
const TODAY = ["daily_count", "average_wait", "longest_wait", "on_time_rate"];

export class Strategy extends HTMLElement {
  /** Have the dashboard made anew when one of these changes. */
  static registryDependencies = ["devices", "entities"];

  /** Home Assistant makes the address of the title, and /lrs-pager is that of the page in the sidebar. */
  static getCreateSuggestions(): Config {
    return { title: "LRS T7470", icon: "mdi:chart-box" };
  }

  static async generate(_config: Config, hass: Hass): Promise<Config> {
    const words = new Words(hass, await loadWords(hass));
    const devices = transmitters(hass);
    const views = devices.map((device) => view(device, hass, words));
    const message = { type: "config_entries/get", domain: DOMAIN };
    const entries = (await hass.callWS(message)) as { entry_id: string }[];
    const ids = entries.map(({ entry_id }) => entry_id);
    return {
      title: words.get("host_stand"),
      views: views.length ? [...views, managerView(devices, ids, words)] : [emptyView(words)],
    };
  }
}

function emptyView(words: Words): Config {
  const card = { type: "markdown", content: words.get("no_transmitter_yet") };
  return {
    title: words.get("host_stand"),
    type: "sections",
    sections: [{ type: "grid", cards: [card] }],
  };
}

function view(device: Device, hass: Hass, words: Words): Config {
  const tiles = TODAY.flatMap((key) => {
    const entity = Object.values(hass.entities).find(
      (each) =>
        each.device_id === device.id && each.platform === DOMAIN && each.translation_key === key,
    );
    return entity
      ? { type: "tile", entity: entity.entity_id, name: words.get(`today_${key}`) }
      : [];
  });
  const card = { type: "custom:lrs-pager-card", device_id: device.id, ...full() };
  return {
    title: title(device),
    path: device.id,
    type: "sections",
    max_columns: 2,
    sections: [
      { type: "grid", cards: [card], column_span: 2 },
      ...section(words.get("today"), "mdi:calendar-today", tiles),
    ],
  };
}

/** What managers look at: each transmitter's figures, and graphs of its months. ids: of our entries. */
function managerView(devices: Device[], ids: string[], words: Words): Config {
  return {
    title: words.get("manager"),
    path: "manager",
    type: "sections",
    max_columns: 2,
    sections: devices.flatMap((device) => [
      ...section(title(device), "mdi:calendar-today", [
        { type: "custom:lrs-pager-manager-card", device_id: device.id, ...full() },
      ]),
      ...section(words.get("months"), "mdi:chart-line", months(device, ids, words)),
    ]),
  };
}

/** A section with its heading; none if there is nothing in it. */
function section(text: string, icon: string, cards: Config[]): Config[] {
  const heading = { type: "heading", heading: text, icon };
  return cards.length ? [{ type: "grid", cards: [heading, ...cards] }] : [];
}

function full(): Config {
  return { grid_options: { columns: "full" } };
}

/** Graphs of the long-term statistics, whose ids are made from the entry's. ids: of our entries. */
function months(device: Device, ids: string[], words: Words): Config[] {
  const entries = [device.config_entry_id, device.config_entries].flat();
  const entryId = ids.find((id) => entries.includes(id));
  if (!entryId) return [];
  const statistic = (key: string, name: string): Config => ({
    entity: `${DOMAIN}:${entryId.toLowerCase()}_${key}`,
    name: words.get(name),
  });
  const graph = { type: "statistics-graph", period: "day", days_to_show: 28, ...full() };
  return [
    {
      ...graph,
      title: words.get("graph_sessions"),
      entities: [statistic("sessions", "graph_all"), statistic("late", "graph_late")],
      stat_types: ["change"],
      chart_type: "bar",
      hide_legend: false,
    },
    {
      ...graph,
      title: words.get("graph_wait"),
      entities: [statistic("wait", "graph_minutes")],
      stat_types: ["mean", "max"],
      chart_type: "line",
    },
  ];
}

/** What the dialog for new dashboards knows of the strategy. */
export const STRATEGY_ENTRY = {
  type: "lrs-pager",
  strategyType: "dashboard",
  name: "LRS Pager",
  description: "The host stand, and figures for the manager.",
  documentationURL: "https://github.com/ha-lrs-pager/lrs-pager#host-stand",
};
