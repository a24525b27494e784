/**
 * The drivers of a device and of all that it hangs from: a directory of /sys/devices and those above it are the
 * device, its controller, and the buses up to the processor (Documentation/driver-api/driver-model).
 */

import type { FileTree } from "../file-tree.ts";
import { attribute, isLoaded, linkName, type Needed } from "./sysfs.ts";

/** A device on the way up. */
export interface Driver {
  /** The device's directory in /sys/devices. */
  readonly device: string;
  /** What drives it, as the kernel calls it; undefined when nothing does. */
  readonly driver: string | undefined;
  /** The module of its driver: one that is loaded, or the name of one that is built in where /sys says it. */
  readonly module: string | undefined;
  /** By which any kernel's modules are found for it. */
  readonly modalias: string | undefined;
}

/** The drivers from the device at `path` (anywhere in /sys) upwards, the nearest first. */
export function driversAbove(root: FileTree, path: string): Driver[] {
  const found = new Map<string, Driver>();
  const todo = [path];
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    let device = root.resolve(next)?.path ?? "";
    for (; device.startsWith("/sys/devices/") && !found.has(device); device = parent(device)) {
      if (found.size >= MOST_DEVICES) return useful(found);
      found.set(device, readDriver(root, device));
      todo.push(...elsewhere(root, device));
    }
  }
  return useful(found);
}

/** The modules of these drivers. */
export function driverModules(root: FileTree, drivers: readonly Driver[]): Needed {
  const names = drivers.map(({ module }) => module).filter((module) => module !== undefined);
  const modules = [...new Set(names.filter((name) => isLoaded(root, name)))];
  const others = drivers.flatMap(({ module, modalias }) => [module, modalias]);
  const ifThere = others.filter((name) => name !== undefined && !modules.includes(name));
  return { modules, modulesIfThere: [...new Set(ifThere)].filter((name) => name !== undefined) };
}

/** A device has some ten others above it; a machine of hundreds of them is none. */
const MOST_DEVICES = 500;

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function useful(found: ReadonlyMap<string, Driver>): Driver[] {
  return [...found.values()].filter(
    ({ driver, module, modalias }) => driver !== undefined || module !== undefined || modalias !== undefined,
  );
}

function readDriver(root: FileTree, device: string): Driver {
  return {
    device,
    driver: linkName(root, `${device}/driver`),
    module: linkName(root, `${device}/driver/module`) ?? hostModule(root, device),
    modalias: attribute(root, `${device}/modalias`),
  };
}

// These are no devices with a driver, but name the module that made them: of disks over a network nothing else does.
function hostModule(root: FileTree, device: string): string | undefined {
  const name = device.slice(device.lastIndexOf("/") + 1);
  const module = /^host\d+$/.test(name)
    ? attribute(root, `${device}/scsi_host/${name}/proc_name`)?.replaceAll("-", "_")
    : /^nvme\d+$/.test(name)
      ? NVME_TRANSPORTS[attribute(root, `${device}/transport`) ?? ""]
      : undefined;
  return module !== undefined && /^\w+$/.test(module) ? module : undefined;
}

/** By the transport of a controller; "pcie" has a device with a driver. */
const NVME_TRANSPORTS: Readonly<Record<string, string>> = {
  tcp: "nvme_tcp",
  rdma: "nvme_rdma",
  fc: "nvme_fc",
};

// What a device needs and does not hang from: its suppliers, and the controllers of an NVMe disk with several paths.
function elsewhere(root: FileTree, device: string): string[] {
  const names = root.list(device);
  const suppliers = names.filter((name) => name.startsWith("supplier:"));
  const controllers = device.includes("/nvme-subsystem/")
    ? names.filter((name) => /^nvme\d+$/.test(name))
    : [];
  return [
    ...suppliers.map((name) => `${device}/${name}/supplier`),
    ...controllers.map((name) => `${device}/${name}`),
  ];
}
