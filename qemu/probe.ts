/** The probe (test/probe/probe.c): built, put into roots, its listings parsed and compared. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "../src/lib/bytes.ts";
import { compile, PROJECT } from "./host.ts";
import { startMachine } from "./machine.ts";
import type { MachineOptions } from "./machine.ts";
import { ROOT_FOLDERS } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** What the probe saw, by key, in its order; keys and values are byte strings. */
export type Listing = ReadonlyMap<string, string>;

/** A difference between two listings that the hand-over allows. */
export interface Rule {
  readonly key: RegExp;
  /** Why it is allowed, a clause. */
  readonly why: string;
  /**
   * Whether these two values may stand for each other, undefined for a key that is missing; all may when left
   * out.
   */
  readonly allows?: (direct: string | undefined, through: string | undefined) => boolean;
}

/** A key whose values differ. */
export interface Difference {
  readonly key: string;
  readonly direct: string | undefined;
  readonly through: string | undefined;
}

/** Compiles the probe; the path of the program. */
export function buildProbe(): Promise<string> {
  const dir = join(PROJECT, "test/probe");
  const names = readdirSync(dir).filter((name) => /\.[ch]$/.test(name));
  return compile(
    "probe",
    names.sort().map((name) => join(dir, name)),
  );
}

/** A root whose /sbin/init is the probe. */
export async function probeRoot(): Promise<Tree> {
  return [...ROOT_FOLDERS, { path: "/sbin/init", kind: "file", from: await buildProbe(), mode: 0o755 }];
}

/**
 * The listing in a console's text, the last one when there are several. Throws Error when it is missing, cut
 * off, or damaged: a line lost on the console is never taken for a difference.
 */
export function parseListing(console: string): Listing {
  const begin = console.lastIndexOf("PROBE BEGIN\n");
  if (begin < 0) throw new Error("the console holds no listing of the probe");
  const body = console.slice(begin + "PROBE BEGIN\n".length);
  const end = /^PROBE END (\d+)$/m.exec(body);
  if (end === null) throw new Error("the probe's listing is cut off");
  const lines = body.slice(0, end.index).split("\n").slice(0, -1);
  if (lines.length !== Number(end[1]))
    throw new Error(`the probe wrote ${end[1]} lines and ${lines.length} came over the console`);
  const listing = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`the probe's line ${JSON.stringify(line)} is no key=value`);
    const key = unescape(line.slice(0, at));
    if (listing.has(key)) throw new Error(`the probe listed '${key}' twice`);
    listing.set(key, unescape(line.slice(at + 1)));
  }
  return listing;
}

/**
 * All keys whose values differ and that no rule allows, in the order of `direct`, then those only `through`
 * has.
 */
export function compare(direct: Listing, through: Listing, rules: readonly Rule[]): Difference[] {
  const differences: Difference[] = [];
  for (const key of new Set([...direct.keys(), ...through.keys()])) {
    const [before, after] = [direct.get(key), through.get(key)];
    if (before === after) continue;
    const allowed = rules.some((rule) => rule.key.test(key) && (rule.allows?.(before, after) ?? true));
    if (!allowed) differences.push({ key, direct: before, through: after });
  }
  return differences;
}

/** One line for each difference, for the message of a failed test; `who` handed over. */
export function describeDifferences(differences: readonly Difference[], who = "us"): string {
  return differences
    .map(
      ({ key, direct, through }) => `${text(key)}: directly ${show(direct)}, through ${who} ${show(through)}`,
    )
    .join("\n");
}

/** Starts a machine whose real init is the probe, and returns its listing when it has powered off. */
export async function probeMachine(options: MachineOptions): Promise<Listing> {
  const machine = await startMachine(options);
  await machine.console.expect(/PROBE END \d+\n/, options.timeout_ms ?? 60_000);
  await machine.expectEnd("powered off");
  return parseListing(machine.console.text);
}

/**
 * The listing of the probe on the first disk, started by the kernel itself: `append` must name the root
 * (root=/dev/vda), and the kernel must have all drivers built in.
 */
export function referenceListing(options: Omit<MachineOptions, "initrd">): Promise<Listing> {
  return probeMachine(options);
}

function show(value: string | undefined): string {
  return value === undefined ? "(nothing)" : text(value);
}

function unescape(escaped: string): string {
  return escaped.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
