/**
 * rd.iscsi.firmware: the disks of iSCSI that the firmware has booted from. The kernel's module iscsi_ibft shows its table as
 * /sys/firmware/ibft/target0, 1 …, a file for each field (Documentation/ABI/testing/sysfs-ibft; the values are in
 * drivers/firmware/iscsi_ibft.c).
 */

import type { Syscalls } from "../../../syscalls/index.ts";
import { isUnspecified, normalAddress } from "../../network/address.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";
import type { NetMeans } from "./means.ts";
import type { IscsiSettings } from "./settings.ts";
import type { IscsiDisk } from "./types.ts";

/** The disks of the firmware's table, in its order. A warning says when there are none. */
export async function firmwareDisks(means: NetMeans, settings: IscsiSettings): Promise<IscsiDisk[]> {
  if (!settings.firmware) return [];
  const { sys, log } = means.boot;
  await means.loadModules(["iscsi_ibft"]);
  const disks = targetsOf(sys).flatMap((files) => readTarget(files, settings) ?? []);
  if (disks.length === 0)
    log.warning("rd.iscsi.firmware: the firmware tells of no target of iSCSI (/sys/firmware/ibft).");
  return disks;
}

/** The files of a target that count; a missing one is undefined. */
export type TargetFiles = Readonly<Partial<Record<(typeof FILES)[number], string>>>;

/** The disk that a target of the table stands for; undefined for one that is not valid or names nothing. */
export function readTarget(
  files: TargetFiles,
  { context }: Pick<IscsiSettings, "context">,
): IscsiDisk | undefined {
  const server = normalAddress(files["ip-addr"] ?? "");
  const target = files["target-name"];
  const isValid = (Number(files.flags) & VALID) !== 0;
  if (!isValid || server === undefined || isUnspecified(server) || target === undefined) return undefined;
  const port = Number(files.port);
  const { group = 1, login } = context.iscsi;
  return {
    kind: "iscsi",
    server,
    port: port > 0 && port < 65_536 ? port : 3260,
    lun: readLun(files.lun ?? ""),
    group,
    target,
    netdev: undefined,
    login: {
      user: login.user ?? files["chap-name"],
      password: login.password ?? files["chap-secret"],
      userIn: login.userIn ?? files["rev-chap-name"],
      passwordIn: login.passwordIn ?? files["rev-chap-name-secret"],
    },
  };
}

// Eight bytes, each as hexadecimal digits without a zero in front: the second is the number of most disks (SAM-5, 4.7.7.2).
function readLun(written: string): number {
  return Number.parseInt(/^0([0-9a-f]{1,2})0{6}$/.exec(written)?.[1] ?? "0", 16);
}

function targetsOf(sys: Syscalls): TargetFiles[] {
  const numbers = namesIn(sys, DIRECTORY).flatMap((name) => /^target(\d+)$/.exec(name)?.[1] ?? []);
  const inOrder = numbers.toSorted((one, other) => Number(one) - Number(other));
  return inOrder.map((number) => {
    const fields = FILES.map((file) => [
      file,
      readAttribute(sys, `${DIRECTORY}/target${number}/${file}`)?.trim(),
    ]);
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined && value !== ""));
  });
}

const DIRECTORY = "/sys/firmware/ibft";
const VALID = 1;

const FILES = [
  "flags",
  "ip-addr",
  "port",
  "lun",
  "target-name",
  "chap-name",
  "chap-secret",
  "rev-chap-name",
  "rev-chap-name-secret",
] as const;
