import { describe, expect, test } from "bun:test";
import { HANDOVER_RULES, STACKED_RULES } from "../../../qemu/handover/rules.ts";
import { run } from "../../../qemu/host.ts";
import { buildProbe, compare, describeDifferences, parseListing } from "../../../qemu/probe.ts";
import type { Listing } from "../../../qemu/probe.ts";

const listing = (...lines: readonly string[]): Listing =>
  parseListing(["before", "PROBE BEGIN", ...lines, `PROBE END ${lines.length}`, "after"].join("\n"));

const near = (a?: string, b?: string) => Math.abs(Number(a) - Number(b)) < 20;

/** The keys that the hand-over's rules leave when `direct` becomes `through`. */
const left = (direct: readonly string[], through: readonly string[]) =>
  compare(listing(...direct), listing(...through), HANDOVER_RULES).map(({ key }) => key);

describe("parseListing", () => {
  test("takes keys and values, with their bytes back", () => {
    expect([...listing("pid=1", "environ.0=HOME=/", "dir./run/a\\x20b\\x3dc=file", "empty=")]).toEqual([
      ["pid", "1"],
      ["environ.0", "HOME=/"],
      ["dir./run/a b=c", "file"],
      ["empty", ""],
    ]);
    expect(listing("name=\\x00\\xff\\x5cx41").get("name")).toBe("\0\xff\\x41");
  });

  test("takes the last listing of several", () => {
    expect(parseListing("PROBE BEGIN\na=1\nPROBE END 1\nPROBE BEGIN\na=2\nPROBE END 1\n").get("a")).toBe("2");
  });

  test("refuses what is missing, cut off, or damaged", () => {
    expect(() => parseListing("nothing here")).toThrow("no listing");
    expect(() => parseListing("PROBE BEGIN\na=1\n")).toThrow("cut off");
    expect(() => parseListing("PROBE BEGIN\na=1\nPROBE END 2\n")).toThrow("2 lines and 1 came");
    expect(() => listing("no value")).toThrow("no key=value");
    expect(() => listing("a=1", "a=2")).toThrow("'a' twice");
  });
});

describe("compare", () => {
  const direct = listing("pid=1", "gone=x", "memory.free=1000");
  const through = listing("pid=2", "memory.free=990", "new=y");

  test("lists what differs, is missing, and is new", () => {
    expect(compare(direct, through, [])).toEqual([
      { key: "pid", direct: "1", through: "2" },
      { key: "gone", direct: "x", through: undefined },
      { key: "memory.free", direct: "1000", through: "990" },
      { key: "new", direct: undefined, through: "y" },
    ]);
    expect(compare(direct, direct, [])).toEqual([]);
  });

  test("leaves out what a rule allows, and only that", () => {
    const rules = [
      { key: /^memory/, why: "near", allows: near },
      { key: /^new$/, why: "any" },
    ];
    expect(compare(direct, through, rules).map(({ key }) => key)).toEqual(["pid", "gone"]);
    expect(compare(direct, listing("pid=1", "gone=x", "memory.free=900"), rules)).toHaveLength(1);
  });

  test("describes differences in words that keep the console whole", () => {
    expect(describeDifferences([{ key: "argv.1", direct: "a\x1b", through: undefined }])).toBe(
      "argv.1: directly a\\x1b, through us (nothing)",
    );
  });
});

