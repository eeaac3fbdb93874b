/**
 * Icons of Material Design Icons (Apache License 2.0), as Home Assistant has them, in fewer characters: what
 * is filled need not be closed.
 */

import { html, type TemplateResult } from "lit";

const PATHS = {
  bell: "M21 19V20H3V19L5 17V11C5 7.9 7.03 5.17 10 4.29V4A2 2 0 0 1 14 4V4.29C16.97 5.17 19 7.9 19 11V17M14 21A2 2 0 0 1 10 21",
  check: "M21 7 9 19 3.5 13.5 4.91 12.09 9 16.17 19.59 5.59",
  close:
    "M19 6.41 17.59 5 12 10.59 6.41 5 5 6.41 10.59 12 5 17.59 6.41 19 12 13.41 17.59 19 19 17.59 13.41 12",
  person:
    "M12 4A4 4 0 0 1 12 12 4 4 0 0 1 12 4M12 14C16.42 14 20 15.79 20 18V20H4V18C4 15.79 7.58 14 12 14",
  alert: "M13 14H11V9H13M13 18H11V16H13M1 21H23L12 2",
  options:
    "M3 17V19H9V17M3 5V7H13V5M13 21V19H21V17H13V15H11V21M7 9V11H3V13H7V15H9V9M21 13V11H11V13M15 9H17V7H21V5H17V3H15",
  plus: "M19 13H13V19H11V13H5V11H11V5H13V11H19",
} as const;

/** An icon beside a word, and so nothing to hear. */
export function icon(name: keyof typeof PATHS): TemplateResult {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]}></path>
  </svg>`;
}
