/** From a mount or a block device down to the hardware, by /sys. */

import { text } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import { cryptoModules } from "./crypto.ts";
import { driverModules, driversAbove } from "./devices.ts";
import { checker, filesystemModules } from "./filesystems.ts";
import type { Layer } from "./layer.ts";
import { identifyMapping } from "./mapping.ts";
import { type Mount, mountOf } from "./mountinfo.ts";
import { type DeviceFinder, devicesOfMount, networkLayer } from "./nodevice.ts";
import { attribute, isLoaded, needed } from "./sysfs.ts";
import { ARRAY_MODULES, NETWORK_DISKS, virtualDevice, type VirtualDevice } from "./virtual.ts";

/** One look at a machine. Each device is looked at once, however many layers stand on it. */
export class Walk implements DeviceFinder {
  readonly root: FileTree;
  readonly mounts: readonly Mount[];
  private readonly known = new Map<string, Layer>();
  /** What is being looked at. */
  private readonly open = new Set<string>();

  constructor(root: FileTree, mounts: readonly Mount[]) {
    this.root = root;
    this.mounts = mounts;
  }

  /** The file system of a mount; undefined when it is on no device that can be found. */
  mounted(mount: Mount): Layer | undefined {
    const network = networkLayer(this.root, mount);
    if (network) return network;
    return this.once(`mount ${mount.id}`, () => {
      const below = devicesOfMount(this, mount);
      const { point: node, type, options } = mount;
      return below.length === 0 ? undefined : this.filesystem({ node, type, options }, below);
    });
  }

  /** A file system on these devices. */
  filesystem(
    { node, type, options }: { readonly node: string; readonly type: string; readonly options: string },
    below: readonly Layer[],
  ): Layer {
    const check = checker(type);
    const name = text(node);
    return {
      kind: "file system",
      node,
      rdev: undefined,
      what: type,
      ...filesystemModules(this.root, type, options),
      tools: [
        ...(check === undefined ? [] : [{ name: check, why: `${name} is ${text(type)}` }]),
        ...(type === "btrfs" && below.length > 1
          ? [{ name: "btrfs", why: `${name} is btrfs on ${below.length} devices` }]
          : []),
      ],
      notes: [],
      below,
    };
  }

  /** The block device of this number ("8:1"). */
  numbered(rdev: string): Layer | undefined {
    return this.at(`/sys/dev/block/${rdev}`);
  }

  /** The block device of this name ("sda1"), as the kernel has it. */
  named(name: string): Layer | undefined {
    return this.at(`/sys/class/block/${name}`);
  }

  private at(link: string): Layer | undefined {
    const path = this.root.resolve(link)?.path;
    return path === undefined ? undefined : this.once(path, () => this.look(path));
  }

  // Looks at each thing once, and ends where they stand on each other in a circle.
  private once(key: string, look: () => Layer | undefined): Layer | undefined {
    const known = this.known.get(key);
    if (known || this.open.has(key) || this.open.size > DEEPEST) return known;
    this.open.add(key);
    const layer = look();
    this.open.delete(key);
    if (layer) this.known.set(key, layer);
    return layer;
  }

  private look(path: string): Layer {
    const { root } = this;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const device: Device = {
      path,
      // The kernel writes ! in /sys where a name has /.
      node: `/dev/${name.replaceAll("!", "/")}`,
      rdev: attribute(root, `${path}/dev`),
    };
    if (attribute(root, `${path}/partition`) !== undefined) return this.partition(device);
    const mapped = attribute(root, `${path}/dm/name`);
    if (mapped !== undefined) return this.mapping({ ...device, node: `/dev/mapper/${mapped}` }, mapped);
    const level = attribute(root, `${path}/md/level`);
    if (level !== undefined) return this.array(device, level);
    const virtual = virtualDevice(name);
    return virtual ? this.virtual(device, virtual) : this.disk(device);
  }

  private partition({ path, ...device }: Device): Layer {
    const disk = this.at(path.slice(0, path.lastIndexOf("/")));
    return { ...BARE, ...device, kind: "partition", what: "a partition", below: disk ? [disk] : [] };
  }

  private mapping({ path, ...device }: Device, name: string): Layer {
    const { root } = this;
    const { kind, what, modules, takesLoaded, tool, uuid } = identifyMapping(
      attribute(root, `${path}/dm/uuid`) ?? "",
      name,
    );
    const encrypts = modules.some((module) => CIPHERING.has(module));
    const loaded = takesLoaded
      ? root.list("/sys/module").filter((one) => isMapper(one) && isLoaded(root, one))
      : [];
    const node = text(device.node);
    return {
      ...device,
      kind,
      what,
      ...(uuid === undefined ? {} : { uuid }),
      ...needed(root, ["dm_mod", ...modules], [...loaded, ...(encrypts ? cryptoModules(root) : [])]),
      tools: tool === undefined ? [] : [{ name: tool, why: `${node} is ${what}` }],
      notes:
        tool === undefined
          ? [`${node} is ${what} of the device mapper, and no tool is known that sets it up.`]
          : [],
      below: this.slaves(path),
    };
  }

