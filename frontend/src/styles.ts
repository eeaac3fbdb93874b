/** Looks. Colours are Home Assistant's tokens, so that themes and dark mode come by themselves. */

import { css } from "lit";

/** What all our elements have. */
const base = css`
  :host {
    --quiet: var(--secondary-text-color);
    --alarm: var(--ha-color-on-danger-normal);
    /* Home Assistant's own blue on light blue can't be read by all. */
    --accent: color-mix(in srgb, var(--ha-color-on-primary-normal), var(--primary-text-color) 40%);
    --line: 1px solid var(--divider-color);
    display: block;
    color: var(--primary-text-color);
    font: var(--ha-font-size-l, 16px) / 1.3 var(--ha-font-family-body, sans-serif);
    /* Digits are of one width, so that ticking moves nothing. */
    font-variant-numeric: tabular-nums;
    -webkit-text-size-adjust: 100%;
  }
  * {
    box-sizing: border-box;
    min-width: 0;
    margin: 0;
  }
  ul,
  ol,
  fieldset {
    padding: 0;
    border: 0;
    list-style: none;
  }
  h1,
  h2,
  h3 {
    font-size: 1.25em;
    font-weight: 400;
  }
  svg {
    flex: none;
    width: 1.3em;
    height: 1.3em;
    fill: currentColor;
  }
  .unseen {
    position: absolute;
    overflow: hidden;
    width: 1px;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  input,
  select {
    min-height: 48px;
    background: none;
    color: inherit;
    font: inherit;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.35em;
    min-width: 48px;
    padding: 0 0.75em;
    border: 0;
    border-radius: 9999px;
    font-weight: 500;
    cursor: pointer;
    touch-action: manipulation;
  }
  :focus-visible {
    outline: 3px solid var(--primary-color);
    outline-offset: 2px;
  }
  .plain {
    box-shadow: inset 0 0 0 1px var(--divider-color);
    background: var(--ha-color-fill-neutral-normal-resting);
    color: var(--primary-text-color);
  }
  .primary,
  .filter [aria-pressed="true"] {
    background: var(--ha-color-fill-primary-normal-resting);
    color: var(--accent);
  }
  .loud,
  [aria-pressed="true"] {
    background: var(--ha-color-fill-primary-loud-resting);
    /* White on Home Assistant's own blue can't be read by all. */
    background: color-mix(in srgb, var(--ha-color-fill-primary-loud-resting), #000 28%);
    color: var(--ha-color-on-primary-loud);
  }
  .danger {
    background: var(--ha-color-fill-danger-loud-resting);
    color: var(--ha-color-on-danger-loud);
  }
  button:hover {
    filter: brightness(0.95);
  }
  button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: default;
  }
  .alarm {
    color: var(--alarm);
    font-weight: 500;
  }
  .note {
    color: var(--quiet);
  }
  input,
  select {
    padding: 0 0.75em;
    border: 1px solid var(--ha-color-border-neutral-loud);
    border-radius: 8px;
  }
  .option {
    display: flex;
    align-items: center;
    gap: 0.75em;
  }
  .option input {
    flex: none;
    width: 1.5em;
    accent-color: var(--primary-color);
  }
  .quotes bdi {
    display: inline-block;
    margin-inline-end: 0.6em;
  }
  p:empty {
    display: none;
  }
  p:has(svg) {
    display: flex;
    align-items: center;
    gap: 0.5em;
  }

  dialog {
    width: min(36rem, 100vw);
    max-width: none;
    max-height: 100dvh;
    margin: auto;
    padding: 0;
    border: 0;
    border-radius: 24px;
    background: var(--card-background-color);
    color: inherit;
  }
  dialog::backdrop {
    background: #0008;
  }
  form {
    display: grid;
    gap: 1rem;
    padding: 1rem 1.25rem calc(1rem + env(safe-area-inset-bottom));
  }
  @media (max-width: 600px) {
    dialog {
      margin-block-end: 0;
      border-radius: 24px 24px 0 0;
    }
  }
`;

