import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type DeviceRef, describeRef, parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";

const tag = (
  name: "UUID" | "LABEL" | "PARTUUID" | "PARTLABEL",
  value: string,
  partitionOffset = 0,
): DeviceRef => ({
  kind: "tag",
  tag: name,
  value,
  partitionOffset,
});

describe("ways to name a device", () => {
  const table: [string, DeviceRef][] = [
    ["/dev/vda1", { kind: "path", name: "vda1" }],
    ["/dev//mapper/./vg-root", { kind: "path", name: "mapper/vg-root" }],
    ["/dev/disk/by-id/virtio-root-part1", { kind: "path", name: "disk/by-id/virtio-root-part1" }],
    ["ID=virtio-root-part1", { kind: "path", name: "disk/by-id/virtio-root-part1" }],
    ["UUID=6f5401f8-12df-4e17-9935-5478f161d51a", tag("UUID", "6f5401f8-12df-4e17-9935-5478f161d51a")],
    ["uuid=ABCD-1234", tag("UUID", "ABCD-1234")],
    ["LABEL=my root", tag("LABEL", "my root")],
    ['LABEL="my root"', tag("LABEL", "my root")],
    ["PARTUUID=0badcafe-01", tag("PARTUUID", "0badcafe-01")],
    ["PARTUUID=0badcafe-01/PARTNROFF=2", tag("PARTUUID", "0badcafe-01", 2)],
    ["PARTUUID=0badcafe-03/PARTNROFF=-1", tag("PARTUUID", "0badcafe-03", -1)],
    ["PARTLABEL=root", tag("PARTLABEL", "root")],
    ["/dev/disk/by-uuid/ABCD-1234", tag("UUID", "ABCD-1234")],
    ["/dev/disk/by-label/my\\x20root", tag("LABEL", "my root")],
    ["/dev/disk/by-partlabel/a\\x2fb", tag("PARTLABEL", "a/b")],
    ["8:1", { kind: "number", rdev: "8:1" }],
    ["801", { kind: "number", rdev: "8:1" }],
    ["0x801", { kind: "number", rdev: "8:1" }],
    ["10305", { kind: "number", rdev: "259:5" }],
  ];
  for (const [written, expected] of table)
    test(written, () => expect(parseDeviceRef(written)).toEqual(expected));
});

describe("what names no device", () => {
  for (const written of ["", "vda1", "/", "/dev/", "/dev/../etc", "UUID=", "PARTUUID=x/y", "/sys/block"])
    test(JSON.stringify(written), () => expect(parseDeviceRef(written)).toBeString());
});

test("any bytes are a reference or a sentence, and are described in one line", () => {
  const prefix = fc.constantFrom("", "/dev/", "LABEL=", "PARTUUID=", "/dev/disk/by-label/");
  fc.assert(
    fc.property(prefix, fc.string({ unit: "binary" }), (start, rest) => {
      const ref = parseDeviceRef(start + rest);
      const shown = typeof ref === "string" ? ref : describeRef(ref);
      expect(shown).not.toMatch(/[\u0000-\u001f]/);
    }),
  );
});
