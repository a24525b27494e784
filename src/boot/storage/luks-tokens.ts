/**
 * The tokens of LUKS2 volumes: which of them the image can use, and the chip that holds a key.
 *
 * A token is used by the plugin that is named for its type (cryptsetup's lib/luks2/luks2_token.c). That of systemd for
 * a TPM takes the one chip that there is and does not wait for it, so it is waited for here, as systemd-cryptsetup does.
 */

import type { Syscalls } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { isThere, namesIn } from "../devices/attributes.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { StorageContext } from "./layer.ts";
import { awaitDevice } from "./luks-await.ts";

/** What systemd-cryptenroll(1) makes for a TPM. */
export const TPM_TOKEN = "systemd-tpm2";

/** Those of `types` that cryptsetup opens without asking: by a plugin of the image. */
export function usableTokens(sys: Syscalls, types: readonly string[]): string[] {
  const directories = [
    "/usr/lib",
    "/usr/lib64",
    ...namesIn(sys, "/usr/lib").map((name) => `/usr/lib/${name}`),
  ];
  const plugins = new Set(directories.flatMap((directory) => namesIn(sys, `${directory}/cryptsetup`)));
  return types.filter((type) => plugins.has(`libcryptsetup-token-${type}.so`));
}

/** Those of `types` that nothing but a plugin opens: others name a key of the kernel's, or are notes for people. */
export function tokensForPlugins(types: readonly string[]): string[] {
  return types.filter((type) => type !== "luks2-keyring" && type !== "systemd-recovery");
}

export interface TpmWait {
  readonly sys: Syscalls;
  readonly context: StorageContext;
  readonly devices: Pick<BlockDevices, "changed">;
  /** What tpm2-device= says: its node, or the one that there is; undefined when nobody has asked for one. */
  readonly tpm: string | "auto" | undefined;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
  readonly signal: AbortSignal;
  /** Is told what is waited for, a clause, and undefined when that is over. */
  readonly waiting: (clause: string | undefined) => void;
}

/**
 * Waits for the TPM, when somebody has asked for it or the firmware tells of one: its driver may come late. Undefined
 * when it is there, else a clause about why it is not.
 */
export async function waitForTpm(wait: TpmWait): Promise<string | undefined> {
  const { sys, context, tpm = "auto", timeout_ms } = wait;
  const look = async (): Promise<true | undefined> => hasTpm(sys, tpm) || undefined;
  if (await look()) return undefined;
  await context.loadModules(TPM_MODULES);
  const expected = wait.tpm !== undefined || isThere(sys, FIRMWARE_TABLE);
  const clause = tpm === "auto" ? "a TPM" : `the TPM ${text(tpm)}`;
  if (expected ? await awaitDevice({ ...wait, look, clause }) : await look()) return undefined;
  if (!expected || timeout_ms === undefined) return "this machine has no TPM";
  return `${tpm === "auto" ? "no TPM appeared" : `${clause} did not appear`} within ${timeout_ms / 1000} s`;
}

// Those that go through the kernel's resource manager, as the plugin looks for them.
function hasTpm(sys: Syscalls, tpm: string | "auto"): boolean {
  const nodes = tpm === "auto" ? namesIn(sys, "/sys/class/tpmrm").map((name) => `/dev/${name}`) : [tpm];
  return nodes.some((node) => isThere(sys, node));
}

/** Those for chips whose bus has no names for devices; others are loaded as such a device appears. */
const TPM_MODULES: readonly string[] = ["tpm_crb", "tpm_tis"];

/** TCG ACPI Specification: every PC with a TPM 2.0 has it. */
const FIRMWARE_TABLE = "/sys/firmware/acpi/tables/TPM2";
