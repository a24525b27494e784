import { expect, test } from "bun:test";
import { isRootOnNetwork, linksThatAreUp, takeDown } from "../../../../src/boot/network/take-down.ts";
import { type Tree, fakeKernel } from "../../../../syscalls/fake.ts";
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
