/** What the benchmark says before it begins. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../host.ts";

/** The minutes that each table takes two quiet cores. */
const MINUTES: Readonly<Record<string, number>> = {
  ...{ ext4: 5, "RAID1+LVM": 3, "RAID1+LVM+LUKS": 5, "built-in": 0.5, goals: 0.5 },
  ...{ images: 5, build: 6, disks: 10, volumes: 4, events: 2, modules: 2 },
};

/** A table, and the minutes that it takes two quiet cores. */
export interface TableCost {
  readonly name: string;
  readonly minutes: number;
}

/** What has to be made once: by the name of what it is, whether it is there, and the minutes that it takes. */
export interface Preparation {
  readonly what: string;
  readonly isThere: boolean;
  readonly minutes: number;
}

/**
 * Lines about what is done now and how long it takes, what is made before, and what is left out until it is asked for.
 */
export function announcement(
  chosen: readonly TableCost[],
  left: readonly TableCost[],
  before: readonly Preparation[],
): string[] {
  const missing = before.filter(({ isThere }) => !isThere);
  const total = sum(chosen) + sum(missing);
  const lines = [`Measures ${namesOf(chosen)}: ${inMinutes(total)} on two quiet cores.`];
  if (missing.length > 0)
    lines.push(
      `Made first, and kept: ${missing.map(({ what, minutes }) => `${what} (${inMinutes(minutes)})`).join(", ")}.`,
    );
  if (left.length > 0)
    lines.push(
      `Left out: ${left.map(({ name, minutes }) => `${name} (${inMinutes(minutes)})`).join(", ")}; ` +
        'BENCH=all takes them in, BENCH="NAME ..." measures what is named.',
    );
  return lines;
}

/** The tables of these names with what they take. */
export function costsOf(names: readonly string[]): TableCost[] {
  return names.map((name) => ({ name, minutes: MINUTES[name] ?? 1 }));
}

/** What a machine on which the benchmark runs for the first time has to make. */
export function preparations(): Preparation[] {
  const names = readdirSync(cacheDir());
  const isThere = (prefix: string, file: string): boolean =>
    names.some((name) => name.startsWith(prefix) && existsSync(join(cacheDir(), name, file)));
  return [
    { what: "a small kernel, compiled", isThere: isThere("builtin-", "kernel.json"), minutes: 5 },
    { what: "images of dracut", isThere: isThere("peer-keyed-dracut-", "initrd.img"), minutes: 2 },
    {
      what: "images of initramfs-tools",
      isThere: isThere("peer-keyed-initramfs-", "initrd.img"),
      minutes: 1,
    },
  ];
}

function namesOf(tables: readonly TableCost[]): string {
  return tables.map(({ name }) => name).join(", ");
}

function sum(items: readonly { readonly minutes: number }[]): number {
  return items.reduce((minutes, item) => minutes + item.minutes, 0);
}

function inMinutes(minutes: number): string {
  return minutes <= 1 ? "a minute or so" : `${Math.ceil(minutes)} minutes or so`;
}
