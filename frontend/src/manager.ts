/** What a manager wants to know: today and as it usually is, quotes kept, when it breaks; and all of it as CSV. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";

import { PagerElement } from "./element";
import { DOMAIN, type CommandError } from "./hass";
import { icon } from "./icons";
import { managerStyles } from "./styles";

/** What is shown of a day, and of several on average; waits in minutes. */
const FIGURES = [
  "sessions",
  "guests",
  "average_wait",
  "wait_80",
  "late",
  "left",
  "no_show",
  "quotes_kept",
  "quote_error",
];

/** What can be looked at by weekday and hour. */
const METRICS = ["wait_80", "sessions", "guests", "late", "left", "no_show"] as const;

type Metric = (typeof METRICS)[number];
type Figures = Record<string, number | null>;

/** An hour (by the clock) of a weekday (0 is Monday), over all weeks. */
type Cell = Record<Metric, number | null> & { weekday: number; hour: number; sessions: number };

/** What the command lrs_pager/manager answers; manager.py makes it. */
export interface Answer {
  entry_id: string;
  today: Figures;
  usual: Figures | null;
  weeks: number;
  /** Of the last four weeks: percent and minutes. */
  quotes_kept: number | null;
  quote_error: number | null;
  pattern: { weeks: number; cells: Cell[]; left_out: number };
  day_start: number;
}

/** Sessions of a cell below which it says little. */
const FEW = 5;

/** Milliseconds of a day, and those after which the figures are asked for anew. */
const DAY = 864e5;
const REFRESH = 120e3;

export class ManagerCard extends PagerElement {
  static override styles = managerStyles;
  static override properties = {
    ...PagerElement.properties,
    answer: { state: true },
    error: { state: true },
    metric: { state: true },
  };

  declare private answer: Answer | undefined;
  declare private error: string | undefined;
  declare private metric: Metric | undefined;
  private deviceId: string | undefined;
  private askedAt = -REFRESH;

  /** device_id: the transmitter's device; may be left out while there is one transmitter. */
  setConfig({ device_id }: { device_id?: string }): void {
    if (this.deviceId === device_id) return;
    this.deviceId = device_id;
    // The figures of one transmitter must not be taken for those of another.
    this.answer = undefined;
    this.askedAt = -REFRESH;
    this.requestUpdate();
  }