export const standStyles = [
  base,
  css`
    :host {
      container-type: inline-size;
    }
    :host([large]) {
      font-size: calc(1.5 * var(--ha-font-size-l, 16px));
    }
    .stand {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      align-items: center;
    }
    .stand > * {
      grid-column: 1 / -1;
    }
    .stand > header {
      grid-column: 1;
      display: flex;
      align-items: center;
      gap: 0.75em;
      min-height: 56px;
      padding-block: 4px;
      padding-inline: 1em 0.5em;
    }
    .stand > .hand-out {
      grid-column: 2;
      margin-inline-end: 12px;
    }
    .sum {
      display: flex;
      flex: 1;
      flex-wrap: wrap;
      gap: 0 0.9em;
      color: var(--quiet);
    }
    .sum span {
      white-space: nowrap;
    }
    .sum p {
      flex-basis: 100%;
      font-size: 0.875em;
    }
    .sum svg,
    .time svg {
      width: 1em;
      height: 1em;
      vertical-align: -0.12em;
    }
    .live {
      color: var(--quiet);
      font-size: 0.875em;
      white-space: nowrap;
    }
    .live::before {
      content: "";
      display: inline-block;
      width: 0.6em;
      height: 0.6em;
      margin-inline-end: 0.4em;
      border-radius: 50%;
      background: var(--ha-color-on-success-normal);
    }
    .banner,
    .wide {
      margin: 0 12px 8px;
      padding: 0.6em 0.8em;
      border-radius: 12px;
      font-weight: 500;
    }
    .banner {
      background: var(--ha-color-fill-danger-quiet-resting);
      color: var(--alarm);
    }
    .info {
      background: var(--ha-color-fill-warning-quiet-resting);
      color: var(--ha-color-on-warning-normal);
    }
    .columns {
      display: grid;
    }
    .stale ul {
      opacity: 0.6;
    }
    .heading {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      min-height: 48px;
      padding-inline: 1em 12px;
    }
    h3 {
      color: var(--quiet);
      font-size: 1em;
      font-weight: 500;
    }
    .filter button {
      padding: 0 0.6em;
    }
    .filter [aria-pressed="false"] {
      color: var(--quiet);
      font-weight: 400;
    }
    .empty {
      padding: 1.5em;
      color: var(--quiet);
      text-align: center;
    }

    /* One guest. */
    li {
      display: grid;
      grid-template:
        "number who buttons" "number time buttons" "message message message" / 3em minmax(0, 1fr)
        auto;
      align-items: center;
      column-gap: 0.3em;
      min-height: 55px;
      padding-block: 3px;
      padding-inline-end: 12px;
      border-block-start: var(--line);
      border-inline-start: 4px solid transparent;
      contain: layout style;
    }
    li:focus-visible {
      outline-offset: -3px;
    }
    li.soon {
      border-inline-start-color: var(--ha-color-on-warning-normal);
    }
    li.late {
      border-inline-start-color: var(--alarm);
    }
    .number {
      grid-area: number;
      font-size: 1.6em;
      font-weight: 700;
      text-align: center;
    }
    li .number {
      width: 1.85em;
    }
    .who {
      grid-area: who;
      display: flex;
      align-items: center;
      gap: 0.5em;
      padding-inline-end: 0.3em;
    }
    .name {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      font-weight: 500;
    }
    .party {
      display: inline-flex;
      flex: none;
      align-items: center;
      color: var(--quiet);
    }
    .party svg {
      width: 1.1em;
    }
    /* What does not fit beside the timer is below it, and so not seen. */
    .time {
      grid-area: time;
      display: flex;
      flex-wrap: wrap;
      gap: 0 0.4em;
      height: 1.3em;
      overflow-y: clip;
      color: var(--quiet);
      white-space: nowrap;
    }
    li .about {
      color: var(--quiet);
      font-weight: 400;
    }
    .time b {
      color: var(--primary-text-color);
      font-weight: 500;
    }
    .soon :is(.time, .time b) {
      color: var(--ha-color-on-warning-normal);
    }
    .late :is(.time, .time b) {
      color: var(--alarm);
      font-weight: 700;
    }
    .buttons {
      grid-area: buttons;
      display: grid;
      grid-template-columns: minmax(5em, auto) minmax(3.6em, auto) minmax(4.6em, auto);
      gap: 5px;
    }
    .buttons button {
      padding: 0 0.5em;
    }
    /* Not where Seat was. */
    .called [data-tap="undo"] {
      grid-column: 2 / 4;
    }
    @media (prefers-reduced-motion: no-preference) {
      .busy span {
        animation: wait 1s infinite alternate;
      }
    }
    @keyframes wait {
      to {
        opacity: 0.3;
      }
    }
    .message {
      grid-area: message;
      padding: 0.25em 0 0.25em 0.75em;
    }

    /* A phone: the buttons have a line of their own, and the thumb has the next guest's pager. */
    @container (max-width: 29em) {
      .stand > header {
        grid-column: 1 / -1;
        min-height: 48px;
      }
      .stand > .hand-out {
        grid-column: 1 / -1;
        order: 1;
        position: sticky;
        inset-block-end: 8px;
        z-index: 1;
        margin: 8px 12px;
        box-shadow: 0 2px 8px #0005;
      }
      .live {
        display: none;
      }
      li {
        grid-template:
          "number who time" "number buttons buttons" "message message message" / 3em minmax(0, 1fr)
          auto;
        row-gap: 1px;
      }
      .buttons {
        grid-template-columns: 1.4fr 1fr 1fr;
      }
    }
    @container (max-width: 23em) {
      .about {
        display: none;
      }
    }
    @container (max-width: 19em) {
      header {
        flex-wrap: wrap;
      }
      li {
        grid-template: "number who" "number time" "buttons buttons" "message message" / 3em minmax(
            0,
            1fr
          );
      }
      .buttons {
        grid-template-columns: 1fr;
      }
    }
    /* A tablet: those who wait on one side, those who were paged on the other. The columns are there also
       while nobody was paged: a button that moves is not the one that was meant. */
    @container (max-width: 54em) {
      .called:not(:has(li)) {
        display: none;
      }
    }
    @container (min-width: 54em) {
      .columns {
        grid-template-columns: 1fr 1fr;
      }
      .called {
        border-inline-start: var(--line);
      }
    }
  `,
];

