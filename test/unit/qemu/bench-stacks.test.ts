import { STORAGE } from "../../../qemu/storage/basic.ts";
import { expect, test } from "bun:test";
import { commandText, imageCommand, stackParameters } from "../../../qemu/bench/images.ts";
import { STACKS, STACK_KEY, STACK_KEY_PATH, STACK_VOLUME } from "../../../qemu/bench/stacks.ts";
import { PROJECT } from "../../../qemu/host.ts";
import { dracut, dracutWithKey } from "../../../qemu/peers/dracut.ts";
import { initramfsToolsWithKey } from "../../../qemu/peers/initramfs-tools.ts";

const kernel = { version: "6.1", vmlinuz: "/boot/vmlinuz", modules: "/lib/modules/6.1" };
const key = { path: STACK_KEY_PATH, text: STACK_KEY, uuid: "1234" };

test("imageCommand reads no configuration of the machine, and its text is what one would type", () => {
  const { argv, file } = imageCommand({ name: "x", kernel, options: ["--generic"] });
  expect(file).toBe(`${PROJECT}/build/bench/x.img`);
  expect(commandText(argv)).toBe(
    "build/rdinit image -c /dev/null --modules /lib/modules/6.1 --generic -o build/bench/x.img",
  );
});

test("only a stack with an encrypted volume needs a key", () => {
  expect(STACKS.map(stackParameters)).toEqual([
    "",
    ` rd.luks.name=${STORAGE.luks}=clear rd.luks.key=${STORAGE.luks}=${STACK_KEY_PATH}`,
  ]);
});

test("each stack is taken apart again, in the opposite order", () => {
  for (const stack of STACKS) {
    const { script } = stack.recipe([]);
    const order = ["mdadm --create", "lvm vgcreate", "umount /mnt", "vgchange -q -an", "mdadm --stop"];
    const places = order.map((words) => script.indexOf(words));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(script.includes("cryptsetup close")).toBe(stack.encrypted);
  }
});

test("device-mapper doubles the hyphens of a volume's name", () => {
  expect(STACK_VOLUME).toBe("bootgroup-boot--root");
});

test("peers with a key are the peers, and the key", () => {
  const command = dracutWithKey(key).command("6.1", "IMAGE", "FOLDER");
  expect(command).toEqual([
    ...dracut.command("6.1", "IMAGE", "FOLDER").slice(0, -1),
    ...["--include", "FOLDER/key", STACK_KEY_PATH, "IMAGE"],
  ]);
  const hook = initramfsToolsWithKey(key).files["hooks/key"] ?? "";
  expect(Bun.spawnSync(["sh", "-n", "-c", hook]).exitCode).toBe(0);
  expect(hook).toContain(`clear UUID=1234 ${STACK_KEY_PATH} luks`);
});
