/** The subscription to a transmitter: joins, notices when it is cut off, and joins again. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { DOMAIN, type CommandError, type Hass } from "./hass";
import type { Session, Snapshot } from "./session";

/** Seconds between two attempts to subscribe: at first, and at most. */
const FIRST_RETRY = 1;
const LAST_RETRY = 30;

/**
 * Seconds between two pings of Home Assistant; of silence after which the connection is taken for cut,
 * as a browser does not notice for minutes that the Wi-Fi is gone; and after which it is made anew.
 */
const PING_INTERVAL = 5;
const SILENCE = 12;
const DEAD = 30;

/** Seconds by which the tablet's two clocks may part before the server's time is asked for anew. */
const CLOCK_STEP = 2;

/** What to subscribe to. names: whether guests' names are wanted. */
export interface Wanted {
  hass: Hass;
  deviceId: string | undefined;
  names: boolean;
}

/**
 * The latest snapshot of a transmitter, the server's time, and whether both are to be trusted.
 *
 * The snapshot outlives lost connections, reloads and restarts: its list stays the last that was told.
 */
export class Live implements ReactiveController {
  snapshot: Snapshot | undefined;
  /** The sessions that were told last, from the oldest. */
  sessions: Session[] = [];
  /** Why there is no subscription: the error's code; undefined while there is one. */
  refusal: CommandError | undefined;
  /** Since when Home Assistant can't be reached (server's POSIX seconds); undefined while it can. */
  cutSince: number | undefined;

  private readonly host: ReactiveControllerHost;
  private readonly told: (before: Session[] | undefined) => void;
  private wanted: Wanted | undefined;
  private joined: Wanted | undefined;
  private leave: (() => void) | undefined;
  private isInPage = false;
  private retry = FIRST_RETRY;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private isPinging = false;
  private stateAt = performance.now();
  // The server's time, and what the tablet's two clocks showed when it was told. The first runs on
  // undisturbed when somebody sets the tablet's time; some tablets stop it while they sleep.
  private serverNow = Date.now() / 1000;
  private steadyAt = performance.now();
  private wallAt = Date.now();

  /** told: called when a list was told, with the sessions that were known before, if any were. */
  constructor(host: ReactiveControllerHost, told: (before: Session[] | undefined) => void) {
    this.host = host;
    this.told = told;
    host.addController(this);
  }

  /** What was wanted last. */
  get wants(): Wanted | undefined {
    return this.wanted;
  }

  /** The server's time (POSIX seconds), whatever the tablet's clock shows. */
  get now(): number {
    return this.serverNow + (performance.now() - this.steadyAt) / 1000;
  }

  /** Seconds for which the link to the transmitter has been in its state, as far as seen here. */
  get stateAge(): number {
    return (performance.now() - this.stateAt) / 1000;
  }

  /** Whether what is pressed reaches Home Assistant. */
  get isConnected(): boolean {
    return this.cutSince === undefined && this.wanted?.hass.connection.connected === true;
  }

  hostConnected(): void {
    this.isInPage = true;
    document.addEventListener("visibilitychange", this.seen);
    this.pingTimer = setInterval(() => this.ping(), PING_INTERVAL * 1000);
    this.check();
  }

  hostDisconnected(): void {
    this.isInPage = false;
    document.removeEventListener("visibilitychange", this.seen);
    clearInterval(this.pingTimer);
    this.part();
    this.listen(undefined);
  }

  /** Say what is wanted; called whenever it may have changed. */
  want(wanted: Wanted): void {
    if (this.wanted?.hass.connection !== wanted.hass.connection && this.isInPage) {
      this.listen(wanted.hass);
    }
    this.wanted = wanted;
    this.check();
  }

  private listen(hass: Hass | undefined): void {
    const old = this.wanted?.hass.connection;
    old?.removeEventListener("ready", this.ready);
    old?.removeEventListener("disconnected", this.cut);
    hass?.connection.addEventListener("ready", this.ready);
    hass?.connection.addEventListener("disconnected", this.cut);
  }

