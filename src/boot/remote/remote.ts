/**
 * Remote unlock: while a passphrase is asked for, dropbear(8) lets those in who have a key, and what they get is the
 * question (src/unlock). A chunk of its own (boot/parts.ts), for boots that have it (on-demand.ts).
 *
 * The network is begun when an encrypted volume was met, dropbear when somebody is to be asked; with rd.ssh.shell=1 also
 * when the boot has failed. Before and after that nothing listens.
 */

import { SIGHUP, SIGKILL, SIGTERM, SysError, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { type Daemon, startDaemon } from "../children/daemon.ts";
import { processesBelow } from "../handover/processes.ts";
import { Desk } from "../prompt/desk.ts";
import { hasShell } from "../rescue/rescue.ts";
import { reachableAddresses } from "./addresses.ts";
import { planDropbear, readDropbear } from "./dropbear.ts";
import { type FoundKey, findKeys } from "./image.ts";
import { type Answers, type RemoteNetwork, patience_ms, tellFailure } from "./on-demand.ts";
import { mountPts, tellTerminals } from "./pts.ts";
import { type RemoteSettings, readRemoteSettings } from "./settings.ts";

export class Remote implements Answers {
  private readonly boot: Boot;
  readonly desk: Desk;
  private readonly settings: RemoteSettings;
  private readonly failed = Promise.withResolvers<void>();
  private readonly ending = Promise.withResolvers<void>();
  private dropbear: Daemon | undefined;
  private takePtsAway: (() => void) | undefined;
  private running: Promise<void> | undefined;
  private hasEnded = false;

  constructor(boot: Boot) {
    this.boot = boot;
    this.desk = new Desk(boot.sys, boot.log);
    this.settings = readRemoteSettings(boot.words).settings;
    this.desk.shellObstacle = () => this.shellObstacle();
  }

  start(network: RemoteNetwork): void {
    if (this.running !== undefined) return;
    this.running = this.run(network).catch((error: unknown) =>
      this.boot.log.warning(`Nobody can unlock over SSH: ${describe(error)}.`),
    );
  }

  fail(words: string, again?: string): void {
    const shell = this.running !== undefined && this.shellObstacle() === undefined;
    const way = shell ? ["'ssh -t' with sh behind it gives a shell."] : [];
    tellFailure(this.desk, words, again, ...way);
    if (!shell) return;
    this.desk.open();
    this.failed.resolve();
  }

  /** Nothing more is asked: tells the sessions, ends them and dropbear. Never throws. */
  async end(words: string): Promise<void> {
    this.hasEnded = true;
    this.ending.resolve();
    const { boot, dropbear } = this;
    const { sys, log } = boot;
    await this.running;
    const sessions = dropbear === undefined ? [] : processesBelow(sys, dropbear.pid);
    // Nobody new comes in; its sessions are processes of their own.
    await dropbear?.end();
    await this.desk.end(words, patience_ms);
    const all = sessions.map(({ pid }) => pid);
    await this.gone(all);
    if (all.some((pid) => isThere(sys, pid))) {
      tellTerminals(sys, `rdinit: ${words} This session ends.`);
      // What runs in a session ends first, so that its last words get through.
      const inner = sessions.filter(({ parent }) => parent !== dropbear?.pid).map(({ pid }) => pid);
      await this.endAll(inner, SIGHUP);
      await this.gone(all);
      for (const signal of [SIGTERM, SIGKILL]) await this.endAll(all, signal);
    }
    try {
      this.takePtsAway?.();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      log.warning(`/dev/pts is left as it is: ${describe(error)}.`);
    }
    this.takePtsAway = undefined;
    if (dropbear !== undefined) log.info("SSH has ended: nothing listens any more");
  }

  private async run(network: RemoteNetwork): Promise<void> {
    const { boot, desk, settings } = this;
    const keys = findKeys(boot.sys);
    if (typeof keys === "string") {
      boot.log.warning(`Nobody can unlock over SSH: ${keys}.`);
      return;
    }
    const { expected, asked } = desk.events;
    const over = this.ending.promise;
    await Promise.race([expected, this.failed.promise, over]);
    if (this.hasEnded) return;
    network.start("remote unlock");
    await Promise.race([asked, this.failed.promise, over]);
    if (this.hasEnded) return;
    await Promise.race([this.untilReachable(network), over]);
    if (this.hasEnded) return;
    this.listen(keys, settings.port);
  }

  // Once the network has failed, any address that comes all the same will do.
  private async untilReachable(network: RemoteNetwork): Promise<void> {
    try {
      await network.up();
      return;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (this.hasEnded) return;
      this.boot.log.warning(
        `Nobody can unlock over SSH as long as the network is not there. ${error.message}`,
      );
    }
    for (;;) {
      // Asked for before the look, and anew each time: one that has come would be taken for the next for ever.
      const changed = network.changed();
      if (this.hasEnded || reachableAddresses(this.boot.sys).length > 0) return;
      await changed;
    }
  }

  private listen(keys: readonly FoundKey[], port: number): void {
    const { boot } = this;
    const { log } = boot;
    this.takePtsAway = mountPts(boot.sys);
    const daemon = startDaemon(boot, {
      argv: planDropbear(
        port,
        keys.map(({ path }) => path),
      ),
      name: "dropbear",
      title: "dropbear",
      show: "never",
      hear: (line) => {
        const event = this.hasEnded ? undefined : readDropbear(line);
        if (event?.kind === "listening") this.announce(keys, port);
        else if (event?.kind === "login") log.notice(event.words);
        else if (event?.kind === "problem") log.warning(event.words);
        else if (event?.kind === "refused") log.info(event.words);
        else log.debug(`dropbear: ${line}`);
      },
    });
    if (typeof daemon === "string") throw new UserError(`dropbear ${daemon}`);
    this.dropbear = daemon;
    void daemon.ended.then(() => {
      if (!this.hasEnded) log.warning("dropbear has ended: nobody can unlock over SSH any more.");
    });
  }

  private announce(keys: readonly FoundKey[], port: number): void {
    const at = reachableAddresses(this.boot.sys);
    const option = port === 22 ? "" : `-p ${port} `;
    const ways = at.length === 0 ? ["this machine"] : at.map((address) => `ssh ${option}root@${address}`);
    this.boot.log.notice(`unlock by: ${ways.join(" or ")}`);
    for (const { kind, fingerprint } of keys)
      this.boot.log.notice(`its host key: ${fingerprint} (${kind.toUpperCase()})`);
  }

  private shellObstacle(): string | undefined {
    if (!this.settings.shell) return "No shell is given over SSH. (rd.ssh.shell=1 would allow it.)";
    return hasShell(this.boot) ? undefined : "The image holds no shell.";
  }

  private async endAll(processes: readonly number[], signal: number): Promise<void> {
    for (const pid of processes) send(this.boot.sys, pid, signal);
    await this.gone(processes);
  }

  private async gone(processes: readonly number[]): Promise<void> {
    const { sys, reaper } = this.boot;
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), patience_ms);
    while (processes.some((pid) => isThere(sys, pid))) {
      reaper.reap();
      if ((await Promise.race([reaper.nextEnd(), late.promise])) === "late") break;
    }
    clearTimeout(timer);
  }
}

function isThere(sys: Syscalls, pid: number): boolean {
  return send(sys, pid, 0);
}

function send(sys: Syscalls, pid: number, signal: number): boolean {
  try {
    sys.kill(pid, signal);
    return true;
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}
