/** Defines the elements, and tells dashboards of them. */

import { Card, CARD_ENTRY } from "./card";
import { HandOut } from "./hand-out";
import { Lobby } from "./lobby";
import { ManagerCard } from "./manager";
import { Panel } from "./panel";
import { Stand } from "./stand";
import { Strategy, STRATEGY_ENTRY } from "./strategy";

interface Entry {
  type: string;
}

declare global {
  interface Window {
    customCards?: Entry[];
    customStrategies?: Entry[];
  }
}

const ELEMENTS: Record<string, CustomElementConstructor> = {
  "lrs-pager-hand-out": HandOut,
  "lrs-pager-stand": Stand,
  "lrs-pager-lobby": Lobby,
  "lrs-pager-card": Card,
  "lrs-pager-manager-card": ManagerCard,
  "lrs-pager-panel": Panel,
  "ll-strategy-dashboard-lrs-pager": Strategy,
};

function define(): void {
  for (const [tag, element] of Object.entries(ELEMENTS)) {
    if (!window.customElements.get(tag)) window.customElements.define(tag, element);
  }
}

/** Home Assistant keeps the very array that it finds first. */
function announce(list: Entry[], entry: Entry): Entry[] {
  if (!list.some((each) => each.type === entry.type)) list.push(entry);
  return list;
}

window.customCards = announce(window.customCards ?? [], CARD_ENTRY);
window.customStrategies = announce(window.customStrategies ?? [], STRATEGY_ENTRY);

// Before 2026.11, Home Assistant's own script replaces the registry of elements, and what was defined
// before that is lost. Its main element is there once that is done. Cast has no such element.
const app = document.querySelector("home-assistant");
void (app ? window.customElements.whenDefined("home-assistant") : Promise.resolve()).then(define);
