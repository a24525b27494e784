import { expect, test } from "bun:test";
import { isRootOnNetwork, linksThatAreUp } from "../../../../src/boot/network/look.ts";
import { takeDown } from "../../../../src/boot/network/take-down.ts";
import { type Tree, attribute, fakeKernel } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

const links = (flags: Readonly<Record<string, string>>): Tree =>
  Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, { flags: `${value}\n` }]));

function machine(net: Tree | undefined, rest: Tree = {}) {
  const { sys, calls } = fakeKernel({
    rootfs: { sys: { class: { ...(net === undefined ? {} : { net }), ...rest } }, proc: {} },
    mounts: [{ at: "/proc", type: "proc" }],
  });
  return { sys, calls, ...bootOn(sys, "") };
}

test("links that are up are told from those that are only there", () => {
  expect(linksThatAreUp(machine(links({ lo: "0x9", eth0: "0x1002", eth1: "0x1003" })).sys)).toEqual(
    new Set(["lo", "eth1"]),
  );
  expect(linksThatAreUp(machine(undefined).sys)).toEqual(new Set());
});

test("what was up at the start stays as it is, without a word", async () => {
  const { boot, lines, calls } = machine(links({ lo: "0x8", eth0: "0x1043" }));
  await takeDown(boot, new Set(["eth0"]), false);
  expect(lines).toEqual([]);
  expect(calls.map(({ name }) => name)).not.toContain("socket");
});

test("nothing is taken down while the root is on the network", async () => {
  for (const rest of [{ block: { nbd0: { pid: "7\n" } } }, { iscsi_session: { session1: {} } }]) {
    const { sys, boot, lines, calls } = machine(links({ eth0: "0x1043" }), rest);
    await takeDown(boot, new Set(), isRootOnNetwork(sys));
    expect(lines).toEqual(["info: left up, as the root is on the network: eth0"]);
    expect(calls.map(({ name }) => name)).not.toContain("socket");
  }
});

function rootBelowOverlay(type: string): boolean {
  const mounts = [
    { at: "/proc", type: "proc" },
    { at: "/run/rootfsbase", type },
    { at: "/sysroot", type: "overlay" },
  ];
  const folders = { run: { rootfsbase: {} }, sysroot: {} };
  return isRootOnNetwork(fakeKernel({ rootfs: { sys: {}, proc: {}, ...folders }, mounts }).sys);
}

test("a filesystem of another machine below an overlay is the root's", () => {
  expect(rootBelowOverlay("nfs4")).toBe(true);
  expect(rootBelowOverlay("ext4")).toBe(false);
});

function onNetwork(...mounts: readonly (readonly [at: string, type: string, options?: string])[]): boolean {
  const lines = mounts.map(([at, type, options = "rw"]) => `1 1 0:1 / ${at} rw - ${type} none ${options}`);
  const { sys } = fakeKernel({
    rootfs: { proc: {} },
    mounts: [{ at: "/proc", type: "proc" }],
    proc: { self: { mountinfo: attribute(() => `${lines.join("\n")}\n`) } },
  });
  return isRootOnNetwork(sys);
}

test("the network carries the root when that, or what is mounted in it, is another machine's", () => {
  expect(onNetwork(["/sysroot", "nfs"])).toBe(true);
  expect(onNetwork(["/sysroot", "ext4"], ["/sysroot/usr", "nfs4"])).toBe(true);
  expect(onNetwork(["/sysroot", "9p", "rw,trans=virtio"])).toBe(false);
  expect(onNetwork(["/sysroot", "9p", "rw,trans=tcp,port=564"])).toBe(true);
});
