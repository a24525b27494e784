import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { hooksPart } from "../../../../src/image/etc/hooks.ts";
import { hostidPart } from "../../../../src/image/etc/hostid.ts";
import { etcParts } from "../../../../src/image/etc/index.ts";
import { modprobePart } from "../../../../src/image/etc/modprobe.ts";
import type { Part } from "../../../../src/image/part.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

test("modprobe.d: of two files with one name the earlier directory's, and all in one place", () => {
  const directory = temporaryTree({
    "etc/modprobe.d/a.conf": "blacklist a\n",
    "etc/modprobe.d/readme": "no .conf",
    "run/modprobe.d/r.conf": "blacklist r\n",
    "usr/local/lib/modprobe.d/b.conf": "options b x=1\n",
    "usr/lib/modprobe.d/a.conf": "blacklist other\n",
    "usr/lib/modprobe.d/b.conf": "options b x=2\n",
    "usr/lib/modprobe.d/c.conf": "install c /bin/false\n",
    "usr/lib/modprobe.d/masked.conf": "blacklist masked\n",
    lib: "-> usr/lib",
  });
  symlinkSync("/dev/null", join(directory, "etc/modprobe.d/masked.conf"));
  const [part] = modprobePart(new RootTree(directory));
  expect(part?.files).toEqual(["/etc/modprobe.d/a.conf"]);
  expect(part?.made?.map(({ to, data }) => [to, Buffer.from(data).toString()])).toEqual([
    ["/etc/modprobe.d/b.conf", "options b x=1\n"],
    ["/etc/modprobe.d/c.conf", "install c /bin/false\n"],
  ]);
});

function hostid(content: string): Part | undefined {
  return hostidPart(new RootTree(temporaryTree({ "etc/hostid": content })))[0];
}

test("the host ID is four bytes", () => {
  expect(hostid("\x01\x02\x03\x04")).toEqual({ why: "the host ID", files: ["/etc/hostid"] });
  expect(hostid("ascii text")?.notes?.[0]).toContain("has 10 bytes, while a host ID has 4");
});

describe("hooks", () => {
  test("are executables of the points that there are; all else is left out, and mostly told", () => {
    const directory = temporaryTree({
      "etc/rdinit.d/pre-mount/10-b": "#!/bin/sh\n",
      "etc/rdinit.d/pre-mount/05-a.sh": "#!/bin/sh\n",
      "etc/rdinit.d/pre-mount/notes": "text",
      "etc/rdinit.d/pre-mount/10-b~": "#!/bin/sh\n",
      "etc/rdinit.d/pre-mount/.hidden": "#!/bin/sh\n",
      "etc/rdinit.d/pre-mount/dir/x": "x",
      "etc/rdinit.d/pre-mound/x": "#!/bin/sh\n",
    });
    chmodSync(join(directory, "etc/rdinit.d/pre-mount/notes"), 0o644);
    const [part] = hooksPart(new RootTree(directory));
    expect(part?.programs).toEqual(["/etc/rdinit.d/pre-mount/05-a.sh", "/etc/rdinit.d/pre-mount/10-b"]);
    expect(part?.notes).toEqual([
      "/etc/rdinit.d/pre-mound is no point of the boot, and nothing in it is run; pre-mount is one.",
      "/etc/rdinit.d/pre-mount/dir is no file, and so no hook in the image.",
      "/etc/rdinit.d/pre-mount/notes is not executable (chmod +x makes it so), and so no hook in the image.",
    ]);
  });
});

test("a root without any of this takes nothing", () => {
  expect(etcParts(new RootTree(temporaryTree({ "etc/hostname": "x" })))).toEqual([]);
});
