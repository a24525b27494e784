/** Mounts whose st_dev is no block device: on several devices, on other mounts, or on a network. */

import { text } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import { driverModules, driversAbove } from "./devices.ts";
import { filesystemModules } from "./filesystems.ts";
import type { Layer } from "./layer.ts";
import { type Mount, mountOf, mountOption } from "./mountinfo.ts";
import { attribute } from "./sysfs.ts";

/** Who looks at devices, as walk.ts does. */
export interface DeviceFinder {
  readonly root: FileTree;
  readonly mounts: readonly Mount[];
  mounted(mount: Mount): Layer | undefined;
  numbered(number: string): Layer | undefined;
  named(name: string): Layer | undefined;
}

/** What a mount is on: its devices, or the file systems that an overlay lays on each other. */
export function devicesOfMount(walk: DeviceFinder, mount: Mount): Layer[] {
  if (!mount.rdev.startsWith("0:")) {
    const others = LOGS.map((option) => mountOption(mount.options, option)).filter(
      (path) => path !== undefined,
    );
    return distinct([walk.numbered(mount.rdev), ...others.map((path) => nodeLayer(walk, path))]);
  }
  if (mount.type === "overlay") return distinct(overlaid(walk, mount));
  if (mount.type === "btrfs") return distinct(btrfsDevices(walk, mount.source));
  // bcachefs names all of its devices.
  return distinct(mount.source.split(":").map((path) => nodeLayer(walk, path)));
}

/** The layer of a file system that a network or the host of a virtual machine serves; undefined for others. */
export function networkLayer(root: FileTree, mount: Mount): Layer | undefined {
  const { point, type, source, options } = mount;
  const share = Object.hasOwn(SHARES, type) ? SHARES[type] : undefined;
  const shared = share === undefined ? [] : boundDevices(root, share);
  const overNetwork = NETWORK_TYPES.test(type) || (type === "9p" && shared.length === 0);
  if (share === undefined && !overNetwork) return undefined;
  const devices = overNetwork
    ? root.list("/sys/class/net").map((name) => `/sys/class/net/${name}/device`)
    : shared;
  const own = filesystemModules(root, type, options);
  const drivers = driverModules(
    root,
    devices.flatMap((device) => driversAbove(root, device)),
  );
  return {
    kind: "network",
    node: point,
    rdev: undefined,
    what: type,
    isOnNetwork: overNetwork,
    modules: [...new Set([...own.modules, ...drivers.modules])],
    modulesIfThere: [...new Set([...own.modulesIfThere, ...drivers.modulesIfThere])],
    tools: [],
    notes: overNetwork
      ? [`${text(point)} is ${text(type)} from ${text(source)}: the network must be up before it.`]
      : [],
    below: [],
  };
}

/** Options that name further devices of xfs and reiserfs. */
const LOGS: readonly string[] = ["logdev", "rtdev", "jdev"];

const NETWORK_TYPES = /^(?:nfs4?|cifs|smb3|ceph|afs|fuse\.(?:sshfs|glusterfs|ceph-fuse))$/;

/** By type: the virtio driver of what the host of a virtual machine shares. */
const SHARES: Readonly<Record<string, string>> = { "9p": "9pnet_virtio", virtiofs: "virtiofs" };

function boundDevices(root: FileTree, driver: string): string[] {
  const path = `/sys/bus/virtio/drivers/${driver}`;
  return root
    .list(path)
    .filter((name) => /^virtio\d+$/.test(name))
    .map((name) => `${path}/${name}`);
}

function distinct(layers: readonly (Layer | undefined)[]): Layer[] {
  return [...new Set(layers.filter((layer) => layer !== undefined))];
}

// What can be seen of the directories of an overlay; a container sees none of them.
function overlaid(walk: DeviceFinder, mount: Mount): (Layer | undefined)[] {
  const directories = ["lowerdir", "upperdir"].flatMap(
    (option) => mountOption(mount.options, option)?.split(/(?<!\\):+/) ?? [],
  );
  const holders = directories
    .filter((path) => path.startsWith("/"))
    .map((path) => mountOf(walk.mounts, path.replace(/\\(.)/g, "$1"), ({ id }) => id !== mount.id));
  return [...new Set(holders)].map((holder) => holder && walk.mounted(holder));
}

function btrfsDevices(walk: DeviceFinder, source: string): (Layer | undefined)[] {
  const name = nodeName(walk.root, source);
  const all = walk.root
    .list("/sys/fs/btrfs")
    .map((uuid) => walk.root.list(`/sys/fs/btrfs/${uuid}/devices`))
    .filter((devices) => devices.length > 0);
  // A root that the kernel mounted by itself says that it is on /dev/root, which does not exist.
  const devices =
    all.find((some) => name !== undefined && some.includes(name)) ?? (all.length === 1 ? all[0] : undefined);
  if (devices) return devices.map((device) => walk.named(device));
  return [name === undefined ? undefined : walk.named(name)];
}

function nodeLayer(walk: DeviceFinder, path: string): Layer | undefined {
  const name = nodeName(walk.root, path);
  return name === undefined ? undefined : walk.named(name);
}

// The kernel's name for a node below /dev, which may be a symlink to one; that of a mapping without udev is none.
function nodeName(root: FileTree, path: string): string | undefined {
  if (!path.startsWith("/dev/")) return undefined;
  const end = root.resolve(path)?.path ?? path;
  const name = end.slice("/dev/".length).replaceAll("/", "!");
  if (!name.startsWith("mapper!")) return name;
  return root
    .list("/sys/class/block")
    .find(
      (block) => attribute(root, `/sys/class/block/${block}/dm/name`) === end.slice("/dev/mapper/".length),
    );
}
