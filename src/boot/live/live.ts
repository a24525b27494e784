/**
 * Mounts the root of a live system: a squashfs or erofs that is in a file of a filesystem, or is the device itself.
 * The layout is that of dracut's dmsquash-live, dracut.cmdline(7).
 */

import {
  AT_FDCWD,
  MS_MOVE,
  MS_RDONLY,
  SysError,
  isErrno,
  list,
  mkdirs,
  readText,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { type BlockDevice, withReader } from "../devices/blockdevice.ts";
import type { runChild } from "../children/children.ts";
import { copyToMemory } from "./copy.ts";
import { HEAD_BYTES, describeCut, describeMissing, measureImage } from "./image.ts";
import { livePlaces } from "./places.ts";
import { type LiveSettings, readLiveSettings } from "./settings.ts";
import { type Drivers, withLoop } from "./loop.ts";
import { type LoadFilesystem, makeReady, mountDevice } from "../mount/mountdevice.ts";
import { parseMountOptions } from "../mount/mountoptions.ts";
import { detachAll, mountPoints } from "../handover/moves.ts";
import { resolveInRoot } from "../mount/resolve.ts";
import type { Layers } from "../storage/layer.ts";
import { sayIfSlow } from "../wait.ts";

/** What mounting takes besides the machine's drivers. */
export interface Means extends Drivers {
  readonly layers: Layers;
  /** In the place of the one that starts programs, for tests. */
  readonly run?: typeof runChild;
}

/** Loads the module of a filesystem. */
export function filesystemLoader({ loadModules }: Drivers): LoadFilesystem {
  return (type) => loadModules([`fs-${type}`]);
}

/**
 * Mounts the root that the image on `device` holds, read-only, on `target`, which is a directory. What holds it is
 * mounted below /run/initramfs (places.ts).
 * @throws UserError when there is no image, or it can't be mounted; nothing stays mounted then
 */
export async function mountLive(means: Means, device: BlockDevice, target: string): Promise<void> {
  const mounted: string[] = [];
  try {
    await mountRoot(
      { ...means, settings: readLiveSettings(means.boot.words).settings, mounted },
      device,
      target,
    );
  } catch (error) {
    detachAll(means.boot.sys, means.boot.log, mounted.toReversed());
    if (!(error instanceof SysError)) throw error;
    throw new UserError(`The live root on ${device.node} can't be mounted: ${describe(error)}.`);
  }
}

interface Job extends Means {
  readonly settings: LiveSettings;
  /** What was mounted so far. */
  readonly mounted: string[];
}

/** A file or a device that holds a filesystem. */
interface Image {
  readonly path: string;
  /** To people. */
  readonly title: string;
  readonly size_bytes: number;
  /** The device itself, when it is no file. */
  readonly device: BlockDevice | undefined;
}

async function mountRoot(job: Job, device: BlockDevice, target: string): Promise<void> {
  const reading = device.contents();
  const { found } = await sayIfSlow(
    job.boot,
    `reading what is on ${device.node}; it does not answer yet`,
    reading,
  );
  const isImage = found?.type === "squashfs" || found?.type === "erofs";
  const image = isImage ? wholeDevice(device) : await findImage(job, device);
  const checked = await checkLength(job, image);
  const used = job.settings.toMemory ? await takeToMemory(job, checked) : checked;
  await mountImage(job, used, target);
  await mountInner(job, used, target);
}

function wholeDevice(device: BlockDevice): Image {
  return { path: device.node, title: `the image on ${device.node}`, size_bytes: device.size_bytes, device };
}

/** Mounts the device, and finds the image on it. */
async function findImage(job: Job, device: BlockDevice): Promise<Image> {
  const { boot, devices, layers, run, settings, mounted } = job;
  const { sys } = boot;
  const load = filesystemLoader(job);
  // No check: it may only be read here, and a check may write.
  const wish = { types: [], data: "", pass: 0, part: undefined, layers } as const;
  const timeout_ms = boot.options.deviceTimeout_ms;
  const ready = await makeReady(boot, devices, { ...wish, device, timeout_ms }, load, run);
  makeDirectory(job, livePlaces.device);
  const names = { title: "The live device", as: "as the live device", target: livePlaces.device };
  await mountDevice(boot, { ...names, device: ready, types: [], flags: MS_RDONLY, data: "" }, load);
  mounted.push(livePlaces.device);
  const { directory, image } = settings;
  for (const name of [image, UNCOMPRESSED]) {
    const place = `${directory}/${name}`.replace(/^\//, "");
    const path = resolveInRoot(sys, livePlaces.device, `/${place}`);
    const stat = path === undefined ? undefined : sys.stat(AT_FDCWD, path);
    if (path !== undefined && stat?.type === "file")
      return {
        path,
        title: `the image ${text(place)} on ${device.node}`,
        size_bytes: stat.size,
        device: undefined,
      };
  }
  const holds = namesIn(job, `/${directory}`);
  throw new UserError(
    describeMissing(device.node, directory, image, holds, namesIn(job, "/") ?? []),
    "Name it by rd.live.dir= and rd.live.squashimg=; a root that lies on the device itself needs no live: in root=.",
  );
}

/** The image that is no squashfs, but a filesystem as it is on a disk. */
const UNCOMPRESSED = "rootfs.img";

function namesIn({ boot: { sys } }: Job, directory: string): string[] | undefined {
  const path = resolveInRoot(sys, livePlaces.device, directory);
  try {
    return path === undefined ? undefined : list(sys, path).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Reads how long the image says it is; the answer is what is of use of a device that holds one. */
async function checkLength({ boot }: Job, image: Image): Promise<Image> {
  const reading = withReader(boot.sys, image.path, (read) => read(0, HEAD_BYTES)).catch((error: unknown) => {
    throw new UserError(`${sentence(image.title)} can't be read: ${describe(error)}.`);
  });
  const head = await sayIfSlow(boot, `reading ${image.title}; it does not answer yet`, reading);
  const measured = measureImage(head);
  const cut = describeCut(sentence(image.title), measured, image.size_bytes);
  if (cut !== undefined) throw new UserError(cut, "Copy it again, or take a larger device.");
  if (image.size_bytes === 0) throw new UserError(`${sentence(image.title)} is empty.`, "Copy it again.");
  return { ...image, size_bytes: measured?.size_bytes ?? image.size_bytes };
}

/** Copies the image, and lets go of the device, which may be taken away then. */
async function takeToMemory(job: Job, image: Image): Promise<Image> {
  const { boot, mounted } = job;
  makeDirectory(job, livePlaces.memory);
  const path = await copyToMemory(boot, image, livePlaces.memory);
  // The disc's loop device keeps it until then.
  if (mountPoints(readText(boot.sys, "/proc/self/mountinfo")).includes(livePlaces.isoDevice))
    detachAll(boot.sys, boot.log, [livePlaces.isoDevice]);
  const at = mounted.indexOf(livePlaces.device);
  if (at >= 0) {
    detachAll(boot.sys, boot.log, [livePlaces.device]);
    mounted.splice(at, 1);
  }
  mounted.push(livePlaces.memory);
  return { ...image, path, device: undefined };
}

async function mountImage(job: Job, image: Image, target: string): Promise<void> {
  const { boot } = job;
  const load = filesystemLoader(job);
  const { flags, data } = parseMountOptions(boot.options.rootFlags);
  const mount = (device: BlockDevice, title: string, as: string): Promise<void> =>
    mountDevice(boot, { device, title, as, target, types: [], flags: flags | MS_RDONLY, data }, load);
  if (image.device !== undefined) {
    await mount(image.device, "The root", "as the root");
  } else {
    const title = sentence(image.title);
    await withLoop(job, image.path, { title, readOnly: true }, (device) =>
      mount(device, `${title} behind`, `as the root, from ${image.title}`).catch(mayBeDamaged),
    );
  }
  job.mounted.push(target);
}

function mayBeDamaged(error: unknown): never {
  if (!(error instanceof UserError)) throw error;
  throw new UserError(error.message, `${error.remedy} If the image is damaged, copy it again.`);
}

/** A squashfs may hold nothing but an image of a filesystem, which is the root then. */
async function mountInner(job: Job, outer: Image, target: string): Promise<void> {
  const { sys } = job.boot;
  const path = resolveInRoot(sys, target, INNER);
  if (path === undefined || sys.stat(AT_FDCWD, path).type !== "file") return;
  makeDirectory(job, livePlaces.outer);
  sys.mount(target, livePlaces.outer, "", MS_MOVE, "");
  job.mounted.splice(job.mounted.indexOf(target), 1, livePlaces.outer);
  const inner = `${livePlaces.outer}${path.slice(target.length)}`;
  const { size: size_bytes } = sys.stat(AT_FDCWD, inner);
  const title = `${INNER.slice(1)} in ${outer.title}`;
  await mountImage(job, { path: inner, title, size_bytes, device: undefined }, target);
}

const INNER = "/LiveOS/rootfs.img";

function makeDirectory({ boot: { sys } }: Job, path: string): void {
  try {
    mkdirs(sys, path);
  } catch (error) {
    throw new UserError(`The directory ${path} can't be made: ${describe(error)}.`);
  }
}

function sentence(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}
