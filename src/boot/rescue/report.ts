/** What the machine has, in words: for those who wait, and for those whose root was not found. */

import { text } from "../../lib/bytes.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";

/** All block devices in one line; of more than a few, those that hold something, and how many others there are. */
export async function describeDevices(devices: BlockDevices): Promise<string> {
  const all = await theTelling(devices, mostInLine, "(not read yet)");
  return all.length === 0 ? "there is no block device yet" : `there is ${all.join(", ")}`;
}

/**
 * A line for each block device: name, size, type, label, UUID, and the names from its partition table. Of more than a
 * screen takes, those that hold something, and how many others there are.
 */
export async function listDevices(devices: BlockDevices): Promise<string[]> {
  return (await theTelling(devices, mostLines, "(does not answer)")).map((words) => `  ${words}`);
}

const mostInLine = 16;
const mostLines = 64;

/** What was found out of a device, in words. */
interface Described {
  readonly words: string;
  /** It is not just empty. */
  readonly tells: boolean;
}

async function theTelling(devices: BlockDevices, most: number, silent: string): Promise<string[]> {
  const all = await Promise.all(devices.all().map((device) => describeDevice(devices, device, silent)));
  if (all.length <= most) return all.map(({ words }) => words);
  // Those that tell something first, each kind in its order.
  const chosen = new Set([...all.filter(({ tells }) => tells), ...all].slice(0, most));
  const words = all.filter((one) => chosen.has(one)).map((one) => one.words);
  return [...words, `and ${all.length - most} others`];
}

// A device that does not answer must not hold up the report about it.
const patience_ms = 2000;

// `silent` is the word for a device that has not answered in time.
async function describeDevice(
  devices: BlockDevices,
  device: BlockDevice,
  silent: string,
): Promise<Described> {
  const words = [device.name, describeSize(device.size_bytes)];
  const answered = await Promise.race([describeContents(devices, device), Bun.sleep(patience_ms)]);
  const more = answered ?? [silent];
  return { words: [...words, ...more].join(" "), tells: (answered ?? []).length > 0 };
}

async function describeContents(devices: BlockDevices, device: BlockDevice): Promise<string[]> {
  const { found, problem } = await device.contents();
  const words: string[] = [];
  if (device.dmName !== undefined) words.push(`(${text(device.dmName)})`);
  if (problem !== undefined) words.push("(unreadable)");
  if (found?.type !== undefined) words.push(text(found.type));
  if (found?.label) words.push(`LABEL="${text(found.label)}"`);
  if (found?.uuid) words.push(`UUID=${text(found.uuid)}`);
  if (found?.damaged !== undefined) words.push("(damaged)");
  const table = await tableRow(devices, device);
  if (table !== undefined) words.push(`PARTUUID=${table.uuid}`);
  if (table?.name) words.push(`PARTLABEL="${text(table.name)}"`);
  if (found === undefined && problem === undefined && (await device.table()) !== undefined)
    words.push("(partitioned)");
  return words;
}

async function tableRow(
  devices: BlockDevices,
  { partition }: BlockDevice,
): Promise<{ uuid: string; name: string } | undefined> {
  if (partition === undefined) return undefined;
  const table = await devices.get(partition.disk)?.table();
  return table?.partitions.find((row) => row.number === partition.number);
}

function describeSize(size_bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = size_bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size >= 10 ? Math.round(size) : Math.round(size * 10) / 10} ${units[unit]}`;
}
