/** What a person has set on this very screen; kept in the browser. */

export interface Screen {
  large: boolean;
  hideNames: boolean;
  sound: boolean;
}

const KEY = "lrs-pager-screen";

/** What is set, for all that is on the screen; all is off at first. */
export let screen: Screen = { large: false, hideNames: false, sound: false };

try {
  screen = { ...screen, ...(JSON.parse(localStorage.getItem(KEY)!) as Partial<Screen>) };
} catch {
  // The browser keeps nothing, or something else.
}

/** Keep what was set. */
export function keepScreen(change: Partial<Screen>): void {
  screen = { ...screen, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(screen));
  } catch {
    // It holds until the page is closed.
  }
}

/** Tell Home Assistant to hide its sidebar and header, or to show them again. */
export function setKiosk(element: EventTarget, enable: boolean): void {
  element.dispatchEvent(
    new CustomEvent("hass-kiosk-mode", { detail: { enable }, bubbles: true, composed: true }),
  );
}
