import { expect, test } from "bun:test";
import { planBoot } from "../../../src/plan/plan.ts";

function steps(line: string): string[] {
  const { steps: all, obstacle } = planBoot(line);
  expect(obstacle).toBeUndefined();
  return all.filter(
    (step) => /network|share|NFS|disk|Wait/.test(step) && !/module|^Wait for that|^Leave/.test(step),
  );
}

test("a share of the host", () => {
  expect(steps("root=virtiofs:x")).toEqual([
    "Mount the share x of the host on /sysroot as virtiofs, read-only.",
  ]);
  expect(steps("rootfstype=9p root=x rw rootflags=msize=9000")).toEqual([
    "Mount the share x of the host on /sysroot as 9p, read-write, with the options " +
      "trans=virtio,version=9p2000.L,msize=9000.",
  ]);
});

test("NFS", () => {
  expect(steps("root=nfs:a:/b")).toEqual([
    "Bring the network up for root=nfs:a:/b: configure every wired interface with a lease of DHCP.",
    "Mount nfs:a:/b on /sysroot, read-only, by NFS 4.2 or 4.1 or 4.0 or 3.",
  ]);
  expect(steps("root=dhcp")).toEqual([
    "Bring the network up for root=dhcp: configure every wired interface with a lease of DHCP.",
    "Take the root, or the disk that it is on, from the DHCP server's answer.",
  ]);
});

test("disks of the network", () => {
  expect(steps("root=nbd:a:b")).toEqual([
    "Bring the network up for root=nbd:a:b: configure every wired interface with a lease of DHCP.",
    "Attach the disk nbd:a:b, by nbd-client.",
    "Mount that disk on /sysroot, read-only.",
  ]);
  expect(steps("root=LABEL=x netroot=iscsi:u:p@h::::iqn.x:y")).toEqual([
    "Bring the network up for netroot=iscsi:h::::iqn.x:y: configure every wired interface with a lease of DHCP.",
    "Attach the disk iscsi:h::::iqn.x:y, by iscsistart.",
    "Wait for at most 30 s until LABEL=x is there.",
    expect.stringContaining("activate the logical volumes"),
  ]);
});

test("what makes no sense is an obstacle", () => {
  expect(planBoot("root=nfs:x").obstacle).toContain("root= makes no sense: x names no directory");
});
