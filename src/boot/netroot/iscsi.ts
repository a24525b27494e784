/** Attaches a disk of an iSCSI target, by iscsistart(8): the kernel keeps the session when that has ended. */

import { O_CREAT, O_TRUNC, O_WRONLY, type Syscalls, readTextIfThere } from "../../../syscalls/index.ts";
import { toBytes } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";
import type { runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { waitForDevices } from "../devices/wait-devices.ts";
import { type Reason, attach } from "./attach.ts";
import { describeIscsi, iscsiArguments } from "./iscsi-form.ts";
import type { NetMeans } from "./means.ts";
import type { IscsiSettings } from "./settings.ts";
import type { IscsiDisk } from "./types.ts";

/**
 * Attaches the disk at this address, unless it is attached already, and waits for its device; the kernel's name of that.
 * @throws UserError
 */
export async function attachIscsi(
  means: NetMeans,
  disk: IscsiDisk,
  address: string,
  settings: IscsiSettings,
  run?: typeof runChild,
): Promise<string> {
  const { boot, devices, layers } = means;
  const { sys, log } = boot;
  await means.loadModules(["iscsi_tcp", "crypto-crc32c", "sd_mod"]);
  if (sessionsOf(sys, disk.target).length === 0) {
    const initiator = nameInitiator(boot, settings.initiator);
    const argv = ["iscsistart", ...iscsiArguments(disk, address, initiator, settings.params)] as const;
    const secrets = [disk.login.password, disk.login.passwordIn].filter((one) => one !== undefined);
    await attach(
      means,
      { argv, disk: describeIscsi(disk), server: disk.server, secrets, read: readLine },
      run,
    );
  }
  const name = await waitForDevices(boot, devices, layers, {
    what: () => `the disk ${describeIscsi(disk)}`,
    look: async () => diskOf(sys, disk),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  if (name === undefined)
    throw new UserError(
      `The disk ${describeIscsi(disk)} did not appear: the target has ${describeLuns(sys, disk)}.`,
      "The number of the disk stands in front of the target's name: iscsi:SERVER:::LUN:TARGET.",
    );
  log.info(`attached ${describeIscsi(disk)} as /dev/${name}`);
  return name;
}

/** Left for the real system's iscsid, as dracut does. */
const NAME_FILE = "/run/initiatorname.iscsi";

/** The name we log in by: the one that is asked for, the image's, the firmware's, or one that is made and said. */
function nameInitiator({ sys, log }: Boot, asked: string | undefined): string {
  const files = ["/etc/iscsi/initiatorname.iscsi", "/etc/initiatorname.iscsi"];
  const packed = files.flatMap((file) => {
    const [, name] = /^InitiatorName=(\S+)/m.exec(readTextIfThere(sys, file) ?? "") ?? [];
    return name === undefined ? [] : [name];
  });
  const firmware = readAttribute(sys, "/sys/firmware/ibft/initiator/initiator-name");
  const known = asked ?? packed[0] ?? (firmware === "" ? undefined : firmware);
  const name = known ?? `iqn.2016-04.com.open-iscsi:${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
  if (known === undefined)
    log.warning(
      `logging in as ${name}, a name that was made now: rd.iscsi.initiator= gives this machine one that stays.`,
    );
  const fd = sys.open(NAME_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0o600);
  try {
    sys.write(fd, toBytes(`InitiatorName=${name}\n`));
  } finally {
    sys.close(fd);
  }
  return name;
}

const SESSIONS = "/sys/class/iscsi_session";

function sessionsOf(sys: Syscalls, target: string): string[] {
  return namesIn(sys, SESSIONS).filter(
    (name) => readAttribute(sys, `${SESSIONS}/${name}/targetname`) === target,
  );
}

/** The disks of the target: directories H:C:T:LUN below the session's target. */
function lunsOf(sys: Syscalls, { target }: IscsiDisk): string[] {
  return sessionsOf(sys, target).flatMap((session) => {
    const device = `${SESSIONS}/${session}/device`;
    const targets = namesIn(sys, device).filter((name) => name.startsWith("target"));
    return targets.flatMap((name) =>
      namesIn(sys, `${device}/${name}`)
        .filter((one) => /^\d+:\d+:\d+:\d+$/.test(one))
        .map((one) => `${device}/${name}/${one}`),
    );
  });
}

function diskOf(sys: Syscalls, disk: IscsiDisk): string | undefined {
  const place = lunsOf(sys, disk).find((one) => one.endsWith(`:${disk.lun}`));
  return place === undefined ? undefined : namesIn(sys, `${place}/block`)[0];
}

function describeLuns(sys: Syscalls, disk: IscsiDisk): string {
  const disks = lunsOf(sys, disk).filter((place) => namesIn(sys, `${place}/block`).length > 0);
  const numbers = disks.map((place) => place.slice(place.lastIndexOf(":") + 1));
  return numbers.length === 0 ? "no disk for this machine" : `LUN ${numbers.join(", ")}`;
}

// It tries for long by itself. The numbers are ISCSI_ERR_TRANS, _TRANS_TIMEOUT and _PDU_TIMEOUT of open-iscsi's iscsi_err.h.
function readLine(line: string): Reason | undefined {
  const [, unreached] = /connect to \S+ failed \((.*)\)/.exec(line) ?? [];
  if (unreached !== undefined) return { why: unreached, mayPass: true };
  const [, number, why] = /reported error \((\d+) - (.*)\)/.exec(line) ?? [];
  if (why !== undefined) return { why, mayPass: ["4", "8", "11"].includes(number ?? "") };
  const [, rejected] = /login rejected: (.*)$/.exec(line) ?? [];
  return rejected === undefined ? undefined : { why: rejected, mayPass: false };
}
