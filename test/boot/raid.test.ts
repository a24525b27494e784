/** Roots on arrays of md: every level and metadata version, each way to name them, and what stands around them. */

import { beforeAll, expect, test } from "bun:test";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { type RdinitImage, rdinitImage } from "../../qemu/images.ts";
import { builtinKernel, stockKernel } from "../../qemu/kernel.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { compare, probeRoot, referenceListing } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import {
  ARRAY_ROOT_UUID,
  ARRAY_UUID,
  LEVEL_ARRAYS,
  MIRROR_ARRAYS,
  arrayDisks,
  disksOf,
  partitionedArray,
} from "../../qemu/storage/raid.ts";
import { dashUuid } from "../../src/lib/uuid.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const ROOT = `root=UUID=${ARRAY_ROOT_UUID}`;
let levels: string[];
let mirrors: string[];
let initrd: string;

beforeAll(async () => {
  const tree = await probeRoot();
  levels = await makeDisksInGuest(arrayDisks("raid-levels", LEVEL_ARRAYS, tree));
  mirrors = await makeDisksInGuest(arrayDisks("raid-mirrors", MIRROR_ARRAYS, tree));
  initrd = await rdinitImage({ name: "raid", tools: ["mdadm"] });
}, 4 * MACHINE_MS);

async function boot(name: string, append: string, files: readonly string[], image?: Partial<RdinitImage>) {
  return bootRdinit(`raid-${name}`, {
    append: `${append} panic=-1`,
    disks: files.map((file) => ({ file })),
    ...(image === undefined ? { initrd } : { image }),
  });
}

for (const array of LEVEL_ARRAYS)
  test(
    `level ${array.level}, whatever appears`,
    async () => {
      const machine = await boot(array.name, `${ROOT} rw`, disksOf(LEVEL_ARRAYS, array.name, levels));
      const listing = await probed(machine);
      expect(listing.get("mount./.source")).toBe("/dev/md127");
      expect(listing.get("mount./.options")).toMatch(/^rw,/);
      expect(listing.get("kernel.mdstat")).toContain(`md127 : active raid${array.level} `);
      expect(listing.get("processes.others")).toBe("0");
      expectSaid(machine, [
        new RegExp(
          `^array ${ARRAY_UUID} \\(${array.name}, raid${array.level}\\) is started as /dev/md/${array.name}, of vda`,
        ),
      ]);
    },
    TEST_MS,
  );

/** Each version with another way to name the array and its root. */
const mirrorLines: Readonly<Record<string, { line: string; source: string; named: string }>> = {
  "mirror-0.90": { line: `root=/dev/md0 rd.md.uuid=${ARRAY_UUID}`, source: "/dev/md0", named: "/dev/md0" },
  "mirror-1.0": {
    line: `root=/dev/md/mirror-1.0 rd.md.uuid=${dashUuid(ARRAY_UUID)}`,
    source: "/dev/md127",
    named: "/dev/md/mirror-1.0",
  },
  "mirror-1.1": {
    line: `${ROOT} rd.md.uuid=${ARRAY_UUID.replaceAll(":", "").toUpperCase()}`,
    source: "/dev/md127",
    named: "/dev/md/mirror-1.1",
  },
  "mirror-1.2": { line: ROOT, source: "/dev/md127", named: "/dev/md/mirror-1.2" },
};

for (const { name, metadata } of MIRROR_ARRAYS)
  test(
    `metadata ${metadata}: ${mirrorLines[name]?.line}`,
    async () => {
      const machine = await boot(name, mirrorLines[name]?.line ?? "", disksOf(MIRROR_ARRAYS, name, mirrors));
      const listing = await probed(machine);
      expect(listing.get("mount./.source")).toBe(mirrorLines[name]?.source);
      expect(listing.get("mount./.options")).toMatch(/^ro,/);
      expect(listing.get("kernel.mdstat")).toMatch(/ : active \(auto-read-only\) raid1 /);
      expectSaid(machine, [new RegExp(` is started as ${mirrorLines[name]?.named}, of vda and vdb$`)]);
    },
    TEST_MS,
  );

