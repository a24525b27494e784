import { expect, test } from "bun:test";
import { composedDevices, titleOfMapping, uppermost } from "../../../src/exitrd/devices.ts";
import { type Tree, fakeKernel, symlink } from "../../../syscalls/fake.ts";

function machine(block: Tree) {
  return fakeKernel({ rootfs: { sys: {} }, mounts: [{ at: "/sys", type: "sysfs" }], sysfs: { block } }).sys;
}

const link = symlink("../../nowhere");

test("what is put together, with what stands on it, and not the disks", () => {
  const sys = machine({
    "dm-0": { dev: "253:0\n", dm: { name: "root\n", uuid: "CRYPT-LUKS2-x-root\n" }, holders: {} },
    md0: {
      dev: "9:0\n",
      md: { array_state: "clean\n" },
      holders: {},
      md0p1: { holders: { "dm-0": link } },
      md0p2: { holders: {} },
    },
    loop0: { dev: "7:0\n", loop: { backing_file: "/oldroot/disk image\n" }, holders: { md0: link } },
    vda: { dev: "254:0\n", holders: { md0: link } },
  });
  const found = composedDevices(sys);
  expect(found).toEqual([
    { name: "dm-0", kind: "mapping", rdev: "253:0", title: "the encrypted volume root", holders: [] },
    {
      name: "loop0",
      kind: "loop",
      rdev: "7:0",
      title: "the loop device loop0 (/disk image)",
      holders: ["md0"],
    },
    { name: "md0", kind: "array", rdev: "9:0", title: "the array md0", holders: ["dm-0"] },
  ]);
  expect(uppermost(found).map(({ name }) => name)).toEqual(["dm-0"]);
});

test("what is not in use is not there", () => {
  const sys = machine({
    loop0: { dev: "7:0\n", loop: {}, holders: {} },
    loop1: { dev: "7:1\n", holders: {} },
    md127: { dev: "9:127\n", md: { array_state: "clear\n" }, holders: {} },
  });
  expect(composedDevices(sys)).toEqual([]);
});

test.each([
  ["CRYPT-LUKS2-3fae9d8c-root", "the encrypted volume a"],
  ["LVM-abc", "the logical volume a"],
  ["mpath-36005", "the multipath device a"],
  ["part1-mpath-36005", "the partition a"],
  ["", "the mapping a"],
])("a mapping with the UUID %j", (uuid, title) => {
  expect(titleOfMapping("a", uuid)).toBe(title);
});
