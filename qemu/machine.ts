/** A guest in QEMU: started, spoken to, and ended for certain. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { Console } from "./console.ts";
import { deviceOptions, diskArguments, driveOptions, needsSlot } from "./devices.ts";
import type { Disk, DiskInterface } from "./devices.ts";
import { type Firmware, firmwareArguments } from "./firmware.ts";
import { type Card, cardArguments } from "./network/cards.ts";
import { Qmp } from "./qmp.ts";
import { startTpm } from "./tpm.ts";

export interface MachineOptions {
  /** Names the log, build/logs/NAME.log: one name for each machine of a test file. */
  readonly name: string;
  /** What QEMU loads itself; left out when `firmware` finds something on a disk. */
  readonly kernel?: string;
  readonly initrd?: string;
  /** Kernel parameters behind "console=ttyS0" and what a busy host needs. */
  readonly append?: string;
  /** An EFI firmware instead of QEMU's own BIOS. */
  readonly firmware?: Firmware;
  readonly disks?: readonly Disk[];
  /** An entry for each disk that plugDisk() will plug in later. */
  readonly hotplug?: readonly DiskInterface[];
  /** Gives it a TPM, whose state is in this folder and is written to (tpm.ts). */
  readonly tpm?: string;
  /** 512 when left out. */
  readonly memory_mb?: number;
  /** 1 when left out. */
  readonly cpus?: number;
  /** Network cards; none when left out. */
  readonly cards?: readonly Card[];
  /** More arguments of QEMU. */
  readonly arguments?: readonly string[];
  /** After this long from the start QEMU is killed, whatever it does; 60000 when left out. */
  readonly timeout_ms?: number;
  /**
   * One guest instruction is one nanosecond of guest time: every run is the same, and none is fast. One CPU.
   */
  readonly deterministic?: boolean;
}

/** How a machine ended. */
export interface MachineEnd {
  readonly how: "powered off" | "rebooted" | "panicked" | "quit" | "timed out" | "failed";
  /** A sentence with QEMU's own words where it said any. */
  readonly detail: string;
}

/** SHUTDOWN's `reason` (QEMU's qapi/run-state.json) in our words; -no-reboot makes a reset one of them. */
const REASONS: Readonly<Record<string, MachineEnd["how"]>> = {
  "guest-shutdown": "powered off",
  "guest-reset": "rebooted",
  "guest-panic": "panicked",
  "host-qmp-quit": "quit",
  "host-qmp-system-reset": "quit",
};

export class Machine {
  readonly console: Console;
  readonly qmp: Qmp;
  readonly pid: number;
  /** Settles when QEMU is gone; never rejects. */
  readonly ended: Promise<MachineEnd>;
  private plugged = 0;
  private slots = 0;

  /** Made by startMachine(). */
  constructor(console: Console, qmp: Qmp, pid: number, ended: Promise<MachineEnd>) {
    this.console = console;
    this.qmp = qmp;
    this.pid = pid;
    this.ended = ended;
  }

  /** Ends the machine now, if it still runs, and waits until it is gone. */
  async stop(): Promise<MachineEnd> {
    await this.qmp.quit().catch(() => undefined);
    return this.ended;
  }

  /** `await using machine = await startMachine(...)` ends it with its scope, however that is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Waits for the end and throws Error with the end of the log when it is another one than `how`. */
  async expectEnd(how: MachineEnd["how"]): Promise<void> {
    const end = await this.ended;
    if (end.how !== how)
      throw new Error(this.console.failure(`${end.detail} It should have ${AUXILIARY[how]}`));
  }

  /**
   * Plugs a disk into the running machine, which was started with `hotplug` for it; returns the id that
   * unplugDisk() takes.
   */
  async plugDisk(disk: Disk): Promise<string> {
    const id = `plugged${this.plugged++}`;
    const answer = await this.qmp.monitor(`drive_add 0 ${driveOptions(disk, `${id}-drive`)}`);
    if (!answer.startsWith("OK"))
      throw new Error(`QEMU did not take ${disk.file} as a drive: ${answer.trim()}`);
    const bus = needsSlot(disk) ? `slot${this.slots++}` : undefined;
    const said = await this.qmp.monitor(`device_add ${deviceOptions(disk, id, `${id}-drive`, bus)}`);
    if (said.trim() !== "") throw new Error(`QEMU did not plug ${disk.file} in: ${said.trim()}`);
    return id;
  }

  /**
   * Pulls a disk out and waits until the guest has let go of it. Disks from the start are "disk0", "disk1"
   * and so on.
   */
  async unplugDisk(id: string, timeout_ms: number): Promise<void> {
    const gone = this.qmp.waitFor("DEVICE_DELETED", timeout_ms, (data) => data["device"] === id);
    await Promise.all([gone, this.qmp.execute("device_del", { id })]);
  }

  /** Pulls the cable of a card out, or puts it in: the guest loses and gets its carrier. */
  async plugCable(card: number, up: boolean): Promise<void> {
    await this.qmp.execute("set_link", { name: `net${card}`, up });
  }
}

const AUXILIARY: Readonly<Record<MachineEnd["how"], string>> = {
  "powered off": "powered off",
  rebooted: "rebooted",
  panicked: "panicked",
  quit: "been ended by the test",
  "timed out": "timed out",
  failed: "failed",
};

