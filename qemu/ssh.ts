/** A real ssh(1) against a guest: keys, a port of this machine's loopback that leads into it, sessions. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SshWishes } from "../src/image/ssh/part.ts";
import { run } from "./host.ts";

/** Keys of a person and of a guest, in files. */
export interface SshKeys extends SshWishes {
  /** The person's private key, one that may log in, and a stranger's. */
  readonly private: string;
  readonly stranger: string;
  /** The guest's fingerprint, as ssh shows it. */
  readonly fingerprint: string;
  readonly knownHosts: string;
}

/** Makes them in `dir`. */
export async function makeSshKeys(dir: string, name = "127.0.0.1"): Promise<SshKeys> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const [mine = "", stranger = "", host = ""] = ["mine", "stranger", "host"].map((file) => join(dir, file));
  for (const file of [mine, stranger, host])
    await run(["sh", "-c", 'rm -f "$0" "$0.pub"; ssh-keygen -q -t ed25519 -N "" -C test -f "$0"', file]);
  const [type = "", blob = ""] = (await Bun.file(`${host}.pub`).text()).split(" ");
  const knownHosts = join(dir, "known_hosts");
  // A port other than 22 stands behind it; any will do.
  writeFileSync(knownHosts, `${name},[${name}]:* ${type} ${blob}\n`);
  const [, fingerprint = ""] = (await run(["ssh-keygen", "-lf", `${host}.pub`])).split(" ");
  return {
    authorizedKeys: [`${mine}.pub`],
    hostKeys: [host],
    private: mine,
    stranger,
    fingerprint,
    knownHosts,
  };
}

/** QEMU's arguments for a card in its own network, where connections to `port` here reach port 22 of the guest. */
export function forwardedCard(port: number): string[] {
  return [
    ...["-netdev", `user,id=net0,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...["-device", "virtio-net-pci,netdev=net0,romfile="],
  ];
}

/** The arguments of ssh that a person would need for this guest, without the command. */
export function sshArguments(keys: SshKeys, port: number, key = keys.private): string[] {
  return [
    ...["-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"],
    ...["-o", `UserKnownHostsFile=${keys.knownHosts}`, "-o", "GlobalKnownHostsFile=none"],
    ...["-o", "StrictHostKeyChecking=yes", "-o", "HostKeyAlias=127.0.0.1", "-o", "LogLevel=VERBOSE"],
    ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-p", String(port), "root@127.0.0.1"],
  ];
}

/** One ssh, running. */
export class SshSession {
  private readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  private said = "";
  private seen = 0;
  private wake: (() => void) | undefined;
  private readonly drained: Promise<unknown>;

  /** @param args those of sshArguments() and what stands behind them */
  constructor(args: readonly string[], options: readonly string[] = []) {
    this.child = Bun.spawn(["ssh", ...options, ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.drained = Promise.all([this.read(this.child.stdout), this.read(this.child.stderr)]);
  }

  /** All that it printed so far, carriage returns left out. */
  get text(): string {
    return this.said.replaceAll("\r", "");
  }

  /** Waits for these words behind those that were waited for before. @throws Error with what was said, in the end or when it takes too long */
  async expect(words: string, timeout_ms = 60_000): Promise<void> {
    const deadline = performance.now() + timeout_ms;
    const ended = this.child.exited.then(() => this.drained);
    let isOver = false;
    void ended.then(() => (isOver = true));
    for (;;) {
      const at = this.text.indexOf(words, this.seen);
      if (at >= 0) {
        this.seen = at + words.length;
        return;
      }
      const left_ms = deadline - performance.now();
      if (left_ms <= 0 || isOver)
        throw new Error(`ssh did not say ${JSON.stringify(words)}, but:\n${this.text}`);
      await Promise.race([new Promise<void>((resolve) => (this.wake = resolve)), ended, Bun.sleep(left_ms)]);
    }
  }

  send(bytes: string | Uint8Array): void {
    void this.child.stdin.write(bytes);
    void this.child.stdin.flush();
  }

  /** Ends standard input. */
  close(): void {
    void this.child.stdin.end();
  }

  /** Its exit status. ssh(1) itself fails with 255. Killed and told when it takes longer. */
  async status(timeout_ms = 60_000): Promise<number> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeout_ms);
    const status = await this.child.exited;
    clearTimeout(timer);
    await this.drained;
    return status;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.said += decoder.decode(chunk, { stream: true });
      this.wake?.();
    }
  }
}
