import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseMountOptions } from "../../../../src/boot/mount/mountoptions.ts";
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_RELATIME,
} from "../../../../syscalls/index.ts";

describe("options as fstab(5) has them", () => {
  const table: readonly (readonly [string, number, { flags: number; data: string }])[] = [
    ["", MS_RDONLY, { flags: MS_RDONLY, data: "" }],
    ["rw", MS_RDONLY, { flags: 0, data: "" }],
    ["rw,ro", 0, { flags: MS_RDONLY, data: "" }],
    ["noatime,nodev,nosuid,noexec", 0, { flags: MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC, data: "" }],
    ["nodev,dev,exec,suid", MS_NOSUID, { flags: 0, data: "" }],
    ["subvol=/@,compress=zstd,relatime", 0, { flags: MS_RELATIME, data: "subvol=/@,compress=zstd" }],
    [",,data=journal,,ro,", 0, { flags: MS_RDONLY, data: "data=journal" }],
    ["defaults,auto,nofail,_netdev,user,x-systemd.automount,comment=x", 0, { flags: 0, data: "" }],
    ['context="a:b,c",ro', 0, { flags: MS_RDONLY, data: 'context="a:b,c"' }],
    ["lowerdir=/a\\,b,ro", 0, { flags: MS_RDONLY, data: "lowerdir=/a\\,b" }],
    ["X-mount.mkdir,x-initrd.mount", 0, { flags: 0, data: "" }],
    ['x="open,ro', 0, { flags: 0, data: 'x="open,ro' }],
    // Names of object properties and other cases are options of the filesystem.
    ["constructor,RO,toString", 0, { flags: 0, data: "constructor,RO,toString" }],
    ["ro=1,users=5", 0, { flags: 0, data: "ro=1,users=5" }],
  ];
  for (const [list, flags, expected] of table)
    test(JSON.stringify(list), () => expect(parseMountOptions(list, flags)).toEqual(expected));
});

test("options of a filesystem reach it whole and in order, whatever stands between them", () => {
  const own = fc
    .stringMatching(/^fs_[a-z0-9=/"]{0,8}$/)
    .filter((option) => (option.split('"').length - 1) % 2 === 0);
  const known = fc.constantFrom("ro", "rw", "noatime", "nodev", "defaults", "x-any", "");
  const tagged = fc.oneof(
    own.map((option) => ({ option, own: true })),
    known.map((option) => ({ option, own: false })),
  );
  fc.assert(
    fc.property(fc.array(tagged), (options) => {
      const { flags, data } = parseMountOptions(options.map(({ option }) => option).join(","));
      expect(data).toBe(options.flatMap((each) => (each.own ? [each.option] : [])).join(","));
      const last = options.findLast(({ option }) => option === "ro" || option === "rw");
      expect((flags & MS_RDONLY) !== 0).toBe(last?.option === "ro");
    }),
  );
});

test("what comes out goes in again without a change", () => {
  fc.assert(
    fc.property(fc.string(), (list) => {
      const once = parseMountOptions(list);
      expect(parseMountOptions(once.data, once.flags)).toEqual(once);
    }),
  );
});