export const sheetStyles = [
  base,
  css`
    header,
    .field {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 6px 0.75em;
    }
    header {
      justify-content: space-between;
    }
    label,
    legend {
      min-width: 5.5em;
      font-weight: 500;
    }
    input {
      flex: 1;
    }
    [inputmode] {
      flex: 0 1 5em;
      font-size: 1.25em;
      font-weight: 700;
    }
    .chips {
      display: flex;
      flex-basis: 100%;
      flex-wrap: wrap;
      gap: 6px;
    }
    .pagers {
      max-height: 9.5rem;
      overflow-y: auto;
      margin: -4px;
      padding: 4px;
    }
    .chip {
      display: inline-grid;
      place-content: center;
      min-width: 48px;
      min-height: 48px;
      padding: 0 0.7em;
      border: 1px solid var(--ha-color-border-neutral-normal);
      border-radius: 9999px;
      font-weight: 400;
    }
    .used {
      border-style: dashed;
      color: var(--quiet);
      text-decoration: line-through;
    }
  `,
];

export const lobbyStyles = [
  base,
  css`
    :host {
      container-type: inline-size;
      height: 100%;
      text-align: center;
    }
    .lobby {
      display: flex;
      flex-direction: column;
      gap: 1rem;
      min-height: 100%;
      padding: 1.5rem;
      font-size: clamp(1.1rem, min(4cqi, 4.5vh), 2.5rem);
    }
    ol,
    .nobody {
      display: flex;
      flex: 1;
      flex-wrap: wrap;
      align-content: center;
      align-items: center;
      justify-content: center;
      gap: 0 0.5em;
    }
    ol {
      font-size: 2.5em;
      font-weight: 700;
      line-height: 1;
    }
    li:first-child {
      flex-basis: 100%;
      color: var(--accent);
      font-size: 2.4em;
    }
  `,
];

export const managerStyles = [
  base,
  css`
    ha-card {
      display: grid;
      gap: 12px;
      padding: 12px;
    }
    form {
      padding: 0;
    }
    table {
      width: 100%;
      border-spacing: 2px;
    }
    th {
      font-weight: 400;
      text-align: start;
    }
    td,
    [scope="col"] {
      text-align: end;
    }
    .heat {
      table-layout: fixed;
      font-size: 0.75em;
    }
    .heat td {
      background: color-mix(in srgb, var(--primary-color) var(--heat, 0%), transparent);
    }
    td,
    .note span {
      padding: 6px;
    }
    .note span {
      margin-inline-end: 6px;
    }
    .few,
    .heat .few {
      background: repeating-linear-gradient(45deg, transparent 0 4px, var(--divider-color) 4px 6px);
    }
  `,
];

export const panelStyles = [
  base,
  css`
    :host {
      min-height: 100vh;
      background: var(--card-background-color);
    }
    header {
      display: flex;
      align-items: center;
      height: var(--header-height, 56px);
      padding-inline: 4px 16px;
      border-block-end: var(--line);
      background: var(--app-header-background-color, var(--primary-background-color));
      color: var(--app-header-text-color);
    }
    h1 {
      margin-inline-start: 20px;
    }
    .lobbies {
      display: grid;
      grid-auto-rows: 1fr;
      min-height: 100dvh;
    }
  `,
];
