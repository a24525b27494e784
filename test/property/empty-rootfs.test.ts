/** Emptying the rootfs takes all of it and nothing else, whatever is mounted, linked or can't be deleted. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { emptyRootfs } from "../../src/boot/handover/empty-rootfs.ts";
import { plainLog } from "../../src/boot/log.ts";
import { type Tree, device, fakeKernel, symlink } from "../../syscalls/fake.ts";
import type { FileSystem, Inode } from "../../syscalls/fake/inode.ts";
import { rootOf } from "../../syscalls/fake/mounts.ts";
import { intercept } from "../../syscalls/intercept.ts";
import { refusalOf } from "../../syscalls/methods.ts";
import { contentText, contentsOf } from "../fixtures/early-machine.ts";

const anyName = fc.constantFrom("a", "b", "c", "dev", "..x", "\xff\n", "immutable");
const target = fc.constantFrom("/", "..", "../..", "/a", "/b/c", "a", "/other", "nowhere", "immutable");

const { tree } = fc.letrec<{ tree: Tree; node: Tree[string] }>((tie) => ({
  tree: fc.dictionary(anyName, tie("node"), { maxKeys: 5 }),
  node: fc.oneof(
    { depthSize: "small" },
    fc.string({ maxLength: 5 }),
    target.map(symlink),
    fc.constant(device("char", "1:3")),
    tie("tree"),
  ),
}));

/** What may be mounted on a directory: another filesystem, or the rootfs itself once more (a bind mount). */
const mounted = fc.record({ onto: fc.nat(), what: fc.constantFrom("other", "self"), tree });

function isSelf({ what }: { readonly what: string }): boolean {
  return what === "self";
}

test("exactly the rootfs is emptied", () => {
  fc.assert(
    fc.property(tree, fc.array(mounted, { maxLength: 6 }), (rootfs, mounts) => {
      const kernel = fakeKernel({ rootfs });
      const { machine } = kernel;
      const { fs } = machine.root.mount;
      const others: FileSystem[] = [];
      for (const [index, { onto, what, tree: files }] of mounts.entries()) {
        const directories = [...machine.mounts.all].flatMap((mount) =>
          below(mount.fs.root).map((inode) => ({ mount, inode })),
        );
        const place = directories[onto % Math.max(directories.length, 1)];
        if (place === undefined) continue;
        const other = what === "self" ? fs : machine.fileSystems.given("ext4", files, `8:${index}`);
        machine.mounts.add(other, machine.mounts.top(place), what);
        if (other !== fs) others.push(other);
      }
      const before = others.map(contentText);
      const kept = keptPaths(kernel);
      const warnings: string[] = [];
      emptyRootfs(
        undeletable(kernel.sys),
        plainLog((_, message) => void warnings.push(message)),
        "/",
        fs.dev,
      );

      expect(others.map(contentText)).toEqual(before);
      expect([...contentsOf(fs).keys()].toSorted()).toEqual(kept);
      const stubborn = kept.some((path) => path.endsWith("/immutable")) || mounts.some(isSelf);
      if (!stubborn) expect(warnings).toEqual([]);
      // No descriptor is left open.
      expect([...machine.fds.keys()]).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("another filesystem on / than was looked at is not touched", () => {
  const kernel = fakeKernel({ rootfs: { a: "file" } });
  const warnings: string[] = [];
  emptyRootfs(
    kernel.sys,
    plainLog((_, message) => void warnings.push(message)),
    "/",
    "0:77",
  );
  expect(kernel.files()).toEqual(["/a"]);
  expect(warnings).toHaveLength(1);
});

/** A file of this name can't be deleted: it has the immutable attribute (chattr(1)). */
function undeletable(sys: ReturnType<typeof fakeKernel>["sys"]): typeof sys {
  return intercept(sys, (call, proceed) => {
    if (call.name !== "unlinkat" || call.args[1] !== "immutable") return proceed();
    throw refusalOf(call.name, call.args, "EPERM");
  });
}

/** The paths of the rootfs that must be left: mount points, what can't be deleted, and what is above them. */
function keptPaths({ machine }: ReturnType<typeof fakeKernel>): string[] {
  const { mount } = machine.root;
  const keptBelow = (inode: Inode, path: string): string[] => {
    const immutable = path.endsWith("/immutable");
    if (inode.kind !== "directory") return immutable ? [path] : [];
    // What is mounted here hides what is below it from the process.
    if (path !== "" && machine.mounts.top({ mount, inode }).mount !== mount)
      return everythingBelow(inode, path);
    const kept = [...inode.entries].flatMap(([name, entry]) => keptBelow(entry, `${path}/${name}`));
    // A mount point in another mount of the rootfs can't be removed either, but it is empty then.
    const stays = kept.length > 0 || immutable || machine.mounts.isMountPoint(inode);
    return stays && path !== "" ? [path, ...kept] : kept;
  };
  return keptBelow(rootOf(mount).inode, "").toSorted();
}

function everythingBelow(inode: Inode, path: string): string[] {
  if (inode.kind !== "directory") return [path];
  return [path, ...[...inode.entries].flatMap(([name, entry]) => everythingBelow(entry, `${path}/${name}`))];
}

function below(inode: Inode): Inode[] {
  if (inode.kind !== "directory") return [];
  return [...inode.entries.values()].flatMap((entry) =>
    entry.kind === "directory" ? [entry, ...below(entry)] : [],
  );
}
