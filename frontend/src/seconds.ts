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
    document.addEventListener("visibilitychange", this.start);
    this.start();
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.start);
    clearTimeout(this.timer);
  }

  private start = (): void => {
    clearTimeout(this.timer);
    if (document.hidden) return;
    // A moment after the second, as timers may be early by a millisecond.
    const wait = 1000 - ((this.now() * 1000) % 1000) + 5;
    this.timer = setTimeout(() => {
      this.host.requestUpdate();
      this.start();
    }, wait);
  };
}
