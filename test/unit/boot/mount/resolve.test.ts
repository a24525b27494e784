import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isInRoot, resolveInRoot } from "../../../../src/boot/mount/resolve.ts";
import { type Tree, fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { AT_FDCWD } from "../../../../syscalls/index.ts";

const root: Tree = {
  bin: symlink("usr/bin"),
  usr: { bin: { sh: "shell", up: symlink("../../../../etc/passwd"), abs: symlink("/etc/passwd") } },
  etc: {
    passwd: "inside",
    self: symlink("self"),
    a: symlink("b"),
    b: symlink("/etc/a"),
    gone: symlink("/no"),
  },
  "to-dir": symlink("/usr/"),
  "file-as-dir": symlink("/etc/passwd/"),
  out: symlink("/sysroot/etc/passwd"),
};

function inRoot() {
  return fakeKernel({ rootfs: { etc: { passwd: "outside" }, no: "outside", sysroot: root } });
}

describe("a path means inside the root", () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ["/etc/passwd", "/sysroot/etc/passwd"],
    ["etc/passwd", "/sysroot/etc/passwd"],
    ["//etc/./passwd", "/sysroot/etc/passwd"],
    ["/bin/sh", "/sysroot/usr/bin/sh"],
    ["/bin/abs", "/sysroot/etc/passwd"],
    ["/bin/up", "/sysroot/etc/passwd"],
    ["/../../etc/passwd", "/sysroot/etc/passwd"],
    ["/bin/../bin/sh", "/sysroot/usr/bin/sh"],
    ["/to-dir/bin/sh", "/sysroot/usr/bin/sh"],
    ["/usr/bin/", "/sysroot/usr/bin"],
    ["/", "/sysroot/"],
    ["", "/sysroot/"],
    // What is there outside only, or is no directory where one is needed.
    ["/no", undefined],
    ["/etc/gone", undefined],
    ["/out", undefined],
    ["/etc/passwd/", undefined],
    ["/etc/passwd/.", undefined],
    ["/etc/passwd/..", undefined],
    ["/etc/passwd/x", undefined],
    ["/file-as-dir", undefined],
    ["/nothing/../etc/passwd", undefined],
  ];
  for (const [path, expected] of table)
    test(JSON.stringify(path), () => expect(resolveInRoot(inRoot().sys, "/sysroot", path)).toBe(expected));

  test("the root may be / itself", () => {
    expect(resolveInRoot(inRoot().sys, "/", "/sysroot/bin/../x")).toBeUndefined();
    expect(resolveInRoot(inRoot().sys, "/", "/etc/passwd")).toBe("/etc/passwd");
  });
});

/** Links to each other, of which the first is the file. */
function chain(length: number): Tree {
  return Object.fromEntries(
    Array.from({ length }, (_, index) => [`l${index}`, index === 0 ? "end" : symlink(`l${index - 1}`)]),
  );
}

describe("links in a circle", () => {
  for (const path of ["/etc/self", "/etc/a", "/etc/b/x"])
    test(path, () =>
      expect(() => resolveInRoot(inRoot().sys, "/sysroot", path)).toThrow("leads through more than 40 links"),
    );

  test("forty are followed, as the kernel does, and no more", () => {
    const { sys } = fakeKernel({ rootfs: { root: chain(42) } });
    expect(resolveInRoot(sys, "/root", "/l40")).toBe("/root/l0");
    expect(() => resolveInRoot(sys, "/root", "/l41")).toThrow("more than 40");
  });
});

test("what a device refuses is not taken for a missing file", () => {
  expect(() => resolveInRoot(inRoot().sys, "/sysroot", `/${"x".repeat(300)}`)).toThrow("ENAMETOOLONG");
});

test("any path leads where chroot(2) would lead it", () => {
  const parts = fc.constantFrom(
    "etc",
    "passwd",
    "bin",
    "usr",
    "sh",
    "..",
    ".",
    "",
    "abs",
    "up",
    "gone",
    "to-dir",
    "out",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 6 }), fc.boolean(), (names, absolute) => {
      const path = `${absolute ? "/" : ""}${names.join("/")}`;
      const { sys } = inRoot();
      const resolved = resolveInRoot(sys, "/sysroot", path);
      const found = resolved === undefined ? undefined : sys.stat(AT_FDCWD, resolved).ino;
      sys.chroot("/sysroot");
      sys.chdir("/");
      expect(found).toBe(inoOrNothing(sys, path === "" ? "/" : path));
    }),
  );
});

test("whether something is there is no more than a yes, also where links go round", () => {
  const { sys } = inRoot();
  const seen = ["/bin/sh", "/out", "/etc/self", "/etc/a", "/no"].map((path) =>
    isInRoot(sys, "/sysroot", path),
  );
  expect(seen).toEqual([true, false, false, false, false]);
});

function inoOrNothing(sys: ReturnType<typeof fakeKernel>["sys"], path: string): bigint | undefined {
  try {
    return sys.stat(AT_FDCWD, path).ino;
  } catch {
    return undefined;
  }
}
