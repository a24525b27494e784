import { expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import { watchDevices } from "../../../../src/boot/drivers/coldplug.ts";
import { KernelModules } from "../../../../src/boot/drivers/kmodules.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { inVirtualTime, settle } from "../../../fixtures/virtual-time.ts";

test("a module that is to come before all others, and does not get done, is waited for in the open", async () => {
  await inVirtualTime(async (advance) => {
    const modules = { "modules.dep": "a.ko:\n", "a.ko": "\x7fELF\0name=a\0" };
    const kernel = fakeKernel({
      rootfs: { lib: { modules: { "6.1.0": modules } }, sys: { class: { block: {} } } },
    });
    const loaded = Promise.withResolvers<void>();
    const sys = intercept(kernel.sys, (call, proceed) =>
      call.name === "slow.finitModule" || call.name === "slow.initModule" ? loaded.promise : proceed(),
    );
    const { boot, lines } = bootOn(sys, "rd.driver.pre=a");
    let isWatching = false;
    const devices = new BlockDevices(sys);
    const begun = watchDevices(boot, devices, new KernelModules(sys, boot.log, boot.words));
    void begun.then(() => (isWatching = true));
    await advance(999);
    expect(lines).toEqual([]);
    await advance(1);
    expect(lines).toEqual(["notice: loading a before all others; the kernel is still at it"]);
    expect(isWatching).toBe(false);
    loaded.resolve();
    await settle();
    expect(isWatching).toBe(true);
  });
});
