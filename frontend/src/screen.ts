/** What a person has set on this very screen; kept in the browser. */

export interface Screen {
  large: boolean;
  hideNames: boolean;
  sound: boolean;
}

const KEY = "lrs-pager-screen";

/** Read what is set; all is off at first. */
export function loadScreen(): Screen {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY)!) as object;
  } catch {
    // The browser keeps nothing, or something else.
  }
  return { large: false, hideNames: false, sound: false, ...kept };
}

/** Keep what was set. */
export function saveScreen(screen: Screen): void {
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
