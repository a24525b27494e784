import { expect, test } from "bun:test";
import { kernelEntries, readKernelLog } from "../../../../src/boot/timing/kernel-log.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";

const RECORDS = [
  "5,0,0,-;Linux version 6.1.0-37-amd64",
  "6,300,400000,-;Trying to unpack rootfs image as initramfs...",
  "7,301,450000,-;initcall acpi_init+0x0/0x5b2 returned 0 after 21000 usecs",
  "7,302,460000,-;initcall tiny+0x0/0x10 returned 0 after 12 usecs",
  "7,303,470000,-;initcall absent+0x0/0x10 [drv] returned -19 after 2000 usecs",
  "6,310,900000,-;Freeing initrd memory: 162616K\n SUBSYSTEM=mm\n",
  "6,320,1000000,-;Run /init as init process",
  "12,321,1100000,-;initcall of_a_hook+0x0 returned 0 after 99999 usecs",
  "noise",
];

test("unpacking the image and slow calls are known, on the clock of the rest, and nothing behind /init", () => {
  expect(kernelEntries(RECORDS, 1_002_000)).toEqual([
    { lane: "kernel", name: "unpacking the initramfs", from_us: 402_000, to_us: 902_000 },
    { lane: "kernel", name: "acpi_init", from_us: 431_000, to_us: 452_000 },
    { lane: "kernel", name: "absent", note: "returned -19", from_us: 470_000, to_us: 472_000 },
  ]);
});

test("a log whose beginning is gone, or that can't be read, tells nothing", () => {
  expect(kernelEntries(RECORDS.slice(0, 6), 1_000_000)).toEqual([]);
  expect(kernelEntries(RECORDS.slice(5), 1_000_000)).toEqual([]);
  expect(kernelEntries(RECORDS, 1000)).toEqual([]);
  expect(readKernelLog(fakeKernel({ rootfs: {} }).sys)).toEqual([]);
});
