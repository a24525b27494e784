import { expect, test } from "bun:test";
import { mdLinks } from "../../../../src/boot/storage/md-links.ts";
import { type Tree, device, fakeKernel, symlink } from "../../../../syscalls/fake.ts";
import { member } from "../../../fixtures/md-members.ts";

function linksOf(md: Tree | undefined, name: string, number?: number): string[] {
  const { sys } = fakeKernel({ rootfs: { dev: md === undefined ? {} : { md } } });
  const { device: plain } = member(name);
  const disk = name.replace(/p\d+$/, "");
  return mdLinks(
    sys,
    number === undefined ? plain : { ...plain, partition: { number, name: undefined, disk } },
  );
}

test("an array's names, and those of its partitions", () => {
  const md = {
    root: symlink("/dev/md127"),
    r5: symlink("../md127"),
    other: symlink("../md126"),
    md0: device("block", "9:0"),
  };
  expect(linksOf(md, "md127")).toEqual(["md/r5", "md/root"]);
  expect(linksOf(md, "md127p2", 2)).toEqual(["md/r5p2", "md/root2"]);
  expect(linksOf(md, "md12")).toEqual([]);
  expect(linksOf(md, "vda")).toEqual([]);
  expect(linksOf(undefined, "md127")).toEqual([]);
});
