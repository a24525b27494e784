import { expect, test } from "bun:test";
import { oldMounts, swapPaths } from "../../../src/exitrd/filesystems.ts";

/** As Debian 12 left it, shortened. */
const MOUNTINFO = `\
24 1 0:23 /initramfs / rw,nosuid,nodev - tmpfs tmpfs rw
29 24 253:3 / /oldroot ro,relatime - ext4 /dev/mapper/debian--vg-root_crypt ro
22 29 0:6 / /oldroot/dev rw,nosuid shared:2 - devtmpfs udev rw
25 22 0:24 / /oldroot/dev/pts rw - devpts devpts rw
40 29 0:40 / /oldroot/my\\040disk rw - nfs4 server:/export rw
45 24 0:21 / /sys rw - sysfs sysfs rw
46 24 0:6 / /dev rw - devtmpfs udev rw
47 24 0:23 / /run rw - tmpfs tmpfs rw
48 24 0:22 / /proc rw - proc proc rw
`;

test("all but what the exitrd stands on, the latest first", () => {
  expect(oldMounts(MOUNTINFO)).toEqual([
    { path: "/oldroot/my disk", source: "server:/export" },
    { path: "/oldroot/dev/pts", source: undefined },
    { path: "/oldroot/dev", source: undefined },
    { path: "/oldroot", source: "/dev/mapper/debian--vg-root_crypt" },
  ]);
  expect(oldMounts("")).toEqual([]);
});

test("swap", () => {
  const swaps =
    "Filename\t\t\t\tType\t\tSize\n/dev/dm-1                               partition\t32764\t\t0\n/a\\040b file 1 0\n";
  expect(swapPaths(swaps)).toEqual(["/dev/dm-1", "/a b"]);
  expect(swapPaths("")).toEqual([]);
  expect(swapPaths("Filename\n")).toEqual([]);
});
