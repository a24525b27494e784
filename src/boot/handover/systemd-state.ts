/**
 * What systemd takes over from the early userspace: when it began, so that systemd-analyze(1) shows its share.
 *
 * systemd reads it where a systemd that left the root before it would have written it: from an open file that
 * `--deserialize` names (manager_deserialize() in src/core/manager-serialize.c, the same in 252 and in 2026). With
 * `--switched-root` it still does all that belongs to a first start (early_skip_setup_check() and
 * queue_default_job in src/core/main.c), and what such a file does not say keeps its default.
 */

import {
  type Fd,
  F_SETFD,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_RDONLY,
  type Syscalls,
  writeAll,
} from "../../../syscalls/index.ts";
import { toBytes } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { Word } from "../cmdline/cmdline.ts";
import type { Boot } from "../context.ts";
import { resolveInRoot } from "../mount/resolve.ts";
import { readSwitchWord } from "../cmdline/switch-word.ts";

/** As the help and the README show it (subsystems.ts). */
export const systemdParameters = [
  {
    name: "rd.systemd.timestamps",
    usage: "rd.systemd.timestamps=0|1",
    meaning:
      "whether systemd is told when the early userspace began, for systemd-analyze; any other init never is (default 1)",
  },
] as const;

/** The last word counts. Complaints are sentences. */
export function readSystemdSettings(words: readonly Word[]): { timestamps: boolean; complaints: string[] } {
  const { on, complaints } = readSwitchWord(words, systemdParameters[0], true);
  return { timestamps: on, complaints };
}

/**
 * The arguments to put in front of the kernel's own when `init`, a path in the root that is `/` by now, is systemd;
 * none for any other init. They name an open file, which survives the exec that follows: to be called last.
 * Never throws: a boot without timestamps is a boot.
 */
export function systemdArguments({ sys, log, words, legacy }: Boot, init: string): readonly string[] {
  try {
    if (!readSystemdSettings(words).timestamps || !isSystemd(sys, init)) return [];
    const fd = openState(sys, stateText(beginning(sys, legacy.started_ns)));
    return ["--switched-root", "--system", "--deserialize", String(fd)];
  } catch (error) {
    log.warning(`systemd is not told when the early userspace began: ${describe(error)}.`);
    return [];
  }
}

/** A moment, on both clocks. */
export interface Moment {
  /** CLOCK_REALTIME: since 1970. */
  readonly realtime_us: bigint;
  /** CLOCK_MONOTONIC: since the kernel's start. */
  readonly monotonic_us: bigint;
}

/** The state as systemd serializes it: one item, and the end of the file behind it. */
export function stateText({ realtime_us, monotonic_us }: Moment): string {
  return `initrd-timestamp=${realtime_us} ${monotonic_us}\n`;
}

// Where distributions install it: /usr/lib/systemd/systemd, /lib/systemd/systemd, in NixOS below /nix/store. A script
// that ends in an exec of it (NixOS's init) gets the kernel's own arguments, which it may read itself.
function isSystemd(sys: Syscalls, init: string): boolean {
  return resolveInRoot(sys, "/", init)?.endsWith("/systemd/systemd") === true;
}

// A machine that only just booted was never suspended, so the two clocks that count from its start are one. The clock
// of the date may have been set meanwhile: what it would have shown then is reckoned back from now.
function beginning(sys: Syscalls, started_ns: bigint | undefined): Moment {
  const now_us = sys.boottime() / 1000n;
  const runtime_us = BigInt(Math.round(performance.now() * 1000));
  const monotonic_us = started_ns === undefined ? now_us - runtime_us : started_ns / 1000n;
  return { realtime_us: BigInt(Date.now()) * 1000n - (now_us - monotonic_us), monotonic_us };
}

// Opened twice: what was written is read from its beginning.
function openState(sys: Syscalls, state: string): Fd {
  const fd = reopened(sys, state);
  sys.fcntl(fd, F_SETFD, 0);
  return fd;
}

function reopened(sys: Syscalls, state: string): Fd {
  const file = sys.memfd("systemd-state", MFD_CLOEXEC);
  try {
    writeAll(sys, file, toBytes(state));
    return sys.open(`/proc/self/fd/${file}`, O_RDONLY | O_CLOEXEC);
  } finally {
    sys.close(file);
  }
}
