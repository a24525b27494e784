import { expect, test } from "bun:test";
import { waitForNamed } from "../../../../src/boot/devices/named.ts";
import type { Lack, Layers } from "../../../../src/boot/storage/layer.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { DisksInMemory, bootOn, noLayers } from "../../../fixtures/disks-in-memory.ts";
import { inVirtualTime } from "../../../fixtures/virtual-time.ts";

function begin(line: string, lacks: Lack[]) {
  const { sys } = fakeKernel();
  const { boot, lines } = bootOn(sys, line);
  const devices = new DisksInMemory(sys, []);
  const layers: Layers = { ...noLayers, lacks: () => lacks, problems: () => ["Something is wrong."] };
  return { lines, devices, done: waitForNamed(boot, devices, layers) };
}

test("nothing named, nothing said", async () => {
  const { lines, done } = begin("", []);
  await done;
  expect(lines).toEqual([]);
});

test("what comes late is waited for, in the open", async () => {
  await inVirtualTime(async (advance) => {
    const lacks: Lack[] = [{ what: "array 1:2", required: true }];
    const { lines, devices, done } = begin("", lacks);
    await advance(2000);
    expect(lines[0]).toContain("waiting for array 1:2, which the command line or crypttab names");
    lacks.pop();
    devices.wake();
    await advance(0);
    await done;
    expect(lines).toHaveLength(1);
  });
});

test("what does not come holds up the boot no longer than the root would, and is told", async () => {
  await inVirtualTime(async (advance) => {
    const { lines, done } = begin("rd.timeout=5", [{ what: "volume group a", required: false }]);
    await advance(5000);
    await done;
    expect(lines.slice(1)).toEqual([
      "error: Something is wrong.",
      "warning: volume group a did not appear; the boot goes on, as the root is there.",
    ]);
  });
});

test("what is required stops the boot when it does not come, rd.timeout=0 or not", async () => {
  await inVirtualTime(async (advance) => {
    const { done } = begin("rd.timeout=0", [
      { what: "array 1:2", required: true },
      { what: "volume group a", required: false },
    ]);
    const thrown = done.then(
      () => undefined,
      (error: unknown) => String(error),
    );
    await advance(30_000);
    expect(await thrown).toContain("The root is there, but not what else is required: array 1:2.");
  });
});