describe("HANDOVER_RULES", () => {
  test("allow the mounts that are there already, as the hand-over wants them", () => {
    const fields = [
      "type=tmpfs",
      "options=rw,nosuid,nodev,relatime",
      "super=rw,size=1k,mode=755",
      "parent=/",
    ];
    const lines = ["mounted.run=yes", "mounts.count=5", ...fields.map((field) => `mount./run.${field}`)];
    expect(left(["mounted.run=no", "mounts.count=1"], lines)).toEqual([]);
    expect(left([], ["mount./run.options=rw,nosuid,nodev,noexec,relatime"])).toEqual(["mount./run.options"]);
    expect(left([], ["mount./run.options=rw,relatime"])).toEqual(["mount./run.options"]);
    expect(left([], ["mount./run.parent=outside"])).toEqual(["mount./run.parent"]);
    expect(left(["mounts.count=2"], ["mounts.count=7"])).toEqual(["mounts.count"]);
    expect(left([], ["mount./dev/pts.type=devpts"])).toEqual(["mount./dev/pts.type"]);
  });

  test("allow nothing to be another, or gone, that the kernel's own start has as well", () => {
    const fields = ["dev", "root", "options", "propagation", "type", "source", "super", "statfs", "parent"];
    const keys = [
      ...["dev", "proc", "sys", "run"].flatMap((at) => fields.map((field) => `mount./${at}.${field}`)),
      ...["udev", "udev/data", "udev/data/b253:0", "mdadm", "mdadm/map"].map((name) => `dir./run/${name}`),
    ];
    const before = keys.map((key) => `${key}=tmpfs`);
    expect(
      left(
        before,
        keys.map((key) => `${key}=/`),
      ),
    ).toEqual(keys);
    expect(left(before, [])).toEqual(keys);
    const nodes = ["dm-0", "md0", "mapper/clear", "bootgroup"].map((name) => `dir./dev/${name}`);
    const [had, has] = ["block", "char"].map((type) => listing(...nodes.map((key) => `${key}=${type}`)));
    const stacked = compare(had ?? listing(), has ?? listing(), STACKED_RULES);
    expect(stacked.map(({ key }) => key)).toEqual(nodes);
    expect(compare(listing(), has ?? listing(), STACKED_RULES)).toEqual([]);
  });

  test("allow less memory than 4 MB, and sizes made from memory to shrink", () => {
    expect(left(["memory.free=500000"], ["memory.free=496000"])).toEqual([]);
    expect(left(["memory.free=500000"], ["memory.free=495000"])).toEqual(["memory.free"]);
    expect(left(["rlimit.nproc=1951 1951"], ["rlimit.nproc=1500 1500"])).toEqual([]);
    expect(left(["rlimit.nproc=1951 1951"], ["rlimit.nproc=1952 1951"])).toEqual(["rlimit.nproc"]);
    expect(left(["rlimit.nofile=1024 4096"], ["rlimit.nofile=4096 4096"])).toEqual(["rlimit.nofile"]);
  });

  test("allow the console opened anew, not another one, and no leftovers", () => {
    expect(left(["fd.0.flags=2"], ["fd.0.flags=100002"])).toEqual([]);
    expect(left(["fd.0.flags=2"], ["fd.0.flags=104002"])).toEqual(["fd.0.flags"]);
    expect(left(["fd.0.link=/dev/console"], ["fd.0.link=/dev/console (deleted)"])).toEqual(["fd.0.link"]);
    expect(left([], ["fd.3.link=/dev/null"])).toEqual(["fd.3.link"]);
    expect(left([], ["dir./run/udev=dir 0755 0:0", "dir./run/secret=file 0600 0:0 size 32"])).toEqual([
      "dir./run/secret",
    ]);
  });

  test("do not allow what a careless init leaves behind", () => {
    const lines = [
      "environ.2=PATH=/bin",
      "signal.13=ignored",
      "process.90=comm x state S ppid 1",
      "userns=EPERM",
    ];
    expect(left(["signal.13=default", "userns=ok"], lines)).toEqual([
      "signal.13",
      "userns",
      "environ.2",
      "process.90",
    ]);
  });
});

test("the probe tells of any process, not only of process 1", async () => {
  const told = parseListing(await run([await buildProbe(), "an argument"], { env: { PROBE_TEST: "a=b" } }));
  expect(told.get("argv.1")).toBe("an argument");
  expect([...told.values()]).toContain("PROBE_TEST=a=b");
  expect(Number(told.get("pid"))).toBeGreaterThan(1);
  expect(told.get("umask")).toMatch(/^0\d\d$/);
  expect([...told.keys()].filter((key) => key.startsWith("signal."))).toHaveLength(64);
  expect([...told.keys()].filter((key) => key.startsWith("rlimit."))).toHaveLength(16);
});
