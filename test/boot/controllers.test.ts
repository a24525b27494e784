/** Disks behind all kinds of controllers: what the distribution's kernel needs for each finds its way by modalias. */

import { expect, test } from "bun:test";
import { stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

interface Way {
  /** The drive's name for QEMU. */
  readonly drive: string;
  /** The modules that `rdinit image --drivers` is given: no more than a machine with this disk alone would need. */
  readonly drivers: readonly string[];
  /** QEMU's -device arguments. */
  readonly devices: readonly string[];
}

const WAYS: readonly Way[] = [
  { drive: "nvme", drivers: ["nvme"], devices: ["nvme,drive=nvme,serial=n"] },
  { drive: "sata", drivers: ["ahci", "sd_mod"], devices: ["ide-hd,drive=sata,bus=ide.0"] },
  { drive: "cd", drivers: ["ahci", "sr_mod"], devices: ["ide-cd,drive=cd,bus=ide.1"] },
  {
    drive: "ata",
    drivers: ["ata_piix", "sd_mod"],
    devices: ["piix3-ide,id=piix,addr=0x10", "ide-hd,drive=ata,bus=piix.0"],
  },
  {
    drive: "usb2",
    drivers: ["ehci_pci", "usb_storage", "sd_mod"],
    devices: ["usb-ehci,id=ehci", "usb-storage,drive=usb2,bus=ehci.0"],
  },
  {
    drive: "uas",
    drivers: ["xhci_pci", "uas", "sd_mod"],
    devices: ["qemu-xhci,id=xhci", "usb-uas,id=uas,bus=xhci.0", "scsi-hd,drive=uas,bus=uas.0"],
  },
  {
    drive: "virtio",
    drivers: ["virtio_pci", "virtio_scsi", "sd_mod"],
    devices: ["virtio-scsi-pci,id=vs", "scsi-hd,drive=virtio,bus=vs.0"],
  },
  {
    drive: "lsi",
    drivers: ["sym53c8xx", "sd_mod"],
    devices: ["lsi53c895a,id=lsi", "scsi-hd,drive=lsi,bus=lsi.0"],
  },
  {
    drive: "megaraid",
    drivers: ["megaraid_sas", "sd_mod"],
    devices: ["megasas,id=mega", "scsi-hd,drive=megaraid,bus=mega.0"],
  },
  {
    drive: "vmware",
    drivers: ["vmw_pvscsi", "sd_mod"],
    devices: ["pvscsi,id=pv", "scsi-hd,drive=vmware,bus=pv.0"],
  },
  {
    drive: "card",
    drivers: ["sdhci_pci", "mmc_block"],
    devices: ["sdhci-pci,id=sdhci", "sd-card,drive=card,bus=sd-bus"],
  },
];

function drive(name: string, file: string): string[] {
  const media = name === "cd" ? ",media=cdrom,readonly=on" : ",snapshot=on";
  return ["-drive", `file=${file},format=raw,if=none,id=${name}${media}`];
}

function machine(ways: readonly Way[], file: string): string[] {
  return ways.flatMap(({ drive: name, devices }) => [
    ...drive(name, file),
    ...devices.flatMap((device) => ["-device", device]),
  ]);
}

test(
  "all of them in one machine are found",
  async () => {
    const file = await probeDisk(temporaryDirectory());
    const started = await bootRdinit("controllers", {
      append: "root=LABEL=none rd.timeout=1",
      image: {
        kernel: await stockKernel(),
        drivers: [...new Set(["ext4", ...WAYS.flatMap(({ drivers }) => drivers)])],
        shell: true,
      },
      arguments: machine(WAYS, file),
      timeout_ms: 4 * MACHINE_MS,
    });
    await started.console.expect(SHELL_PROMPT, 2 * MACHINE_MS);
    started.console.send(
      `cd /sys/class/block; until [ $(ls | wc -l) = ${WAYS.length} ]; do sleep 1; done; ls | wc -l\n`,
    );
    expect((await started.console.expect(/^(\d+)\n/m, 2 * MACHINE_MS))[1]).toBe(String(WAYS.length));
    await started.stop();
  },
  4 * MACHINE_MS,
);

for (const name of ["card", "uas"])
  test(
    `a root on it, with no other driver in the image: ${name}`,
    async () => {
      const way = WAYS.filter(({ drive: one }) => one === name);
      const started = await bootRdinit(`controllers-${name}`, {
        append: `root=UUID=${ROOT_UUID}`,
        image: { kernel: await stockKernel(), drivers: ["ext4", ...way.flatMap(({ drivers }) => drivers)] },
        arguments: machine(way, await probeDisk(temporaryDirectory())),
      });
      const source = (await probed(started)).get("mount./.source");
      expect(source).toBe(name === "card" ? "/dev/mmcblk0" : "/dev/sda");
    },
    TEST_MS,
  );
