import { describe, expect, test } from "bun:test";
import { crypttabPart, fstabPart } from "../../../../src/image/etc/tables.ts";
import type { Part } from "../../../../src/image/part.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

function madeText([part]: readonly Part[]): string {
  return Buffer.from(part?.made?.[0]?.data ?? []).toString();
}

function namesIn(parts: readonly Part[]): (string | undefined)[] {
  const lines = madeText(parts).split("\n");
  return lines.map((line) => line.split(" ")[0]).filter(Boolean);
}

function devicesIn(parts: readonly Part[]): string[] {
  return [...madeText(parts).matchAll(/UUID=./g)].map(([device]) => device);
}

const CRYPTTAB = `# comment
root UUID=0011AABB-0000-1111-2222-333344445555 none luks
data /dev/sdb1 /etc/keys/data luks
swap /dev/sda3 /dev/urandom swap,cipher=aes-xts-plain64
temp /dev/sda4 none tmp=ext4
late /dev/sdc none noauto
early PARTUUID=x-01 /etc/keys/early luks,x-initrd.attach,header=/etc/keys/early.header
debian /dev/sdd /dev/vg/key luks,initramfs,keyscript=decrypt_keyctl
usb /dev/sde /keys/usb:UUID=cc luks,initramfs
broken
`;

describe("crypttab", () => {
  const root = new RootTree(
    temporaryTree({
      "etc/crypttab": CRYPTTAB,
      "etc/keys/data": "k",
      "etc/keys/early": "k",
      "etc/keys/early.header": "h",
    }),
  );

  test("where nothing is known, all lines that open a lasting volume", () => {
    expect(namesIn(crypttabPart(root, {}))).toEqual(["root", "data", "early", "debian", "usb"]);
  });
  test("the volumes below the root, by name or UUID, and those that are marked", () => {
    const marked = ["early", "debian", "usb"];
    expect(namesIn(crypttabPart(root, { crypt: [] }))).toEqual(marked);
    expect(namesIn(crypttabPart(root, { crypt: ["data"] }))).toEqual(["data", ...marked]);
    expect(namesIn(crypttabPart(root, { crypt: ["0011aabb000011112222333344445555"] }))).toEqual([
      "root",
      ...marked,
    ]);
  });
  test("the lines are as they were written", () => {
    expect(madeText(crypttabPart(root, { crypt: ["root"] }))).toStartWith(
      "root UUID=0011AABB-0000-1111-2222-333344445555 none luks\n",
    );
  });
  test("keys only where someone says so, and a warning with each", () => {
    const [part] = crypttabPart(root, {});
    expect(part?.files).toEqual(["/etc/keys/early.header", "/etc/keys/early"]);
    // Nobody would run it (boot/storage/luks-options.ts).
    expect(part?.programs ?? []).toEqual([]);
    expect(part?.notes).toEqual([
      "/etc/crypttab, line 10, is left out: it lacks a device (a line is: name, device, key, options).",
      "The image holds /etc/keys/early, the key of early: whoever can read the image can open that disk.",
      "The key script decrypt_keyctl of debian is not run by /init: a passphrase will be asked for.",
    ]);
    expect(crypttabPart(root, { crypt: ["data"] })[0]?.notes).toContain(
      "The key /etc/keys/data of data is not in the image, as nothing says that it may be: a passphrase will be asked for.",
    );
    const [all] = crypttabPart(root, { keyFiles: true });
    expect(all?.files).toEqual(["/etc/keys/data", "/etc/keys/early.header", "/etc/keys/early"]);
  });
  test("a key that no line names but lies where systemd looks is a key as any other", () => {
    const tree = {
      "etc/crypttab": "data UUID=1 none luks\nearly UUID=2 - x-initrd.attach\nother UUID=3\n",
      "etc/cryptsetup-keys.d/data.key": "k",
      "etc/cryptsetup-keys.d/early.key": "k",
      "run/cryptsetup-keys.d/other.key": "k",
    };
    const usual = new RootTree(temporaryTree(tree));
    expect(crypttabPart(usual, {})[0]?.files).toEqual(["/etc/cryptsetup-keys.d/early.key"]);
    expect(crypttabPart(usual, { keyFiles: true })[0]?.files).toEqual([
      "/etc/cryptsetup-keys.d/data.key",
      "/etc/cryptsetup-keys.d/early.key",
    ]);
    expect(crypttabPart(usual, { crypt: ["data"] })[0]?.notes?.[0]).toStartWith(
      "The key /etc/cryptsetup-keys.d/data.key of data is not in the image",
    );
  });
  test("nothing for a root without encryption", () => {
    expect(crypttabPart(new RootTree(temporaryTree({ "etc/hostname": "x" })), {})).toEqual([]);
    expect(crypttabPart(new RootTree(temporaryTree({ "etc/crypttab": "# none\n" })), {})).toEqual([]);
  });
});

describe("fstab", () => {
  const content = [
    "# comment",
    "UUID=a / ext4 defaults 0 1",
    "UUID=b /home ext4 defaults 0 2",
    "UUID=c /usr/ ext4 ro 0 2",
    "UUID=d /var xfs x-initrd.mount 0 2",
    "UUID=e none swap sw 0 0",
    "UUID=f none swap noauto 0 0",
    "proc /proc",
  ].join("\n");
  const root = new RootTree(temporaryTree({ "etc/fstab": content }));

  test("/, /usr and what is marked", () => {
    expect(devicesIn(fstabPart(root, {}))).toEqual(["UUID=a", "UUID=c", "UUID=d"]);
    expect(fstabPart(root, {})[0]?.notes).toEqual([
      "/etc/fstab, line 8, is left out: it lacks a type (a line is: device, mount point, type, options).",
    ]);
  });
  test("other mount points when they are asked for", () => {
    expect(devicesIn(fstabPart(root, { mounts: ["/home/"] }))).toEqual([
      ...["UUID=a", "UUID=b", "UUID=c", "UUID=d"],
    ]);
  });
  test("nothing when no line matters", () => {
    expect(fstabPart(new RootTree(temporaryTree({ "etc/fstab": "UUID=b /home ext4\n" })), {})).toEqual([]);
  });
});
