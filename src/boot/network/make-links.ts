/** Bonds, bridges and VLANs are made, and links get other names. */

import { SysError, type Syscalls, writeFile } from "../../../syscalls/index.ts";
import { type Link, addLink, changeLink, readLinks, removeLink } from "../../../syscalls/rtnetlink/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { BondOption } from "../../network/types.ts";
import type { Rename } from "../../network/rename-plan.ts";
import type { Make } from "../../network/virtual-plan.ts";
import type { Session } from "./session.ts";

/**
 * Gives links their names (ifname=). They keep them when the real system starts: the kernel notes for ever that a name
 * was given (name_assign_type in sysfs), and udev then lets it be, whatever it is (systemd.link(5), NamePolicy=keep). So
 * a name that was taken back would be neither udev's nor the person's. @throws SysError
 */
export function rename({ kernel, boot }: Session, renames: readonly Rename[]): void {
  for (const { from, to } of renames) {
    const links = readLinks(kernel);
    const link = links.find(({ name }) => name === from);
    if (link === undefined) continue;
    giveName(kernel, link, to);
    boot.log.info(`${text(from)} (${link.mac}) is called ${text(to)} from now on`);
  }
}

function giveName(kernel: Session["kernel"], { index, isUp }: Link, name: string): void {
  if (isUp) changeLink(kernel, index, { isUp: false });
  changeLink(kernel, index, { name });
  if (isUp) changeLink(kernel, index, { isUp: true });
}

/** Makes a link, or gives one that was made its ports that have come since. @throws SysError */
export function make(session: Session, wanted: Make, isNew: boolean): void {
  const { kernel } = session;
  const find = (name: string): Link | undefined => readLinks(kernel).find((link) => link.name === name);
  if (wanted.kind === "vlan") {
    const below = find(wanted.over);
    if (below === undefined) return;
    // A VLAN can't be switched on before what it runs over.
    if (!below.isUp) changeLink(kernel, below.index, { isUp: true });
    if (find(wanted.name) !== undefined) return;
    addLink(kernel, { kind: "vlan", name: wanted.name, id: wanted.id, below: below.index });
    return made(session, wanted.name, `VLAN ${wanted.id} over ${text(wanted.over)}`);
  }
  const isThere = find(wanted.name) !== undefined;
  if (!isThere) addLink(kernel, { kind: wanted.kind, name: wanted.name });
  const master = find(wanted.name);
  if (master === undefined) return;
  if (isNew) {
    made(session, wanted.name, `${wanted.kind} of ${wanted.ports.map(text).join(", ")}`);
    if (wanted.kind === "bond") prepareBond(session, master, wanted);
    // Without a spanning tree nothing has to be listened for before a port is used.
    else session.setKnob(`/sys/class/net/${wanted.name}/bridge/forward_delay`, "0");
  }
  let hasNewPort = false;
  for (const name of wanted.ports) {
    const port = find(name);
    if (port === undefined || port.master === master.index) continue;
    hasNewPort = true;
    // A bond takes only ports that are down, and switches them on itself.
    if (port.isUp && wanted.kind === "bond") changeLink(kernel, port.index, { isUp: false });
    changeLink(kernel, port.index, { master: master.index });
    session.undo.add(`take ${text(name)} out of ${text(wanted.name)}`, () =>
      changeLink(kernel, port.index, { master: 0 }),
    );
    changeLink(kernel, port.index, { isUp: true });
  }
  // Not each time: the kernel announces a bond's options as a change even when they stay the same.
  if (wanted.kind === "bond" && hasNewPort)
    for (const option of wanted.options) if (option.needsPorts) setOption(session, wanted.name, option);
  changeLink(kernel, master.index, { isUp: true });
}

/**
 * Loads the modules that are needed. That of bonds makes one by itself unless max_bonds=0 says otherwise
 * (Documentation/networking/bonding.rst): it goes, when nobody has asked for it.
 */
export async function loadNetworkModules(session: Session, modules: readonly string[]): Promise<void> {
  await session.loadModules(modules);
  if (session.hasEnded || !modules.includes("bonding")) return;
  const wanted = new Set(session.settings.bonds.map(({ name }) => name));
  for (const { index, kind, name } of readLinks(session.kernel))
    if (kind === "bond" && !session.atStart.has(index) && !wanted.has(name))
      removeLink(session.kernel, index);
}

function made({ kernel, undo, boot, atStart }: Session, name: string, what: string): void {
  boot.log.info(`made ${text(name)}: ${what}`);
  if (readLinks(kernel).some((link) => link.name === name && atStart.has(link.index))) return;
  undo.add(`remove ${text(name)}`, () => {
    const link = readLinks(kernel).find((one) => one.name === name);
    if (link !== undefined) removeLink(kernel, link.index);
  });
}

function prepareBond(session: Session, bond: Link, { name, options, mtu }: Make & { kind: "bond" }): void {
  // Most options can only be set while it is down.
  if (bond.isUp) changeLink(session.kernel, bond.index, { isUp: false });
  for (const option of options) if (!option.needsPorts) setOption(session, name, option);
  if (mtu !== undefined) changeLink(session.kernel, bond.index, { mtu });
}

function setOption({ boot }: Session, bond: string, option: BondOption): void {
  const path = `/sys/class/net/${bond}/bonding/${option.name}`;
  try {
    for (const line of linesOf(option)) writeLine(boot.sys, path, line);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    boot.log.warning(
      `The bond ${text(bond)} is made without ${option.name}=${text(option.text)}: ${describe(error)}.`,
    );
  }
}

// Of addresses each is added by itself.
function linesOf({ value, text: line }: BondOption): string[] {
  return typeof value === "object" ? value.map((one) => `+${one}`) : [line];
}

function writeLine(sys: Syscalls, path: string, line: string): void {
  writeFile(sys, path, `${line}\n`);
}
