/** A root that is named by the encrypted volume around it. */

import { expect, test } from "bun:test";
import type { Contents } from "../../../../src/boot/devices/blockdevice.ts";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { findDevice, findOpened } from "../../../../src/boot/devices/finddevice.ts";
import { fromBytes } from "../../../../src/lib/bytes.ts";
import { type Tree, fakeKernel } from "../../../../syscalls/fake.ts";
import { LUKS_UUID, luks1 } from "../../../fixtures/luks-headers.ts";

const digits = LUKS_UUID.replaceAll("-", "");
const byUuid = { kind: "tag", tag: "UUID", value: LUKS_UUID, partitionOffset: 0 } as const;
const byPath = { kind: "path", name: "vda" } as const;

function machine(dmUuid: string | undefined) {
  const mapping = {
    uevent: "MAJOR=253\nMINOR=0\nDEVNAME=dm-0\n",
    size: "8\n",
    dev: "253:0\n",
    dm: { name: "root\n", uuid: `${dmUuid}\n`, suspended: "0\n" },
  };
  const block: Tree = {
    vda: { uevent: "MAJOR=254\nMINOR=0\nDEVNAME=vda\n", size: "16\n" },
    ...(dmUuid === undefined ? {} : { "dm-0": mapping }),
  };
  const dev = { vda: fromBytes(luks1()).padEnd(8192, "\0"), "dm-0": "\0".repeat(4096) };
  const { sys } = fakeKernel({ rootfs: { sys: { class: { block } }, dev } });
  const devices = new BlockDevices(sys);
  devices.scan();
  return { sys, devices };
}

test("is the device that the volume was opened as", async () => {
  const { sys, devices } = machine(`CRYPT-LUKS1-${digits}-root`);
  for (const ref of [byUuid, byPath])
    expect((await findOpened(sys, devices, ref))?.device.node).toBe("/dev/dm-0");
  expect((await findDevice(sys, devices, byUuid))?.device.node).toBe("/dev/vda");
});

test("is not there before it is opened, whatever else is", async () => {
  for (const dmUuid of [undefined, "CRYPT-LUKS2-00000000000040008000000000000000-root", `LVM-${digits}`]) {
    const { sys, devices } = machine(dmUuid);
    expect(await findOpened(sys, devices, byUuid)).toBeUndefined();
  }
});

test("is not there while its disk does not answer: it may be encrypted", async () => {
  const { sys, devices } = machine(undefined);
  const [disk] = devices.all();
  if (disk === undefined) throw new Error("there is no disk");
  const answer = Promise.withResolvers<Contents>();
  Object.assign(disk, { contents: () => answer.promise });
  expect(await findOpened(sys, devices, byPath, 20)).toBeUndefined();
  answer.resolve({ found: { type: "ext4", usage: "filesystem" }, problem: undefined });
  expect((await findOpened(sys, devices, byPath, 20))?.device.node).toBe("/dev/vda");
});

test("is itself when nothing is encrypted", async () => {
  const { sys, devices } = machine(`CRYPT-LUKS1-${digits}-root`);
  const plain = { kind: "path", name: "mapper/root" } as const;
  expect((await findOpened(sys, devices, plain))?.device.node).toBe("/dev/dm-0");
});
