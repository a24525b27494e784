/** Which of the encrypted volumes that are there are opened. */

import { describe, expect, test } from "bun:test";
import type { Boot } from "../../../../src/boot/context.ts";
import { type DeviceRef, parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";
import { chooseVolumes } from "../../../../src/boot/storage/luks-choice.ts";
import { readLuksSettings } from "../../../../src/boot/storage/luks-settings.ts";
import { type Wanted, isWantedBy, planWanted } from "../../../../src/boot/storage/luks-volumes.ts";
import { parseCrypttab } from "../../../../src/storage/crypttab.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { DisksInMemory, diskWith } from "../../../fixtures/disks-in-memory.ts";
import { LUKS_UUID } from "../../../fixtures/luks-headers.ts";

const SECOND = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const luks = { type: "crypto_LUKS", usage: "crypto" } as const;
const { settings } = readLuksSettings([]);

function refOf(written: string): DeviceRef {
  const ref = parseDeviceRef(written);
  if (typeof ref === "string") throw new Error(ref);
  return ref;
}

/** Two volumes and a filesystem: what is chosen, what lacks, and whether that took a moment's grace. */
async function choose(
  needs: readonly (string | undefined)[],
  { graceIsOver = false, wanted = [] }: { graceIsOver?: boolean; wanted?: readonly Wanted[] } = {},
) {
  const { sys } = fakeKernel({ rootfs: { sys: { class: { block: {} } }, dev: {} } });
  const found = [
    { ...luks, uuid: LUKS_UUID },
    { ...luks, uuid: SECOND },
  ] as const;
  const volumes = found.map((one, at) => diskWith(`vd${"ab"[at]}`, `254:${at}`, one));
  const plain = diskWith("vdc", "254:2", { type: "ext4", usage: "filesystem", uuid: "1234-5678" });
  let graces = 0;
  const chosen = await chooseVolumes({
    boot: { sys } as Boot,
    devices: new DisksInMemory(sys, [...volumes, plain]),
    settings,
    members: volumes.map((device, at) => ({ device, found: found[at] ?? luks })),
    wanted,
    needs: needs.map((need) => (need === undefined ? undefined : refOf(need))),
    graceIsOver: () => {
      graces += 1;
      return graceIsOver;
    },
  });
  return {
    devices: chosen.volumes.map(({ volume }) => `${volume.device} ${volume.uuid ?? "without a UUID"}`),
    absent: chosen.absent.length,
    graces,
  };
}

const [first, second] = [`vda ${LUKS_UUID}`, `vdb ${SECOND}`];

describe("when nobody has named any", () => {
  test.each([
    // The root is a volume itself, or is there in the clear: nothing need be waited for.
    [[`UUID=${SECOND}`], false, [second], 0],
    [["/dev/vda"], false, [first], 0],
    [["UUID=1234-5678"], false, [], 0],
    [["UUID=1234-5678"], true, [], 0],
    // It is not there: a moment later it may be.
    [["UUID=absent"], false, [], 1],
    [["UUID=absent"], true, [first, second], 1],
    [[undefined], true, [first, second], 1],
    // Each thing that is needed by itself, and a volume once.
    [["UUID=absent", `UUID=${SECOND}`], false, [second], 1],
    [["UUID=absent", `UUID=${SECOND}`], true, [first, second], 1],
    [["UUID=1234-5678", `UUID=${SECOND}`], false, [second], 0],
  ] as const)("for %p, with the moment over: %p", async (needs, graceIsOver, devices, graces) => {
    expect(await choose(needs, { graceIsOver })).toEqual({ devices: [...devices], absent: 0, graces });
  });
});

function wantedBy(...devices: readonly string[]): readonly Wanted[] {
  const lines = devices.map((device, at) => `name${at} ${device} none\n`);
  return planWanted(settings, parseCrypttab(lines.join("")).entries).wanted;
}

describe("what is named", () => {
  test("by a UUID is that volume, by a path what is there, and nothing else is opened", async () => {
    const wanted = wantedBy(`UUID=${SECOND}`, "/dev/vda", "/dev/vdc", "/dev/vdd", "UUID=00000000");
    expect(await choose(["UUID=absent"], { graceIsOver: true, wanted })).toEqual({
      devices: [second, first, "vdc without a UUID"],
      absent: 2,
      graces: 0,
    });
  });

  test("by a label or a place in the table is no UUID", () => {
    expect(wantedBy("LABEL=vault", `PARTUUID=${SECOND}`).map(({ uuid, device }) => [uuid, device])).toEqual([
      [undefined, refOf("LABEL=vault")],
      [undefined, refOf(`PARTUUID=${SECOND}`)],
    ]);
  });

  test("is not met by its UUID when its device is named too", () => {
    const container = { device: "vdb", node: "/dev/vdb", uuid: SECOND };
    const uuid = SECOND.replaceAll("-", "");
    const plain = { uuid, device: undefined, entry: undefined, mayFail: false };
    expect(isWantedBy(plain, container)).toBe(true);
    expect(isWantedBy({ ...plain, uuid: uuid.slice(0, 8) }, container)).toBe(true);
    expect(isWantedBy({ ...plain, uuid: "0" }, container)).toBe(false);
    expect(isWantedBy({ ...plain, device: refOf("/dev/vda") }, container)).toBe(false);
    expect(isWantedBy({ ...plain, uuid: undefined }, container)).toBe(false);
    expect(isWantedBy(plain, { ...container, uuid: undefined })).toBe(false);
  });
});