/** The arguments of QEMU for a machine, without its sockets. */
export function machineArguments(options: MachineOptions): string[] {
  const deterministic = options.deterministic === true;
  const append = ["console=ttyS0", ...(deterministic ? [] : UNHURRIED), options.append ?? ""]
    .join(" ")
    .trim();
  const { firmware, kernel } = options;
  return [
    ...["-machine", firmware?.secureBoot === true ? "q35,smm=on" : "q35"],
    ...["-cpu", "max", "-m", String(options.memory_mb ?? 512)],
    ...["-smp", String(deterministic ? 1 : (options.cpus ?? 1))],
    ...["-accel", deterministic ? "tcg,thread=single" : "tcg"],
    ...(deterministic ? DETERMINISM : []),
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-vga", "none"],
    ...(firmware === undefined ? [] : firmwareArguments(firmware)),
    ...(kernel === undefined ? [] : ["-kernel", kernel, "-append", append]),
    ...(options.initrd === undefined ? [] : ["-initrd", options.initrd]),
    ...diskArguments(options.disks ?? [], options.hotplug),
    ...cardArguments(options.cards ?? []),
    ...(options.arguments ?? []),
  ];
}

/**
 * Time counted in instructions, a clock that starts at a fixed date, and random numbers from a fixed seed.
 * With sleep=off an idle guest's clock would leap to its next timer while the host still reads the disk, by
 * up to 16 ms at a time; with sleep=on such a wait counts what it takes the host, some 50 microseconds.
 */
const DETERMINISM = [
  ...["-icount", "shift=0,sleep=on"],
  ...["-rtc", "base=2024-01-01T00:00:00,clock=vm"],
  ...["-seed", "1"],
];

/**
 * The kernel panics ("IO-APIC + timer doesn't work!") when an emulated timer is late because the host is busy. It
 * leaves that check out by itself under hypervisors that it knows.
 */
const UNHURRIED = ["no_timer_check"];

/** Starts QEMU. Throws UserError when it is missing; that it ended early is told by console and `ended`. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const program = Bun.which("qemu-system-x86_64");
  if (program === null)
    throw new UserError("The program 'qemu-system-x86_64' is missing.", "'make setup-run' installs it.");
  const dir = mkdtempSync(join(tmpdir(), "rdinit-qemu-"));
  const tpm = options.tpm === undefined ? undefined : await startTpm(options.tpm, dir);
  const toConsole = new Channel();
  const toQmp = new Channel();
  const console = new Console(options.name, (bytes) => toConsole.write(bytes));
  const qmp = new Qmp((text) => toQmp.write(Buffer.from(text)));
  // We listen and QEMU connects: nothing is lost before the connection, and nobody waits for a file to
  // appear.
  toConsole.listen(join(dir, "console"), (bytes) => console.feed(bytes));
  toQmp.listen(join(dir, "qmp"), (bytes) => qmp.feed(bytes));
  const sockets = [
    ...["-chardev", `socket,id=console,path=${join(dir, "console")}`, "-serial", "chardev:console"],
    ...["-chardev", `socket,id=qmp,path=${join(dir, "qmp")}`, "-mon", "chardev=qmp,mode=control"],
    ...(tpm?.arguments ?? []),
  ];
  // Should this process be killed, QEMU goes with it.
  const child = Bun.spawn(
    ["setpriv", "--pdeathsig=KILL", program, ...machineArguments(options), ...sockets],
    {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const timeout_ms = options.timeout_ms ?? 60_000;
  let timedOut = false;
  const killer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeout_ms);
  const finish = async (): Promise<MachineEnd> => {
    const [stderr, status] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    clearTimeout(killer);
    await Promise.all([toConsole.close(), toQmp.close()]);
    const end = timedOut
      ? { how: "timed out" as const, detail: `The machine was killed after ${timeout_ms} ms.` }
      : describeEnd(qmp, status, stderr.trim());
    console.end(end.detail.replace(/\.$/, ""));
    qmp.close();
    tpm?.end();
    rmSync(dir, { recursive: true, force: true });
    return end;
  };
  return new Machine(console, qmp, child.pid, finish());
}

function describeEnd(qmp: Qmp, status: number | null, stderr: string): MachineEnd {
  const shutdown = qmp.events.findLast((event) => event.event === "SHUTDOWN");
  const reason = String(shutdown?.data["reason"] ?? "");
  const how = Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined;
  if (how !== undefined)
    return { how, detail: `The machine ended: ${how === "quit" ? "the test ended it" : how}.` };
  const words = stderr === "" ? "" : ` and said: ${stderr}`;
  return { how: "failed", detail: `QEMU ended with status ${status}${reason && ` (${reason})`}${words}.` };
}

/** One end of a socket that QEMU connects to; what is written before it has connected is kept. */
class Channel {
  private server: Bun.UnixSocketListener<undefined> | undefined;
  private socket: Bun.Socket<undefined> | undefined;
  private queue: Uint8Array[] = [];
  private readonly drained = Promise.withResolvers<void>();

  listen(path: string, take: (bytes: Uint8Array) => void): void {
    this.server = Bun.listen<undefined>({
      unix: path,
      socket: {
        open: (socket) => {
          this.socket = socket;
          this.flush();
        },
        data: (_, bytes) => take(bytes),
        drain: () => this.flush(),
        close: () => this.drained.resolve(),
        error: () => this.drained.resolve(),
      },
    });
  }

  write(bytes: Uint8Array): void {
    this.queue.push(bytes);
    this.flush();
  }

  /** QEMU is gone: takes what it still sent, then closes. */
  async close(): Promise<void> {
    if (this.socket !== undefined) await this.drained.promise;
    this.server?.stop(true);
  }

  private flush(): void {
    while (this.socket !== undefined) {
      const first = this.queue[0];
      if (first === undefined) return;
      const written = Math.max(0, this.socket.write(first));
      if (written < first.length) {
        this.queue[0] = first.subarray(written);
        return;
      }
      this.queue.shift();
    }
  }
}
