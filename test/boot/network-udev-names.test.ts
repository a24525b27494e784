/** Cards are found by the names that udev gives them in the real system, and keep those of the kernel. */

import { expect, test } from "bun:test";
import { stockKernel } from "../../qemu/kernel.ts";
import { MACHINE_MS, ROOT_UUID, bootRdinit, expectSaid, probeDisk, said } from "../../qemu/scenario.ts";
import { imageFile } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

/** Cards in places of all kinds, with the name that is asked for. */
const CARDS: readonly (readonly [name: string, device: string])[] = [
  ["enp0s9", "virtio-net-pci,addr=09.0"],
  ["enp0s10f0", "e1000e,addr=0a.0,multifunction=on"],
  ["enp0s10f1", "e1000e,addr=0a.1"],
  ["ens7", "virtio-net-pci,bus=port7"],
  ["enp0s12u2", "usb-net,bus=usb.0,port=2"],
  ["enx525400aa0006", "virtio-net-pci,addr=0d.0"],
];

const macOf = (at: number): string => `52:54:00:aa:00:0${at + 1}`;

/** Says each card's own name, its address, and what udev would call it. */
const LOOK = imageFile(
  "/etc/rdinit.d/pre-pivot/10-look",
  [
    "#!/bin/sh",
    "for card in /sys/class/net/[!l]*; do",
    "  name=${card##*/}",
    '  echo "$name" $(/bin/busybox ip -4 -o addr show dev "$name") $(/bin/udevadm test-builtin net_id "$card" 2>/dev/null)',
    "done",
    "",
  ].join("\n"),
  0o755,
);

/** Six cards and their drivers take their time on a busy machine. */
const LONG_MS = 3 * MACHINE_MS;

test(
  "by place, slot, function, USB port and address",
  async () => {
    const machine = await bootRdinit("network-udev-names", {
      append: [
        `root=UUID=${ROOT_UUID} rd.neednet`,
        ...CARDS.map(([name], at) => `ip=10.9.0.${at + 1}:::24::${name}:off`),
      ].join(" "),
      disks: [{ file: await probeDisk(temporaryDirectory()) }],
      image: {
        kernel: await stockKernel(),
        shell: true,
        drivers: [
          ...["virtio_pci", "virtio_blk", "ext4"],
          ...["virtio_net", "e1000e", "xhci_pci", "cdc_ether", "rndis_host"],
        ],
        tools: ["/bin/udevadm"],
        files: [LOOK],
      },
      timeout_ms: LONG_MS,
      arguments: [
        // Or else the slots have the firmware's numbers.
        ...["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"],
        ...["-device", "pcie-root-port,id=port7,slot=7,chassis=1,addr=0b.0"],
        ...["-device", "qemu-xhci,id=usb,addr=0c.0"],
        ...CARDS.flatMap(([, device], at) => [
          ...["-netdev", `user,restrict=on,id=card${at}`],
          ...[
            "-device",
            `${device},netdev=card${at},mac=${macOf(at)}${device.startsWith("usb") ? "" : ",romfile="}`,
          ],
        ]),
      ],
    });
    await machine.expectEnd("powered off");
    const looked = said(machine).filter((line) => line.startsWith("10-look: "));
    expect(looked).toHaveLength(CARDS.length);
    for (const [at, [name]] of CARDS.entries()) {
      const line = looked.find((one) => one.includes(` 10.9.0.${at + 1}/24 `));
      expect(line).toMatch(/^10-look: (?:eth|usb)\d /);
      expect(line).toMatch(new RegExp(`ID_NET_NAME_\\w+=${name}\\b`));
    }
    expectSaid(machine, [/^took the network down: /]);
  },
  LONG_MS + MACHINE_MS,
);