  private array({ path, ...device }: Device, level: string): Layer {
    const { root } = this;
    const module = Object.hasOwn(ARRAY_MODULES, level) ? ARRAY_MODULES[level] : undefined;
    const uuid = attribute(root, `${path}/md/uuid`)?.replaceAll(/[-:]/g, "").toLowerCase();
    const external = attribute(root, `${path}/md/metadata_version`)?.startsWith("external:") === true;
    return {
      ...device,
      kind: "array",
      what: level,
      ...(uuid !== undefined && /^[0-9a-f]{32}$/.test(uuid) ? { uuid } : {}),
      ...needed(root, ["md_mod", ...(module === undefined ? [] : [module])], [`md-${level}`]),
      tools: [{ name: "mdadm", why: `${text(device.node)} is a ${text(level)} array` }],
      notes: external
        ? [
            `${text(device.node)} is kept by the firmware's RAID, and can be written to only while mdmon runs.`,
          ]
        : [],
      below: this.slaves(path),
    };
  }

  private virtual({ path, ...device }: Device, row: VirtualDevice): Layer {
    const file = row.kind === "loop" ? attribute(this.root, `${path}/loop/backing_file`) : undefined;
    const mount = file === undefined ? undefined : mountOf(this.mounts, file);
    const holder = mount && this.mounted(mount);
    return {
      ...device,
      kind: row.kind,
      what: file === undefined ? row.what : `the file ${text(file)}`,
      ...(row.kind === "network" ? { isOnNetwork: true } : {}),
      ...needed(this.root, row.modules),
      tools: row.tool === undefined ? [] : [{ name: row.tool, why: `${text(device.node)} is ${row.what}` }],
      notes: row.note === undefined ? [] : [`${text(device.node)} ${row.note}.`],
      below: holder ? [holder] : this.slaves(path),
    };
  }

  private disk({ path, ...device }: Device): Layer {
    const { root } = this;
    const drivers = driversAbove(root, path);
    const { modules, modulesIfThere } = driverModules(root, drivers);
    const handler = attribute(root, `${path}/device/dh_state`) ?? "";
    const overNetwork = drivers.find(({ module = "" }) => NETWORK_DISKS.has(module))?.module;
    // What a person knows a disk by: the modules of its drivers, or their names where they are built in.
    const names =
      modules.length > 0 ? modules : drivers.flatMap(({ module, driver }) => module ?? driver ?? []);
    return {
      ...device,
      kind: "disk",
      what: [...new Set(names)].filter((name) => !BUSES.has(name)).join(", "),
      ...(overNetwork === undefined ? {} : { isOnNetwork: true }),
      modules,
      modulesIfThere: HANDLERS.has(handler) ? [...modulesIfThere, `scsi_dh_${handler}`] : modulesIfThere,
      tools:
        overNetwork === "iscsi_tcp" ? [{ name: "iscsistart", why: `${text(device.node)} is iSCSI` }] : [],
      notes:
        overNetwork === undefined
          ? []
          : [`${text(device.node)} is a disk over the network (${overNetwork}), which must be up before.`],
      below: [],
    };
  }

  private slaves(path: string): Layer[] {
    return this.root.list(`${path}/slaves`).flatMap((name) => this.at(`${path}/slaves/${name}`) ?? []);
  }
}

interface Device {
  /** Its directory in /sys/devices. */
  readonly path: string;
  readonly node: string;
  readonly rdev: string | undefined;
}

/** More layers than anybody stacks. */
const DEEPEST = 64;

const BARE = { modules: [], modulesIfThere: [], tools: [], notes: [] };

/** Targets that ask the kernel for ciphers or hashes. */
const CIPHERING: ReadonlySet<string> = new Set(["dm_crypt", "dm_verity", "dm_integrity"]);

/** What attaches itself to a SCSI disk that has several paths (drivers/scsi/device_handler). */
const HANDLERS: ReadonlySet<string> = new Set(["alua", "emc", "hp_sw", "rdac"]);

/** Modules that are no news about a disk. */
const BUSES: ReadonlySet<string> = new Set(["pcieport", "usb", "hub"]);

// Targets that LVM uses, and what dm_raid asks for.
function isMapper(module: string): boolean {
  return /^(?:dm_(?:snapshot|mirror|raid|thin_pool|cache\w*|writecache|integrity|vdo)|kvdo|raid(?:0|1|10|456))$/.test(
    module,
  );
}
