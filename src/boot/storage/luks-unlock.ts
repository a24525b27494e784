/** Opens one encrypted volume by cryptsetup: with a token, a key file or a passphrase. */

import {
  type Fd,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_RDONLY,
  O_WRONLY,
  type Syscalls,
  writeAll,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { namesIn } from "../devices/attributes.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { ChildResult, runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { isOfLuks, listDmDevices, openedLuks, publishDmDevices } from "./dm-nodes.ts";
import type { StorageContext } from "./layer.ts";
import { type KeySource, type Opened, planOpen, readAnswer } from "./luks-command.ts";
import { readLuksHeader } from "./luks-header.ts";
import { lackOfMemory } from "./luks-machine.ts";
import { type Reach, usualKey, withPlace } from "./luks-places.ts";
import { type Tracked, type VolumeStates, titleOf } from "./luks-states.ts";
import { TPM_TOKEN, tokensForPlugins, usableTokens, waitForTpm } from "./luks-tokens.ts";

/** What opening a volume takes. */
export interface Workshop {
  readonly boot: Boot;
  readonly context: StorageContext;
  readonly devices: BlockDevices;
  readonly states: VolumeStates;
  /** Ends waits for the devices of keys and headers. */
  readonly signal: AbortSignal;
  readonly run: typeof runChild;
}

/** The key's derivation alone may take a minute on a slow machine. */
const deadline_ms = 300_000;

/** Reads the header, and loads what the kernel needs for it. */
export async function prepare(shop: Workshop, one: Tracked): Promise<void> {
  const { boot, context } = shop;
  one.header = await withHeader(shop, one, (header) => readLuksHeader(boot.sys, header ?? one.volume.node));
  await context.loadModules(["dm_mod", "dm_crypt", "algif_skcipher", ...(one.header?.modules ?? [])]);
  const lack = lackOfMemory(boot.sys, one.header?.memory_kib ?? 0);
  if (lack !== undefined)
    boot.log.warning(
      `${titleOf(one)} ${lack}; it is tried all the same. 'cryptsetup luksConvertKey --pbkdf-memory' lessens it.`,
    );
}

/**
 * True when the volume is open, which is noted then: somebody else or an earlier try of the boot has opened it, or another
 * disk that holds a copy of it is open.
 */
export function isFoundOpen({ boot: { sys, log }, states }: Workshop, one: Tracked): boolean {
  const { uuid, name } = one.volume;
  const opened =
    uuid === undefined
      ? listDmDevices(sys).find((other) => other.name === name && isOfLuks(other.uuid))
      : openedLuks(sys, uuid);
  if (opened === undefined) return false;
  const below = namesIn(sys, `/sys/class/block/${opened.kernelName}/slaves`);
  const twin = states.all().find(({ volume }) => volume.uuid === uuid && below.includes(volume.device));
  if (twin !== undefined && twin !== one)
    log.warning(
      `${titleOf(one)} has the UUID of ${text(twin.volume.device)}, which is open, and stays closed.`,
    );
  states.set(one, "open");
  return true;
}

/** Tries the volume's own tokens, once the chip for them is there. True when it is open; a word says why not. */
export async function openByToken(shop: Workshop, one: Tracked): Promise<boolean> {
  const { sys, log } = shop.boot;
  const tokens = tokensForPlugins(one.header?.tokens ?? []);
  if (one.volume.options.tpm !== undefined && !tokens.includes(TPM_TOKEN))
    log.notice(`${titleOf(one)} has no token for a TPM; 'systemd-cryptenroll --tpm2-device=auto' makes one.`);
  if (tokens.length === 0) return false;
  const packed = usableTokens(sys, tokens);
  const usable = packed.filter((type) => one.header?.pins.includes(type) !== true);
  const lack = usable.includes(TPM_TOKEN) ? await tpmIsThere(shop, one) : undefined;
  if (shop.signal.aborted) return false;
  const able = usable.filter((type) => type !== TPM_TOKEN || lack === undefined);
  const opened = able.length > 0 ? await openVolume(shop, one, { kind: "tokens" }) : undefined;
  if (opened?.kind === "opened") return true;
  const none =
    packed.length === 0 ? "the image has no plugin for it" : "it takes a PIN, which is not asked for";
  const why = opened === undefined ? (lack ?? none) : whyNoToken(opened, able);
  log.notice(`${titleOf(one)} is not opened by its token (${tokens.map(text).join(", ")}): ${why}.`);
  return false;
}

/** Tries the key file, when there is one. True when the volume is open; a warning says why not. */
export async function openByKeyFile(shop: Workshop, one: Tracked): Promise<boolean> {
  const { name, options } = one.volume;
  const key = one.volume.key ?? usualKey(shop.boot.sys, name);
  if (key === undefined) return false;
  const opened = await withPlace(reach(shop, one, "its key on"), key, options.keyTimeout_ms, (path) =>
    openVolume(shop, one, { kind: "file", path, flags: options.keyFlags }),
  );
  if (typeof opened === "object" && opened.kind === "opened") return true;
  if (!shop.signal.aborted)
    shop.boot.log.warning(`${titleOf(one)} was not opened by its key file: ${whyNot(opened)}.`);
  return false;
}

/** Runs cryptsetup once. */
export async function openVolume(
  shop: Workshop,
  one: Tracked,
  key: KeySource,
  passphrase?: Uint8Array,
): Promise<Opened> {
  const { sys, log } = shop.boot;
  const { node, name, options } = one.volume;
  const result = await withHeader(shop, one, (header) =>
    runCryptsetup(shop, one, planOpen({ node, name, flags: options.flags, header, key }), passphrase),
  );
  if (result === undefined) return { kind: "failed", why: "can't be opened without its header" };
  const answer = readAnswer(result);
  if (answer.kind !== "opened") return answer;
  for (const problem of publishDmDevices(sys)) log.warning(problem);
  log.info(`opened ${titleOf(one)}`);
  shop.states.set(one, "open");
  return answer;
}

function whyNoToken(opened: Exclude<Opened, { kind: "opened" }>, tried: readonly string[]): string {
  if (opened.kind === "wrong key") return "the key in it is not the volume's";
  const why = opened.said === undefined ? `it ${opened.why}` : `cryptsetup said: ${opened.said}`;
  if (!tried.includes(TPM_TOKEN)) return why;
  return (
    `${why}. The TPM is another, or what it measures at a boot has changed: ` +
    "'systemd-cryptenroll --wipe-slot=tpm2 --tpm2-device=auto' with the device of the volume makes a new token"
  );
}

// Undefined when it is, or a clause about why not.
function tpmIsThere({ boot, context, devices, signal, states }: Workshop, one: Tracked) {
  const { tpm, tokenTimeout_ms } = one.volume.options;
  return waitForTpm({
    ...{ sys: boot.sys, context, devices, signal },
    ...{ tpm, timeout_ms: tokenTimeout_ms },
    waiting: (clause) => states.wait(one, clause),
  });
}

function whyNot(opened: Opened | string): string {
  if (typeof opened === "string") return opened;
  return opened.kind === "failed" ? `it ${opened.why}` : "the key is wrong";
}

async function runCryptsetup(
  { boot, run }: Workshop,
  one: Tracked,
  argv: readonly string[],
  passphrase: Uint8Array | undefined,
): Promise<ChildResult> {
  const request = {
    argv,
    name: "cryptsetup",
    title: `cryptsetup for ${titleOf(one)}`,
    env: { DM_DISABLE_UDEV: "1", LC_ALL: "C" },
    show: "never",
    deadline_ms,
  } as const;
  if (passphrase === undefined) return run(boot, request);
  return withFileOf(boot.sys, passphrase, (stdin) => run(boot, { ...request, stdin }));
}

/** Calls `use` with a file in memory that holds the bytes, which are overwritten then; those in a pipe could not be. */
async function withFileOf<T>(sys: Syscalls, bytes: Uint8Array, use: (fd: Fd) => Promise<T>): Promise<T> {
  const file = sys.memfd("passphrase", MFD_CLOEXEC);
  const open = (flags: number): Fd => sys.open(`/proc/self/fd/${file}`, flags | O_CLOEXEC);
  try {
    writeAll(sys, file, bytes);
    const reader = open(O_RDONLY);
    try {
      return await use(reader);
    } finally {
      sys.close(reader);
      const eraser = open(O_WRONLY);
      writeAll(sys, eraser, new Uint8Array(bytes.length));
      sys.close(eraser);
    }
  } finally {
    sys.close(file);
  }
}

/** Calls `use` with the path of the header, undefined when it is on the volume; not at all when it is not there. */
async function withHeader<T>(
  shop: Workshop,
  one: Tracked,
  use: (path: string | undefined) => Promise<T>,
): Promise<T | undefined> {
  const { header, options } = one.volume;
  if (header === undefined) return use(undefined);
  const reached = await withPlace<{ value: T }>(
    reach(shop, one, "its header on"),
    header,
    options.keyTimeout_ms,
    async (path) => ({ value: await use(path) }),
  );
  if (typeof reached === "object") return reached.value;
  shop.states.fail(one, `stays closed, as its header is missing: ${reached}`);
  return undefined;
}

function reach({ boot, context, devices, signal, states }: Workshop, one: Tracked, what: string): Reach {
  return {
    boot,
    context,
    devices,
    signal,
    waiting: (clause) => states.wait(one, clause === undefined ? undefined : `${what} ${clause}`),
  };
}
