/** The subscription to a transmitter: joins, notices when it is cut off, and joins again. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { DOMAIN, type CommandError, type Connection, type Hass } from "./hass";
import { recognise, type Known, type Snapshot } from "./session";

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

/** Seconds of silence after which what comes may have been under way for long. */
const STALL = 7;

/** Seconds by which the tablet's two clocks may part before the server's time is asked for anew. */
const CLOCK_STEP = 2;

/** The code of the error where Home Assistant does not know a command: the integration is not there. */
export const UNKNOWN_COMMAND = "unknown_command";

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
  /** The sessions that were told last, from the oldest; undefined as long as none were. */
  sessions: Known[] | undefined;
  /** Why there is no subscription; undefined while there is one. */
  refusal: CommandError | undefined;
  /** Since when Home Assistant can't be reached (server's POSIX seconds); undefined while it can. */
  cutSince: number | undefined;
  /** What was wanted last. */
  wanted: Wanted | undefined;

  private readonly host: ReactiveControllerHost;
  private readonly told: (sessions: Known[], before: Known[] | undefined) => void;
  private joined: Wanted | undefined;
  private leave: (() => void) | undefined;
  private isInPage = false;
  private retry = FIRST_RETRY;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private followed: Connection | undefined;
  /** When Home Assistant was heard last, and when the subscription was asked for. */
  private heardAt = 0;
  private askedAt = 0;
  private isPinging = false;
  private stateAt = performance.now();
  // The server's time, and what the tablet's steady clock showed when it was told. That clock runs on
  // undisturbed when somebody sets the tablet's time; some tablets stop it while they sleep.
  private serverNow = Date.now() / 1000;
  private steadyAt = performance.now();
  /** Milliseconds from the steady clock to the one that can be set. */
  private clocks = Date.now() - performance.now();

  /** told: called when a list was told, with what it was before, if one had been told. */
  constructor(
    host: ReactiveControllerHost,
    told: (sessions: Known[], before: Known[] | undefined) => void,
  ) {
    this.host = host;
    this.told = told;
    host.addController(this);
  }

  /** The server's time (POSIX seconds), whatever the tablet's clock shows. */
  get now(): number {
    return this.serverNow + (performance.now() - this.steadyAt) / 1000;
  }

  /** Seconds for which the link to the transmitter has been in its state, as far as seen here. */
  get stateAge(): number {
    return (performance.now() - this.stateAt) / 1000;
  }

  /** Whether what is pressed reaches the integration. */
  get isConnected(): boolean {
    const { cutSince, refusal, wanted } = this;
    return cutSince === undefined && !refusal && wanted?.hass.connection.connected === true;
  }

  hostConnected(): void {
    this.isInPage = true;
    this.heardAt = performance.now();
    document.addEventListener("visibilitychange", this.seen);
    this.pingTimer = setInterval(() => this.ping(), PING_INTERVAL * 1000);
    this.follow(this.wanted?.hass.connection);
    this.check();
  }

  hostDisconnected(): void {
    this.isInPage = false;
    document.removeEventListener("visibilitychange", this.seen);
    clearInterval(this.pingTimer);
    this.part();
    this.follow(undefined);
  }

  /** Say what is wanted; called whenever it may have changed. */
  want(wanted: Wanted): void {
    // The guests of one transmitter must not be taken for those of another.
    if (this.wanted?.deviceId !== wanted.deviceId) {
      this.snapshot = this.sessions = this.refusal = undefined;
    }
    this.wanted = wanted;
    if (this.isInPage) this.follow(wanted.hass.connection);
    this.check();
  }

  private follow(connection: Connection | undefined): void {
    const { followed } = this;
    if (followed === connection) return;
    followed?.removeEventListener("ready", this.ready);
    followed?.removeEventListener("disconnected", this.cut);
    connection?.addEventListener("ready", this.ready);
    connection?.addEventListener("disconnected", this.cut);
    this.followed = connection;
  }

  private ready = (): void => {
    this.retry = FIRST_RETRY;
    this.heardAt = performance.now();
    this.rejoin();
    this.host.requestUpdate();
  };

  private cut = (): void => {
    this.part();
    this.cutSince ??= this.now;
    this.host.requestUpdate();
  };

  /** Somebody looks again: the tablet may have slept, and its steady clock with it. */
  private seen = (): void => {
    if (document.hidden) return;
    const slept = Math.max(0, this.clockStep());
    this.serverNow += slept / 1000;
    this.heardAt -= slept;
    this.rejoin();
  };

  /** Milliseconds by which the tablet's two clocks have parted since this was asked; 0 if by few. */
  private clockStep(): number {
    const step = Date.now() - performance.now() - this.clocks;
    if (Math.abs(step) < CLOCK_STEP * 1000) return 0;
    this.clocks += step;
    return step;
  }

  private rejoin = (): void => {
    this.part();
    this.check();
  };

  /** Subscribe if that is wanted, possible and not done. */
  private check(): void {
    const { wanted, joined } = this;
    if (!wanted || !this.isInPage) return;
    if (joined && (joined.deviceId !== wanted.deviceId || joined.names !== wanted.names)) {
      this.part();
    }
    if (this.joined) return;
    const { config, connection } = wanted.hass;
    if (!connection.connected) {
      this.cutSince ??= this.now;
    } else if (!config.components.includes(DOMAIN)) {
      // After a restart, Home Assistant answers before this integration is there.
      this.refuse({ code: UNKNOWN_COMMAND });
    } else if (!this.retryTimer) {
      this.join(wanted);
    }
  }

  private join(wanted: Wanted): void {
    let isOver = false;
    let unsubscribe: (() => Promise<void>) | undefined;
    this.joined = wanted;
    this.askedAt = performance.now();
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
        { type: "lrs_pager/subscribe", names, device_id: deviceId || undefined },
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
          this.refuse(error as CommandError);
          this.retryTimer = setTimeout(this.rejoin, this.retry * 1000);
          this.retry = Math.min(2 * this.retry, LAST_RETRY);
        },
      );
  }

  private refuse(error: CommandError): void {
    this.part();
    this.refusal = error;
    this.hear();
    this.host.requestUpdate();
  }

  private part(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.leave?.();
    this.leave = this.joined = undefined;
  }

  private take(snapshot: Snapshot): void {
    // Nor those of one that was removed for those of the only one that is there now.
    if (this.snapshot?.entry_id !== snapshot.entry_id) this.sessions = undefined;
    const before = this.sessions;
    if (this.snapshot?.link.state !== snapshot.link.state) this.stateAt = performance.now();
    this.snapshot = snapshot;
    this.refusal = undefined;
    this.serverNow = snapshot.now;
    this.steadyAt = performance.now();
    this.clocks = Date.now() - performance.now();
    this.hear();
    if (snapshot.sessions) {
      this.sessions = recognise(before ?? [], snapshot.sessions);
      this.told(this.sessions, before);
    }
    // Nothing more is told of this one; but it may be added again, or another be the only one now.
    if (snapshot.link.state === "removed") {
      this.retryTimer = setTimeout(this.rejoin, this.retry * 1000);
    }
    this.host.requestUpdate();
  }

  /** Home Assistant has just been heard. */
  private hear(): void {
    const now = performance.now();
    const silence = now - Math.max(this.heardAt, this.askedAt);
    this.heardAt = now;
    if (this.cutSince !== undefined) {
      this.cutSince = undefined;
      this.host.requestUpdate();
    }
    // What was sent before a silence comes after it, with the time as it was then.
    if (silence > STALL * 1000 && this.joined && !document.hidden) this.rejoin();
  }

  /** See whether Home Assistant is still there, and whether the tablet's clocks agree. */
  private ping(): void {
    if (!this.joined || document.hidden) return;
    const { connection } = this.joined.hass;
    if (this.clockStep()) this.rejoin();
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
