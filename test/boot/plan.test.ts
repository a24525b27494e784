/** What `rdinit plan` says of a command line is what the kernel and /init make of it. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import { run } from "../../qemu/host.ts";
import type { Listing } from "../../qemu/probe.ts";
import { TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { initWords } from "../../src/boot/cmdline/initwords.ts";
import { planBoot } from "../../src/plan/plan.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let disk: string;
let initrd: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  initrd = await rdinitImage({ name: "plan" });
}, TEST_MS);

function given(listing: Listing, what: "argv" | "environ"): string[] {
  const count = Number(listing.get(`${what}.count`));
  return Array.from({ length: count }, (_, at) => listing.get(`${what}.${at}`) ?? "");
}

for (const [name, words] of [
  [
    "plan-words",
    'BOOT_IMAGE=/vmlinuz quiet splash single a=1 b="two words" "c=three four" "five six" a=2 d.e f.g=1 h=i.j',
  ],
  ["plan-dashes", "quiet TERM=vt100 x -- ro root=/dev/null a.b y=1 -- lost"],
  [
    "plan-init",
    "auto quiet early=1 init=/sbin/init late rd.odd rd.timeout=soon panic=0 loglevel=4 ro nosmp =x y=",
  ],
  ["plan-bytes", "quiet rd.shell=0 Gr\xfc\xdfe=\xe4 \xff hostname=h panic=-1 -- \xe4"],
] as const)
  test(
    name,
    async () => {
      // QEMU takes the words as bytes of UTF-8, which the guest's command line then holds.
      const append = `root=/dev/vda ${words}`;
      const machine = await bootRdinit(name, { append, disks: [{ file: disk }], initrd });
      const listing = await probed(machine);
      const line = listing.get("kernel.cmdline") ?? "";
      const { args, env } = initWords(line);
      expect(given(listing, "argv")).toEqual(["/sbin/init", ...args]);
      expect(given(listing, "environ")).toEqual([...env]);
      const { steps, obstacle } = planBoot(line);
      expect(obstacle).toBeUndefined();
      expectSaid(
        machine,
        steps.filter((step) => step.startsWith("Warn: ")).map((step) => step.slice("Warn: ".length)),
      );
    },
    TEST_MS,
  );

test("the binary says it, and by its status whether a boot can come of it", async () => {
  const said = await run(["build/rdinit", "plan", "--cmdline", "root=/dev/vda -- one"]);
  expect(said).toContain(". Wait for at most 30 s until /dev/vda is there.\n");
  expect(said).toContain("with the arguments 'one'.\n");
  const child = Bun.spawnSync(["build/rdinit", "plan", "--cmdline", "quiet"]);
  expect(child.exitCode).toBe(1);
  expect(child.stdout.toString()).toContain("names no root filesystem");
});