  private ready = (): void => {
    this.part();
    this.retry = FIRST_RETRY;
    this.check();
  };

  private cut = (): void => {
    this.part();
    this.cutSince ??= this.now;
    this.host.requestUpdate();
  };

  /** Somebody looks again: the tablet may have slept, and its clocks with it. */
  private seen = (): void => {
    if (!document.hidden) this.rejoin();
  };

  private rejoin(): void {
    this.part();
    this.check();
  }

  /** Subscribe if that is wanted, possible and not done. */
  private check(): void {
    const { wanted, joined } = this;
    if (!wanted || !this.isInPage) return;
    if (joined && (joined.deviceId !== wanted.deviceId || joined.names !== wanted.names)) {
      this.part();
    }
    // After a restart, Home Assistant answers before this integration is there.
    const isThere = wanted.hass.config.components.includes(DOMAIN);
    if (this.joined || this.retryTimer || !wanted.hass.connected || !isThere) return;
    this.join(wanted);
  }

  private join(wanted: Wanted): void {
    let isOver = false;
    let unsubscribe: (() => Promise<void>) | undefined;
    this.joined = wanted;
    this.leave = () => {
      isOver = true;
      unsubscribe?.().catch(() => undefined);
    };
    const { deviceId, names } = wanted;
    wanted.hass.connection
      .subscribeMessage(
        (snapshot) => {
          if (!isOver) this.take(snapshot);
        },
        { type: "lrs_pager/subscribe", names, ...(deviceId && { device_id: deviceId }) },
        { resubscribe: false },
      )
      .then(
        (end) => {
          unsubscribe = end;
          if (isOver) end().catch(() => undefined);
          else this.retry = FIRST_RETRY;
        },
        (error: unknown) => {
          if (isOver) return;
          this.part();
          this.refusal = error as CommandError;
          this.retryTimer = setTimeout(() => {
            this.retryTimer = undefined;
            this.check();
          }, this.retry * 1000);
          this.retry = Math.min(2 * this.retry, LAST_RETRY);
          this.host.requestUpdate();
        },
      );
  }

  private part(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.leave?.();
    this.leave = this.joined = undefined;
  }

  private take(snapshot: Snapshot): void {
    const before = this.snapshot && this.sessions;
    if (this.snapshot?.link.state !== snapshot.link.state) this.stateAt = performance.now();
    this.snapshot = snapshot;
    this.refusal = undefined;
    this.serverNow = snapshot.now;
    this.steadyAt = performance.now();
    this.wallAt = Date.now();
    this.hear();
    if (snapshot.sessions) {
      this.sessions = snapshot.sessions;
      this.told(before);
    }
    this.host.requestUpdate();
  }

  /** Home Assistant has just been heard. */
  private hear(): void {
    this.heardAt = performance.now();
    if (this.cutSince !== undefined) {
      this.cutSince = undefined;
      this.host.requestUpdate();
    }
  }

  /** See whether Home Assistant is still there, and whether the tablet's clocks agree. */
  private ping(): void {
    if (!this.joined || document.hidden) return;
    const steady = performance.now() - this.steadyAt;
    if (Math.abs(Date.now() - this.wallAt - steady) > CLOCK_STEP * 1000) {
      this.rejoin();
      return;
    }
    const { connection } = this.joined.hass;
    const silence = (performance.now() - this.heardAt) / 1000;
    if (silence > SILENCE && this.cutSince === undefined) {
      this.cutSince = this.now - silence;
      this.host.requestUpdate();
    }
    if (silence > DEAD) {
      this.isPinging = false;
      this.heardAt = performance.now();
      connection.reconnect(true);
      return;
    }
    if (this.isPinging) return;
    this.isPinging = true;
    connection
      .ping()
      .then(() => this.hear())
      .catch(() => undefined)
      .finally(() => (this.isPinging = false));
  }
}
