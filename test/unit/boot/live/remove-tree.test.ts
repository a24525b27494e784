import { expect, test } from "bun:test";
import { removeTree } from "../../../../src/boot/live/remove-tree.ts";
import { failing } from "../../../../syscalls/failing.ts";
import { fakeKernel, symlink } from "../../../../syscalls/fake.ts";

const rootfs = {
  keep: { file: "x" },
  gone: {
    a: "x",
    link: symlink("/keep"),
    deep: { er: { file: "y" } },
    ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, "z"])),
  },
};

test("everything below goes, links are not followed, and the directory with it", () => {
  const kernel = fakeKernel({ rootfs });
  removeTree(kernel.sys, "/gone");
  removeTree(kernel.sys, "/gone");
  expect(kernel.files()).toEqual(["/keep", "/keep/file"]);
});

test("another mount is not entered", () => {
  const kernel = fakeKernel({ rootfs, mounts: [{ at: "/gone/deep", type: "tmpfs", tree: { x: "1" } }] });
  expect(() => removeTree(kernel.sys, "/gone")).toThrow("EBUSY");
  expect(kernel.sys.stat(-100, "/gone/deep/x").type).toBe("file");
});

test("whichever call fails, no descriptor stays open", () => {
  for (let nth = 1; nth < 20; nth++) {
    const kernel = fakeKernel({ rootfs: { gone: { a: "x", b: {} } } });
    try {
      removeTree(failing(kernel.sys, nth, "EIO"), "/gone");
    } catch (error) {
      expect(String(error)).toContain("EIO");
    }
    const failedClose =
      kernel.calls.filter(({ name }) => name === "open" || name === "openat").length -
      kernel.calls.filter(({ name }) => name === "close").length;
    expect(kernel.machine.fds.size).toBe(failedClose);
    expect(failedClose).toBeLessThanOrEqual(1);
  }
});
