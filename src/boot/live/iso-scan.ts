/**
 * A disc image that lies as a file on some filesystem of the machine, as boot loaders start it by their loopback:
 * iso-scan/filename= of dracut.cmdline(7). It becomes a loop device, which root=live:CDLABEL= then finds by its label.
 */

import { AT_FDCWD, MS_RDONLY, MNT_DETACH, isErrno, mkdirs, readText } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import { detachAll, mountPoints } from "../handover/moves.ts";
import { mountDevice } from "../mount/mountdevice.ts";
import { resolveInRoot } from "../mount/resolve.ts";
import { waitForDevices } from "../devices/wait-devices.ts";
import { type Means, filesystemLoader } from "./live.ts";
import { openLoop } from "./loop.ts";
import { livePlaces } from "./places.ts";

/**
 * Mounts filesystems, one after the other and as they appear, until one holds the file `iso`, a path without its first
 * slash. That one stays mounted, read-only, and the file's loop device is there until the hand-over, and for as long as it is
 * mounted.
 * @throws UserError when none has it until the deadline of the root
 */
export async function findIso(means: Means, iso: string): Promise<void> {
  const { boot, devices, layers } = means;
  // At an earlier try of the boot, which failed at something else.
  if (mountPoints(readText(boot.sys, "/proc/self/mountinfo")).includes(livePlaces.isoDevice)) return;
  mkdirs(boot.sys, livePlaces.isoDevice);
  const looked = new Map<string, BlockDevice>();
  const path = await waitForDevices(boot, devices, layers, {
    what: () => `a filesystem with the disc image ${text(iso)}`,
    look: () => lookOnAll(means, iso, looked),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  if (path === undefined)
    throw new UserError(
      `No filesystem here holds the disc image ${text(iso)} of iso-scan/filename=: ` +
        `${looked.size === 0 ? "there is none" : `looked on ${[...looked.keys()].join(", ")}`}.`,
      "The path begins at the top of its filesystem. Does the image hold the filesystem's driver?",
    );
  const title = `The disc image ${text(iso)}`;
  try {
    const { device } = await openLoop(means, path, { title, readOnly: true });
    boot.log.info(`took the disc image ${text(iso)} as ${device.node}`);
  } catch (error) {
    // The next try would take it for done.
    detachAll(boot.sys, boot.log, [livePlaces.isoDevice]);
    throw error;
  }
}

async function lookOnAll(
  means: Means,
  iso: string,
  looked: Map<string, BlockDevice>,
): Promise<string | undefined> {
  for (const device of means.devices.all()) {
    // Another object stands for a device that has changed.
    if (looked.get(device.node) === device || device.name.startsWith("loop")) continue;
    const contents = await Promise.race([device.contents(), Bun.sleep(PATIENCE_MS)]);
    if (contents?.found?.usage !== "filesystem") continue;
    looked.set(device.node, device);
    const path = await lookOn(means, device, contents.found.type, iso);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** A disk that does not answer holds up no other: its answer is a change of the devices. */
const PATIENCE_MS = 200;

/** The file on the device, which stays mounted then. */
async function lookOn(
  means: Means,
  device: BlockDevice,
  type: string,
  iso: string,
): Promise<string | undefined> {
  const { boot } = means;
  const { sys, log } = boot;
  const target = livePlaces.isoDevice;
  const names = { title: "The filesystem", as: `to look for ${text(iso)}`, target };
  const data = QUIET_OPTIONS[type] ?? "";
  try {
    const request = { ...names, device, types: [], flags: MS_RDONLY, data };
    await mountDevice({ ...boot, log: { ...log, info: log.debug } }, request, filesystemLoader(means));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.debug(`${device.node} is passed over: ${error.message}`);
    return undefined;
  }
  const path = fileIn(means, target, iso);
  if (path === undefined) sys.umount(target, MNT_DETACH);
  return path;
}

function fileIn({ boot: { sys } }: Means, root: string, iso: string): string | undefined {
  try {
    const path = resolveInRoot(sys, root, `/${iso}`);
    return path !== undefined && sys.stat(AT_FDCWD, path).type === "file" ? path : undefined;
  } catch (error) {
    if (isErrno(error, "ENOTDIR", "ELOOP", "EIO", "EUCLEAN")) return undefined;
    throw error;
  }
}

/** No journal is played back on filesystems that only hold a file: a system may hibernate on them. */
const QUIET_OPTIONS: Readonly<Record<string, string>> = { ext3: "noload", ext4: "noload", xfs: "norecovery" };
