import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseUevent, parseUeventFile } from "../../../../src/boot/devices/uevent.ts";

const add =
  "add@/devices/x/block/vda\0ACTION=add\0DEVPATH=/devices/x/block/vda\0SUBSYSTEM=block\0DEVNAME=vda\0SEQNUM=7\0";

test("a kernel event", () => {
  const event = parseUevent(add);
  expect(event?.action).toBe("add");
  expect(event?.devpath).toBe("/devices/x/block/vda");
  expect(event?.values.get("DEVNAME")).toBe("vda");
});

test("a value may hold an equals sign and a line break", () => {
  expect(parseUevent(`${add}PARTNAME=a=b\nc\0`)?.values.get("PARTNAME")).toBe("a=b\nc");
});

test("what is not of the kernel's form is no event", () => {
  for (const other of [
    "",
    "libudev\0\xfe\xed",
    "add@/x",
    "add@/x\0ACTION=remove\0DEVPATH=/x\0",
    "@\0ACTION=\0",
  ])
    expect(parseUevent(other)).toBeUndefined();
});

test("any bytes give an event or none", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (junk) => {
      expect(parseUevent(junk) ?? { action: "" }).toHaveProperty("action");
      expect(parseUevent(add + junk)?.action).toBeOneOf(["add", undefined]);
    }),
  );
});

test("a uevent file of sysfs", () => {
  expect([...parseUeventFile("MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\nPARTN=1\n")]).toEqual([
    ["MAJOR", "254"],
    ["MINOR", "1"],
    ["DEVNAME", "vda1"],
    ["DEVTYPE", "partition"],
    ["PARTN", "1"],
  ]);
});
