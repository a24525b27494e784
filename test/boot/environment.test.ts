/**
 * Variables that would take over or kill the runtime, put into the environment of process 1 by the kernel's
 * command line: rdinit boots all the same, and the real init gets every one of them.
 */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import type { Listing } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, probeDisk, probed } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "environment" });
}, MACHINE_MS);

const hostile: readonly string[] = [
  "BUN_BE_BUN=1",
  "BUN_OPTIONS=--version",
  "BUN_INSPECT=1",
  "BUN_JSC_useJIT=0",
  "BUN_JSC_nonsense=1",
  "BUN_CONFIG_VERBOSE_FETCH=1",
  "LD_PRELOAD=/x",
  "LD_LIBRARY_PATH=/x",
  "LD_DEBUG=all",
  "LD_TRACE_LOADED_OBJECTS=1",
  "MIMALLOC_SHOW_STATS=1",
  "GLIBC_TUNABLES=glibc.malloc.check=3",
  "NODE_OPTIONS=--x",
  "RDINIT_NOFILE=3:3",
];

test(
  "all at once",
  async () => {
    const listing = await boot("environment-all", hostile);
    expect(environment(listing)).toEqual(["HOME=/", "TERM=linux", ...hostile]);
  },
  TEST_MS,
);

for (const variable of hostile)
  test(
    variable,
    async () => {
      const listing = await boot(`environment-${variable.replace(/=.*/, "")}`, [variable]);
      expect(environment(listing)).toEqual(["HOME=/", "TERM=linux", variable]);
    },
    TEST_MS,
  );

async function boot(name: string, variables: readonly string[]): Promise<Listing> {
  const append = `root=/dev/vda quiet ${variables.join(" ")}`;
  const listing = await probed(await bootRdinit(name, { append, disks: [{ file: disk }], initrd }));
  // What a start by the kernel alone gives, whatever the runtime was told.
  expect(listing.get("argv.count")).toBe("1");
  expect(listing.get("rlimit.nofile")).toBe("1024 4096");
  return listing;
}

/** The environment as the real init got it. */
function environment(listing: Listing): string[] {
  const count = Number(listing.get("environ.count"));
  return Array.from({ length: count }, (_, at) => listing.get(`environ.${at}`) ?? "");
}
