/** What the real system's udevd makes of logical volumes that it finds active: with Debian's own rules. */

import { beforeAll, expect, test } from "bun:test";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { MACHINE_MS, TEST_MS, bootRdinit } from "../../qemu/scenario.ts";
import { LVM, lvmDisks } from "../../qemu/storage/lvm.ts";
import { ROOT_FOLDERS, type Tree, libraries } from "../../qemu/tree.ts";

const RULES = ["55-dm", "56-lvm", "60-persistent-storage-dm", "95-dm-notify", "99-systemd"];

/** As systemd-udev-trigger.service does it: an event "add" for each device, and then what udevd knows of it. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t tmpfs tmpfs /tmp
/lib/systemd/systemd-udevd --daemon --resolve-names=never
udevadm trigger --action=add --subsystem-match=block
udevadm settle --timeout=20
for device in /sys/class/block/dm-*; do
  echo "BEGIN $(cat $device/dm/name)"
  udevadm info --query=property --path=$device | cat
  echo "END"
done
poweroff -f
`;

async function udevRoot(): Promise<Tree> {
  const programs = ["/usr/bin/udevadm", "/sbin/dmsetup"];
  return [
    ...ROOT_FOLDERS,
    { path: "/sbin/init", kind: "text", text: INIT, mode: 0o755 },
    { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
    { path: "/lib/systemd/systemd-udevd", kind: "link", target: "/usr/bin/udevadm" },
    ...programs.map((path) => ({ path, kind: "file", from: path, mode: 0o755 }) as const),
    ...RULES.map((name) => {
      const path = `/lib/udev/rules.d/${name}.rules`;
      return { path, kind: "file", from: path } as const;
    }),
    ...(await libraries(programs)),
  ];
}

let properties: Map<string, Map<string, string>>;

beforeAll(async () => {
  const files = await makeDisksInGuest(lvmDisks("raid1", await udevRoot(), "-udev"));
  await using machine = await bootRdinit("lvm-udev", {
    append: `root=UUID=${LVM.filesystem} rw`,
    disks: files.map((file) => ({ file })),
    initrd: await rdinitImage({ name: "lvm-udev", tools: ["lvm"] }),
  });
  await machine.expectEnd("powered off");
  properties = new Map(
    [...machine.console.text.matchAll(/^BEGIN (\S+)\n([^]*?)^END$/gm)].map(([, name = "", lines = ""]) => [
      name,
      new Map(lines.split("\n").map((line) => [line.replace(/=.*/, ""), line.replace(/^[^=]*=/, "")])),
    ]),
  );
}, TEST_MS + MACHINE_MS);

test("the volumes are ready for systemd, and have all their links", () => {
  const root = properties.get("vg--a-lv--b");
  expect(root?.get("SYSTEMD_READY")).toBe("1");
  expect(root?.get("TAGS")).toBe(":systemd:");
  expect(root?.get("DM_ACTIVATION")).toBe("1");
  const links = ["/dev/mapper/vg--a-lv--b", "/dev/vg-a/lv-b", `/dev/disk/by-uuid/${LVM.filesystem}`];
  expect(root?.get("DEVLINKS")?.split(" ")).toEqual(expect.arrayContaining(links));
  expect(properties.get("vg--a-other")?.get("SYSTEMD_READY")).toBe("1");
});

test("their parts are not, and have no link that is the volume's", () => {
  for (const name of ["rmeta_0", "rimage_0", "rmeta_1", "rimage_1"].map((part) => `vg--a-lv--b_${part}`)) {
    const part = properties.get(name);
    expect(part?.get("SYSTEMD_READY")).toBe("0");
    expect(part?.get("DEVLINKS")).toBe(`/dev/mapper/${name}`);
    expect(part?.has("ID_FS_UUID")).toBeFalse();
  }
});
