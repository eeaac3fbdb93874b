/** Updates an element at each full second, as long as somebody can see it. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Seconds implements ReactiveController {
  private readonly host: ReactiveControllerHost;
  private readonly now: () => number;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** now: the time (POSIX seconds) whose full seconds are meant. */
  constructor(host: ReactiveControllerHost, now: () => number) {
    this.host = host;
    this.now = now;
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.tick);
    this.tick();
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.tick);
    clearTimeout(this.timer);
  }

  private tick = (): void => {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.host.requestUpdate();
    // A moment after the second, as timers may be early by a millisecond.
    this.timer = setTimeout(this.tick, 1005 - ((this.now() * 1000) % 1000));
  };
}
