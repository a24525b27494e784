/**
 * What a real init finds otherwise than if the kernel had started it directly: one probe (test/probe), compared
 * line by line.
 *
 *   bun qemu/handover/table.ts [scenes] [peers] [faults] [secrets]      these tables, or the first two
 *
 * "scenes" is rdinit alone, on a kernel that can start the probe from the same disk by itself; its status is 1 when
 * anything differs. "peers" holds rdinit beside others, on the distribution's kernel. What is allowed to differ, and
 * why, is in rules.ts: /proc, /sys, /dev and /run mounted already, above all. "faults" is what comes of boots in
 * which a call of the hand-over fails, behind its checks: a quarter of an hour. "secrets" is where a passphrase that was
 * typed still stands in memory.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "../../src/lib/bytes.ts";
import { UserError, describe } from "../../src/lib/errors.ts";
import { GROUP_NAMES, byThing, countByGroup } from "./groups.ts";
import { sufferFaults } from "./matrix.ts";
import { type Judged, judgePeers } from "./peers.ts";
import { secretsInMemory } from "./secrets.ts";
import { SCENES, playScene, sceneImage } from "./scenes.ts";
import { type Difference, describeDifferences } from "../probe.ts";

/** Longest line that a difference takes, and how many are shown of one thing. */
const WIDTH = 180;
const SHOWN = 3;

/** The tables by name; each tells whether rdinit differs nowhere. */
const TABLES: Readonly<Record<string, (dir: string) => Promise<boolean>>> = {
  scenes,
  peers,
  faults,
  secrets,
};
const STANDARD = ["scenes", "peers"];

async function scenes(dir: string): Promise<boolean> {
  console.log("rdinit, kernel with all drivers built in: what differs from a start by the kernel alone");
  console.log(`${"scene".padEnd(52)}${"differences".padStart(13)}${"free memory".padStart(15)}`);
  const initrd = await sceneImage();
  const found: { name: string; differences: readonly Difference[] }[] = [];
  for (const scene of SCENES) {
    const { direct, through, differences } = await playScene(scene, initrd, dir);
    const free_kb = Number(through.get("memory.free")) - Number(direct.get("memory.free"));
    console.log(scene.name.padEnd(52) + String(differences.length).padStart(13) + megabytes(free_kb));
    found.push({ name: scene.name, differences });
  }
  const all = found.reduce((sum, { differences }) => sum + differences.length, 0);
  console.log(`${"in all".padEnd(52)}${String(all).padStart(13)}`);
  for (const { name, differences } of found) tell(name, differences);
  return all === 0;
}

async function peers(dir: string): Promise<boolean> {
  console.log("The distribution's kernel: how many things differ from a start by the kernel alone");
  const judged: Judged[] = [];
  for await (const one of judgePeers(dir)) judged.push(one);
  const line = (name: string, cell: (one: Judged) => string): void =>
    console.log(name.padEnd(26) + judged.map((one) => cell(one).padStart(17)).join(""));
  line("", ({ name }) => name);
  for (const group of GROUP_NAMES)
    line(group, (one) => ("why" in one ? "-" : String(countByGroup(one.differences).get(group) ?? 0)));
  line("things in all", (one) => ("why" in one ? "-" : String(byThing(one.differences).size)));
  line("free memory", (one) => ("why" in one ? "-" : megabytes(one.free_kb)));
  for (const one of judged) {
    if ("why" in one) console.log(`\n${one.name} was not measured: ${one.why}`);
    else tell(one.name, one.differences);
  }
  return judged.some((one) => one.name === "rdinit" && "differences" in one && one.differences.length === 0);
}

async function faults(dir: string): Promise<boolean> {
  console.log("rdinit, kernel with all drivers built in: what comes of a call that fails in the hand-over");
  let wrong = 0;
  for await (const { fault, outcome, sentence, right } of sufferFaults(dir)) {
    if (!right) wrong++;
    const call = `${fault.call} ${fault.code}`.padEnd(56);
    console.log(`${right ? "     " : "WRONG"} ${call} ${outcome.padEnd(18)} ${sentence ?? "(nothing said)"}`);
  }
  console.log(`${wrong} not as promised`);
  return wrong === 0;
}

async function secrets(dir: string): Promise<boolean> {
  console.log("rdinit, a passphrase typed: its copies in memory when the real init runs");
  const copies = await secretsInMemory(dir);
  for (const { address, inTerminal, around } of copies)
    console.log(
      `${address.toString(16).padStart(10)}  ${inTerminal ? "kernel's terminal" : "left over"}  ${around}`,
    );
  const left = copies.filter(({ inTerminal }) => !inTerminal);
  console.log(`${left.length} left over`);
  return left.length === 0;
}

/** How much more is free than after a start by the kernel. */
function megabytes(free_kb: number): string {
  return `${(free_kb / 1024).toFixed(1)} MB`.padStart(15);
}

function tell(name: string, differences: readonly Difference[]): void {
  if (differences.length === 0) return;
  console.log(`\n${name}:`);
  for (const [thing, all] of byThing(differences)) {
    for (const line of describeDifferences(all.slice(0, SHOWN), name).split("\n"))
      console.log(`  ${line.length > WIDTH ? `${line.slice(0, WIDTH - 3)}...` : line}`);
    if (all.length > SHOWN) console.log(`    and ${all.length - SHOWN} more of ${text(thing)}`);
  }
}

async function main(names: readonly string[]): Promise<void> {
  const wrong = names.find((name) => !Object.hasOwn(TABLES, name));
  if (wrong !== undefined)
    throw new UserError(`'${wrong}' is no table.`, `There are: ${Object.keys(TABLES).join(", ")}.`);
  const dir = mkdtempSync(join(tmpdir(), "rdinit-handover-"));
  try {
    for (const [at, name] of names.entries()) {
      if (at > 0) console.log("");
      if ((await TABLES[name]?.(dir)) !== true) process.exitCode = 1;
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  try {
    await main(names.length > 0 ? names : STANDARD);
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
