/** The drivers of a machine's network interfaces, by /sys/class/net (Documentation/ABI/testing/sysfs-class-net). */

import { text } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { type Driver, driverModules, driversAbove } from "./devices.ts";
import { readText } from "./sysfs.ts";

/** What the interfaces need. */
export interface InterfaceNeeds {
  readonly part: Part;
  /** The interfaces of hardware, and what each is driven by: names of modules and modaliases, of which one will do. */
  readonly cards: readonly { readonly name: string; readonly drivers: readonly string[] }[];
  /** A sentence for each interface. */
  readonly decisions: readonly string[];
}

/**
 * The drivers of all wired interfaces of the machine, of what they hang from, and of their PHYs; and those of the
 * VLANs, bonds and bridges that it has. Wireless ones are left out: they take more than a driver.
 */
export function examineInterfaces(root: FileTree): InterfaceNeeds {
  const names = root.list(NET).filter((name) => root.resolve(`${NET}/${name}`)?.type === "directory");
  const interfaces = names.map((name) => ({ name, ...look(root, name) }));
  const drivers = interfaces.flatMap((one) => one.drivers);
  const { modules, modulesIfThere } = driverModules(root, [...drivers, ...phyDrivers(root)]);
  const makers = interfaces.flatMap(({ maker }) => maker ?? []);
  const none = "This machine has no wired network interface whose driver can be told.";
  return {
    part: {
      why: "the network interfaces of this machine",
      modules,
      modulesIfThere: [...new Set([...modulesIfThere, ...makers])],
      notes: drivers.length === 0 ? [none] : [],
    },
    cards: interfaces.flatMap(({ name, drivers: [nearest] }) =>
      nearest
        ? [{ name, drivers: [nearest.module, nearest.modalias].filter((one) => one !== undefined) }]
        : [],
    ),
    decisions: interfaces.flatMap(({ sentence }) => sentence ?? []),
  };
}

const NET = "/sys/class/net";

/** Modules that make interfaces out of others, by the type that they give them. */
const MAKERS: Readonly<Record<string, string>> = { bond: "bonding", bridge: "bridge", vlan: "8021q" };

interface Interface {
  readonly drivers: readonly Driver[];
  readonly maker?: string | undefined;
  readonly sentence?: string;
}

function look(root: FileTree, name: string): Interface {
  const path = `${NET}/${name}`;
  const [, type = ""] = /^DEVTYPE=(.+)$/m.exec(readText(root, `${path}/uevent`) ?? "") ?? [];
  const subject = `The interface ${text(name)}`;
  if (type === "wlan" || root.resolve(`${path}/phy80211`))
    return { drivers: [], sentence: `${subject} is wireless, and is left out.` };
  if (root.resolve(`${path}/device`)) {
    const own = driversAbove(root, `${path}/device`);
    const [driver = "a driver that can't be told"] = own.flatMap((one) => one.module ?? one.driver ?? []);
    // A PHY is a device of its own on the MDIO bus, and its driver a module of its own.
    const drivers = [...own, ...driversAbove(root, `${path}/phydev`)];
    return { drivers, sentence: `${subject} is driven by ${text(driver)}.` };
  }
  const maker = Object.hasOwn(MAKERS, type) ? MAKERS[type] : undefined;
  return {
    drivers: [],
    ...(maker === undefined ? {} : { maker, sentence: `${subject} is made by ${maker}.` }),
  };
}

// An interface that is down has let go of its PHY.
function phyDrivers(root: FileTree): Driver[] {
  return root.list(MDIO).flatMap((name) => driversAbove(root, `${MDIO}/${name}`));
}

const MDIO = "/sys/bus/mdio_bus/devices";
