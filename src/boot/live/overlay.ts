/**
 * Covers the mounted root with an overlay, so that it can be written to and stays as it is: rd.overlay= of
 * dracut.cmdline(7). What is below and above is mounted below /run (places.ts).
 */

import {
  MS_MOVE,
  MS_NODEV,
  MS_NOSUID,
  SysError,
  type Syscalls,
  isErrno,
  mkdirs,
  readText,
} from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { type Means, filesystemLoader } from "./live.ts";
import { livePlaces } from "./places.ts";
import { type LiveSettings, type OverlaySettings, readLiveSettings, wantsOverlay } from "./settings.ts";
import { detachAll, mountPoints } from "../handover/moves.ts";
import { baseMounts } from "../mount/mounts.ts";
import { type KeptOverlay, makeDirectories, openDisk } from "./overlay-disk.ts";
import {
  type OverlayLayers,
  type Writable,
  describeLimit,
  inMemory,
  overlayOptions,
  stackLayers,
} from "./overlay-plan.ts";
import { sayIfSlow } from "../wait.ts";

/** What the mount is called, by which tools of live systems know it. */
const SOURCE = "LiveOS_rootfs";

/**
 * Covers the root that is mounted on `target`, when an overlay is asked for and there is none yet.
 * @throws UserError when it can't be done; the root is mounted as before then
 */
export async function coverRoot(means: Means, target: string): Promise<void> {
  const { sys, log, words } = means.boot;
  const { settings } = readLiveSettings(words);
  if (!wantsOverlay(settings)) return;
  const mounted: string[] = [];
  try {
    // Covered at an earlier try, which failed at something else.
    if (mountPoints(readText(sys, "/proc/self/mountinfo")).includes(livePlaces.base)) return;
    const { layers, where } = await prepare(means, settings, target, mounted);
    await cover(means, target, layers);
    makeMountPoints(sys, target);
    log.info(`covered the root with an overlay ${where}`);
  } catch (error) {
    detachAll(sys, log, mounted.toReversed());
    if (!(error instanceof SysError)) throw error;
    throw new UserError(`The root can't be covered by an overlay: ${describe(error)}.`);
  }
}

interface Prepared {
  readonly layers: OverlayLayers;
  /** A clause for the console. */
  readonly where: string;
}

async function prepare(
  means: Means,
  settings: LiveSettings,
  target: string,
  mounted: string[],
): Promise<Prepared> {
  const { size, disk, mayBeLost } = settings.overlay;
  const { overlay } = settings;
  const lost = `in memory (${describeLimit(size)}): changes are lost when the machine goes off`;
  const memory = (like: string): Writable => makeMemory(means.boot, overlay, like, mounted);
  if (disk === undefined) return { layers: stackLayers(memory(target), undefined), where: lost };
  let kept: KeptOverlay;
  try {
    kept = await openDisk(means, settings, disk, target, mounted);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (!mayBeLost)
      throw new UserError(
        error.message,
        `${error.remedy} Boot with rd.overlay=1 in place of that to keep changes in memory until the machine goes off.`.trim(),
      );
    detachAll(means.boot.sys, means.boot.log, mounted.splice(0).toReversed());
    means.boot.log.warning(
      `${error.message} rd.live.overlay.nouserconfirmprompt lets the boot go on with an overlay in memory: all changes ` +
        "are lost when the machine goes off.",
    );
    return { layers: stackLayers(memory(target), undefined), where: lost };
  }
  if (kept.writable !== undefined)
    return {
      layers: stackLayers(kept.writable, undefined),
      where: `on ${kept.title}: changes are kept there`,
    };
  const below = kept.upper === undefined ? "" : `, over that on ${kept.title}, which stays as it is`;
  return { layers: stackLayers(memory(kept.upper ?? target), kept.upper), where: `${lost}${below}` };
}

function makeMemory(
  { sys }: Boot,
  { size, limits }: OverlaySettings,
  like: string,
  mounted: string[],
): Writable {
  try {
    mkdirs(sys, livePlaces.overlayMemory);
    const options = ["mode=0755", `size=${size}`, ...limits].join(",");
    sys.mount("tmpfs", livePlaces.overlayMemory, "tmpfs", MS_NOSUID | MS_NODEV, options);
    mounted.push(livePlaces.overlayMemory);
    makeDirectories(sys, inMemory, like);
    return inMemory;
  } catch (error) {
    throw new UserError(
      `The overlay in memory can't be made: ${describe(error)}.`,
      "rd.live.overlay.size= says how much memory it may take.",
    );
  }
}

/** Moves the root out of the way, and mounts the overlay in its place; or leaves the root where it was. */
async function cover(means: Means, target: string, layers: OverlayLayers): Promise<void> {
  const { boot } = means;
  const { sys, log } = boot;
  await filesystemLoader(means)("overlay");
  mkdirs(sys, livePlaces.base);
  sys.mount(target, livePlaces.base, "", MS_MOVE, "");
  try {
    const mounting = sys.slow.mount(SOURCE, target, "overlay", 0, overlayOptions(layers));
    await sayIfSlow(boot, "mounting the overlay over the root; the kernel is still at it", mounting);
  } catch (error) {
    sys.mount(livePlaces.base, target, "", MS_MOVE, "");
    throw explain(error, layers);
  }
  log.debug(`the overlay has the layers ${[layers.upper, ...layers.lower].join(", ")}`);
}

/** Images of roots may lack the directories for the kernel's filesystems; below an overlay they can be made. */
function makeMountPoints(sys: Syscalls, root: string): void {
  for (const { target } of baseMounts) {
    try {
      sys.mkdir(`${root}${target}`, 0o755);
    } catch (error) {
      // There, as nearly always. What can't be made is missed by the init alone.
      if (!(error instanceof SysError)) throw error;
    }
  }
}

function explain(error: unknown, { upper }: OverlayLayers): UserError {
  if (isErrno(error, "ENODEV"))
    return new UserError(
      "The root can't be covered by an overlay: the kernel has none, and the image holds no module for it.",
      "Build the image with --generic or with --drivers overlay, or the kernel with CONFIG_OVERLAY_FS.",
    );
  return new UserError(
    `The root can't be covered by an overlay in ${upper}: ${describe(error)}.`,
    "The kernel's own messages above may say more. Changes need a filesystem like ext4, xfs or btrfs: vfat can't hold them.",
  );
}