test(
  "the root on a partition of an array, by the name that udev would give it",
  async () => {
    const files = await makeDisksInGuest(partitionedArray(await probeRoot()));
    const listing = await probed(await boot("parted", "root=/dev/md/parted1 quiet", files));
    expect(listing.get("mount./.source")).toBe("/dev/md127p1");
  },
  TEST_MS,
);

test(
  "the name and the mode that mdadm.conf in the image gives it",
  async () => {
    const conf = `ARRAY <ignore> UUID=0:0:0:1\nARRAY /dev/md5 metadata=1.2 UUID=${ARRAY_UUID}\nAUTO -all\n`;
    const image = {
      tools: ["mdadm"],
      files: [{ to: "/etc/mdadm/mdadm.conf", data: Buffer.from(conf), mode: 0o644 }],
    };
    const files = disksOf(MIRROR_ARRAYS, "mirror-1.2", mirrors);
    const listing = await probed(await boot("conf", "root=/dev/md5 quiet", files, image));
    expect(listing.get("mount./.source")).toBe("/dev/md5");
  },
  TEST_MS,
);

test(
  "on the distribution's kernel, where all of it is in modules",
  async () => {
    const kernel = await stockKernel();
    const files = disksOf(LEVEL_ARRAYS, "raid5", levels);
    const machine = await bootRdinit("raid-stock", {
      kernel: kernel.vmlinuz,
      append: `${ROOT} rw panic=-1`,
      disks: files.map((file) => ({ file })),
      image: { kernel, tools: ["mdadm"] },
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/md127");
    expect(listing.get("kernel.mdstat")).toContain("[3/3] [UUU]");
    expect(listing.get("processes.others")).toBe("0");
  },
  TEST_MS,
);

test(
  "nothing but the array itself is left for the real init",
  async () => {
    const files = disksOf(MIRROR_ARRAYS, "mirror-1.2", mirrors);
    const through = await probed(await boot("handover", `${ROOT} rw`, files));
    const plain = await probeDisk(temporaryDirectory());
    const direct = await referenceListing({
      name: "raid-handover-direct",
      kernel: (await builtinKernel()).vmlinuz,
      append: "root=/dev/vdc rw panic=-1",
      disks: [...files, plain].map((file) => ({ file })),
      timeout_ms: MACHINE_MS,
    });
    const different = compare(direct, through, HANDOVER_RULES)
      .map(({ key }) => key)
      .filter((key) => !key.startsWith("memory."));
    expect(different.sort()).toEqual([
      "cwd.node",
      "dir./dev/md",
      "dir./dev/md/mirror-1.2",
      "dir./dev/md127",
      "dir./dev/vdc",
      "kernel.cmdline",
      "kernel.mdstat",
      "mount./.dev",
      "root.node",
    ]);
    expect(through.get("dir./dev/md")).toBe("dir 0755 0:0");
    expect(through.get("kernel.mdstat")).toContain("[2/2] [UU]");
  },
  TEST_MS,
);

/** What stands against an array, and what is said then. */
const refusals: readonly { name: string; line: string; image?: Partial<RdinitImage>; says: string }[] = [
  { name: "off", line: "rd.md=0", says: "rd.md=0 keeps vda and vdb from becoming an array." },
  {
    name: "other",
    line: "rd.md.uuid=00000000:11111111:22222222:33333333",
    says: `array ${ARRAY_UUID} (mirror-1.2, raid1) is left alone: rd.md.uuid= names others only.`,
  },
  {
    name: "toolless",
    line: "",
    image: {},
    says:
      `array ${ARRAY_UUID} (mirror-1.2, raid1) could not be started: ` +
      "mdadm is not in the image: build it with --tools mdadm.",
  },
];

for (const { name, line, image, says } of refusals)
  test(
    `${name}: ${says}`,
    async () => {
      const files = disksOf(MIRROR_ARRAYS, "mirror-1.2", mirrors);
      const machine = await boot(name, `${ROOT} rd.timeout=2 ${line}`, files, image);
      await machine.expectEnd("rebooted");
      expectSaid(machine, [new RegExp(says.replace(/[.()?]/g, "\\$&"))]);
    },
    TEST_MS,
  );