  /** Called at each change in the house, as long as the card can be seen. */
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    if (performance.now() - this.askedAt >= REFRESH) {
      this.askedAt = performance.now();
      this.ask("lrs_pager/manager", { device_id: this.deviceId }, (answer: Answer) => {
        this.answer = answer;
      });
    }
    return super.shouldUpdate(changed);
  }

  /** Send a command, and take its answer if the same transmitter is still shown by then. */
  private ask(type: string, data: object, take: (answer: never) => void): void {
    const { deviceId } = this;
    const isMeant = (): boolean => deviceId === this.deviceId;
    this.error = undefined;
    this.hass
      .callWS({ type, ...data })
      .then((answer) => isMeant() && take(answer as never))
      .catch(
        (error: unknown) => isMeant() && (this.error = this.words.error(error as CommandError)),
      );
  }

  private download(event: SubmitEvent): void {
    event.preventDefault();
    if (!this.answer) return;
    const form = new FormData(event.target as HTMLFormElement);
    const [from, to, names = "0"] = [...form.values()] as string[];
    const [start, end] = [from, to].sort();
    const path = `/api/${DOMAIN}/${this.answer.entry_id}/sessions.csv?start=${start}&end=${end}&names=${names}`;
    this.ask("auth/sign_path", { path }, ({ path }: { path: string }) => {
      Object.assign(document.createElement("a"), { href: path, download: "" }).click();
    });
  }

  protected override draw(): TemplateResult {
    const { words, answer, error } = this;
    return html`<ha-card>
      ${answer ? [this.todayTemplate(answer), this.patternTemplate(answer)] : nothing}
      <p class="alarm" role="alert">${error ? [icon("alert"), error] : nothing}</p>
      <form @submit=${this.download}>
        ${this.dayTemplate("start", 30)} ${this.dayTemplate("end", 0)}
        <label class="option">
          <input type="checkbox" name="names" value="1" />${words.get("csv_names")}
        </label>
        <button class="loud" aria-disabled=${!answer}>${words.get("csv")}</button>
      </form>
    </ha-card>`;
  }

  /** A field for a day, at first so many days ago. */
  private dayTemplate(name: string, ago: number): TemplateResult {
    const { timeZone } = this.words;
    const day = new Date(Date.now() - ago * DAY).toLocaleDateString("sv", { timeZone });
    return html`<label>
      ${this.words.get(`csv_${name}`)} <input type="date" name=${name} required value=${day} />
    </label>`;
  }

  private number(value: number | null | undefined): string {
    const { language } = this.hass.locale;
    return value?.toLocaleString(language, { maximumFractionDigits: 1 }) ?? "–";
  }

  private todayTemplate({ today, usual, weeks, quotes_kept, quote_error }: Answer): TemplateResult {
    const { words } = this;
    const before: Figures = { ...usual, quotes_kept, quote_error };
    return html`
      <table>
        <tr>
          <td></td>
          <th scope="col">${words.get("today")}</th>
          <th scope="col">${words.get("usual")}</th>
        </tr>
        ${FIGURES.map(
          (key) =>
            html`<tr>
              <th scope="row">${words.get(`figure_${key}`)}</th>
              <td>${this.number(today[key])}</td>
              <td>${this.number(before[key])}</td>
            </tr>`,
        )}
      </table>
      <p class="note">${words.get("usual_note", { weeks })}</p>
    `;
  }

  private patternTemplate({ pattern, day_start }: Answer): TemplateResult {
    const { words, metric = METRICS[0] } = this;
    const { weeks, cells, left_out } = pattern;
    const { language } = this.hass.locale;
    const days = [...Array(7).keys()];
    const hours = [...Array(24).keys()]
      .map((hour) => (hour + day_start) % 24)
      .filter((hour) => cells.some((cell) => cell.hour === hour));
    const told = cells.filter(({ sessions }) => sessions >= FEW);
    const most = Math.max(1, ...told.map((cell) => cell[metric]!));
    // An hour is 6 PM, which fits a phone; or 18:00, as 18 could be taken for a figure.
    return html`
      <label>
        ${words.get("pattern_shows")}
        <select
          @change=${(event: Event) => (this.metric = (event.target as HTMLSelectElement).value as Metric)}
        >
          ${METRICS.map((key) => html`<option value=${key}>${words.get(`figure_${key}`)}</option>`)}
        </select>
      </label>
      <table class="heat">
        <caption>
          ${words.get("pattern", { weeks })}
        </caption>
        <tr>
          <td></td>
          ${days.map((day) => {
            const date = new Date((day + 4) * DAY);
            return html`<th scope="col">
              ${date.toLocaleDateString(language, { weekday: "short", timeZone: "UTC" })}
            </th>`;
          })}
        </tr>
        ${hours.map(
          (hour) =>
            html`<tr>
              <th scope="row">${words.timeOfDay(hour * 3600, "UTC").replace(/\D00(?=\D)/, "")}</th>
              ${days.map((day) => {
                const cell = cells.find(({ weekday, hour: at }) => weekday === day && at === hour);
                if (!cell) return html`<td></td>`;
                const isFew = cell.sessions < FEW;
                return html`<td
                  class=${isFew ? "few" : ""}
                  style="--heat: ${(50 * cell[metric]!) / most}%"
                >
                  ${this.number(cell[metric])}
                  ${isFew ? html`<span class="unseen">${words.get("few")}</span>` : nothing}
                </td>`;
              })}
            </tr>`,
        )}
      </table>
      <p class="note"><span class="few"></span> ${words.get("few")}</p>
      <p class="note">${left_out ? words.count("left_out", left_out) : nothing}</p>
    `;
  }
}
