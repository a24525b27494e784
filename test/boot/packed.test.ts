/** Parameters of the image: they find the root by themselves, the kernel command line wins, and the init sees none. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage } from "../../qemu/images.ts";
import type { Listing } from "../../qemu/probe.ts";
import { ROOT_UUID, TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const OTHER_UUID = "8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a004";
const dir = temporaryDirectory();
let disks: readonly { readonly file: string }[];
let initrd: string;

beforeAll(async () => {
  disks = [
    { file: await probeDisk(dir) },
    { file: await probeDisk(dir, { file: "other.img", uuid: OTHER_UUID }) },
  ];
  const words = `# for this machine\nroot=UUID=${OTHER_UUID} rw\nrootflags=noatime rd.shell=0 single extra=1 -- last\n`;
  initrd = await rdinitImage({ name: "packed", files: [packed(words)] });
}, TEST_MS);

function packed(words: string) {
  return { to: "/etc/rdinit/cmdline", data: Buffer.from(words, "latin1") };
}

/** Arguments and variables as the real init got them. */
function given(listing: Listing, what: "argv" | "environ"): string[] {
  const count = Number(listing.get(`${what}.count`));
  return Array.from({ length: count }, (_, at) => listing.get(`${what}.${at}`) ?? "");
}

test(
  "a kernel command line that names no root boots, and none of the image's words reach the init",
  async () => {
    const machine = await bootRdinit("packed", { append: "two", disks, initrd });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vdb");
    expect(listing.get("mount./.options")).toStartWith("rw,noatime");
    expect(given(listing, "argv")).toEqual(["/sbin/init", "two"]);
    expect(given(listing, "environ")).toEqual(["HOME=/", "TERM=linux"]);
    const useless =
      "in the image is ignored: the kernel and the real init read nothing but the kernel command line, " +
      "and rdinit has no use for it.";
    expectSaid(machine, [
      "what stands behind -- in /etc/rdinit/cmdline is left out: the real init gets the kernel's words alone.",
      `single ${useless}`,
      `extra=1 ${useless}`,
    ]);
  },
  TEST_MS,
);

test(
  "what the kernel command line says wins",
  async () => {
    const append = `quiet root=UUID=${ROOT_UUID} ro rootflags=nodev`;
    const listing = await probed(await bootRdinit("packed-wins", { append, disks, initrd }));
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expect(listing.get("mount./.options")).toStartWith("ro,nodev,relatime");
  },
  TEST_MS,
);

test(
  "a damaged file is told, and the boot goes on without it",
  async () => {
    const damaged = await rdinitImage({ name: "packed-damaged", files: [packed("root=/dev/vdb\0\xff\0rw")] });
    const machine = await bootRdinit("packed-damaged", {
      append: "root=/dev/vda quiet",
      disks,
      initrd: damaged,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    expectSaid(machine, [
      "/etc/rdinit/cmdline of the image is not used: it holds zero bytes, so it was damaged.",
    ]);
  },
  TEST_MS,
);
