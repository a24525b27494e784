/** An encrypted root on an array, unlocked over SSH by a real ssh: typed, piped, refused. */

import { beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import { compile } from "../../qemu/host.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { type SshKeys, makeSshKeys } from "../../qemu/ssh.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { BINARY_KEY, LUKS, twoSecrets } from "../../qemu/storage/luks.ts";
import { CLEAN, MAKE_MS, QUESTION, imageFile } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";
import { NOTHING_LEFT, bootUnlockable, reachable } from "../fixtures/unlock-boot.ts";

const dir = temporaryDirectory();
const volume = `md127 (luks-${STORAGE.luks})`;
let keys: SshKeys;

beforeAll(async () => {
  keys = await makeSshKeys(dir);
});

/** What a connection to the port is sent first, until it ends: "" when nobody is behind it. */
function banner(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

test(
  "typed at a terminal, wrong and then right; a wrong key is refused and no password asked for",
  async () => {
    const { machine, port, ssh, as } = await bootUnlockable("unlock-typed", keys);
    expect(await reachable(machine)).toBe("ssh root@10.0.2.15");
    expectSaid(machine, [`its host key: ${keys.fingerprint} (ED25519)`]);

    const stranger = as(keys.stranger);
    expect(await stranger.status()).toBe(255);
    expect(stranger.text).toContain("root@127.0.0.1: Permission denied (publickey).");

    const session = ssh([], ["-tt"]);
    await session.expect(`Passphrase for ${volume}: `);
    session.send("not this\r");
    await session.expect(`This passphrase does not open ${volume} (1 of 3 tries).`);
    await session.expect(`Passphrase for ${volume}: `);
    session.send(`${STORAGE.passphrase}\r`);
    await session.expect(`Unlocked: ${volume}; the system goes on.`);
    await session.expect("The root is mounted, and the system starts.");
    expect(await session.status()).toBe(0);
    expect(session.text).not.toContain(STORAGE.passphrase);

    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe(`/dev/mapper/luks-${STORAGE.luks}`);
    expect(listing.get("processes.others")).toBe("0");
    expect(machine.console.text).toContain("(answered by SSH from 10.0.2.2)");
    // Some of it comes behind the question, on the same line.
    expect(machine.console.text).toMatch(
      /rdinit: somebody has logged in over SSH from 10\.0\.2\.2, with the key SHA256:\S+\.$/m,
    );
    expectSaid(machine, [...CLEAN, ...NOTHING_LEFT]);
    expect(machine.console.text).not.toContain("dropbear says");
    expect(await banner(port)).toBe("");
  },
  MAKE_MS,
);

test(
  "piped: a wrong key file, then one whose text ends with a line feed",
  async () => {
    const search = await compile("unlock-memory", [join(import.meta.dir, "unlock-memory.c")]);
    const { machine, ssh } = await bootUnlockable("unlock-piped", keys, {
      image: { files: [{ to: "/etc/rdinit.d/cleanup/30-memory", from: search, mode: 0o755 }] },
    });
    await reachable(machine);
    const wrong = ssh();
    // Long enough that what comes later by chance does not overwrite all of it.
    wrong.send(
      Buffer.concat([Buffer.from([0, 10, 13, 10, 255, 4, 3]), Buffer.alloc(3000, STORAGE.passphrase)]),
    );
    wrong.close();
    await wrong.expect(`This passphrase does not open ${volume} (1 of 3 tries).`);
    expect(await wrong.status()).toBe(1);

    const empty = ssh();
    empty.close();
    await empty.expect("Standard input is empty, so no passphrase was given.");
    expect(await empty.status()).toBe(2);

    const right = ssh();
    right.send(`${STORAGE.passphrase}\n`);
    right.close();
    expect(await right.status()).toBe(0);
    expect(right.text).toContain(`Unlocked: ${volume}; the system goes on.\n`);
    await probed(machine);
    expectSaid(machine, [...CLEAN, ...NOTHING_LEFT, "30-memory: searched, copies: 0"]);
  },
  MAKE_MS,
);

test(
  "answered on the console while sessions wait: they say so and end well; a shell is refused",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-console", keys, { append: "rd.ssh.shell=0" });
    await reachable(machine);
    const refused = ssh(["sh"]);
    expect(await refused.status()).toBe(1);
    expect(refused.text).toContain("No shell is given over SSH. (rd.ssh.shell=1 would allow it.)");
    const session = ssh([], ["-tt"]);
    await session.expect(`Passphrase for ${volume}: `);
    // Half a passphrase is nobody's answer.
    session.send("not th");
    machine.console.send(`${STORAGE.passphrase}\n`);
    await session.expect("(answered on ttyS0)");
    await session.expect(`Unlocked: ${volume}; the system goes on.`);
    expect(await session.status()).toBe(0);
    await probed(machine);
    expectSaid(machine, [...CLEAN, ...NOTHING_LEFT]);
  },
  MAKE_MS,
);

test(
  "a shell when it is allowed; it does not hold up the boot, and is told of its end",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-shell", keys, { append: "rd.ssh.shell" });
    await reachable(machine);
    const one = ssh(["cat /proc/1/comm; echo $RANDOM >/dev/null; exit 7"]);
    expect(await one.status()).toBe(7);
    const shell = ssh(["sh"], ["-tt"]);
    await shell.expect("rdinit# ");
    shell.send("grep -c . /proc/mdstat; tty\r");
    await shell.expect("/dev/pts/");
    const session = ssh();
    session.send(STORAGE.passphrase);
    session.close();
    expect(await session.status()).toBe(0);
    await shell.expect("rdinit: the root is mounted, and the system starts. This session ends.");
    expect(await shell.status()).not.toBe(0);
    await probed(machine);
    expectSaid(machine, [...CLEAN, ...NOTHING_LEFT]);
  },
  MAKE_MS,
);

test(
  "nothing listens before the question is open",
  async () => {
    const { machine, port, ssh } = await bootUnlockable("unlock-before", keys, {
      append: `rd.luks.key=/key:LABEL=missing rd.luks.options=keyfile-timeout=8`,
    });
    await machine.console.expect("LABEL=missing", MACHINE_MS);
    expect(await banner(port)).toBe("");
    await reachable(machine);
    expect(await banner(port)).toStartWith("SSH-2.0-dropbear");
    const session = ssh();
    session.send(STORAGE.passphrase);
    session.close();
    expect(await session.status()).toBe(0);
    await probed(machine);
  },
  MAKE_MS,
);

test(
  "a cable that is plugged in late: the question on the console is there meanwhile, and then anybody can log in",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-cable", keys, {
      append: "rd.net.timeout.carrier=3",
    });
    await machine.plugCable(0, false);
    await machine.console.expect(
      /Nobody can unlock over SSH as long as the network is not there\..*/,
      MACHINE_MS,
    );
    machine.console.send("not this\n");
    await machine.console.expect("(1 of 3 tries)", MACHINE_MS);
    await machine.plugCable(0, true);
    await reachable(machine);
    const session = ssh();
    session.send(STORAGE.passphrase);
    session.close();
    expect(await session.status()).toBe(0);
    await probed(machine);
    expectSaid(machine, [...CLEAN, ...NOTHING_LEFT]);
  },
  MAKE_MS,
);

test(
  "nobody comes: the machine goes off, and who waits is told why",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-timeout", keys, {
      append: "rd.luks.timeout=20 rd.emergency=poweroff rd.timeout=5",
    });
    await reachable(machine);
    const session = ssh([], ["-tt"]);
    await session.expect(`Passphrase for ${volume}: `);
    await session.expect("The boot has failed. ");
    expect(await session.status()).toBe(1);
    await machine.expectEnd("powered off");
    expectSaid(machine, [
      `${volume} stays closed: no passphrase came in time.`,
      "No rescue shell is started, as nobody gave the right passphrase; rd.shell=1 would allow it.",
      "Powering off in 5 s, as rd.emergency= asks.",
    ]);
  },
  MAKE_MS,
);

test(
  "wrong passphrases count together, over sessions and the console; after a pause the machine asks again, and has given no shell",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-thrice", keys, {
      append: "rd.timeout=5",
    });
    await reachable(machine);
    for (const count of [1, 2]) {
      const session = ssh();
      session.send("wrong");
      session.close();
      await session.expect(`(${count} of 3 tries).`);
      expect(await session.status()).toBe(1);
    }
    await machine.console.expect("(2 of 3 tries).", MACHINE_MS);
    await machine.console.expect(QUESTION, MACHINE_MS);
    machine.console.send("wrong again\n");
    await machine.console.expect("Waiting: when a device appears, or else in 30 s", MACHINE_MS);
    const late = ssh();
    late.send(STORAGE.passphrase);
    late.close();
    await late.expect("The boot is tried again in 30 s, and the passphrase is asked for again.");
    await late.expect(`Unlocked: ${volume}; the system goes on.`);
    expect(await late.status()).toBe(0);
    await probed(machine);
    expectSaid(machine, [
      "No rescue shell is started, as nobody gave the right passphrase; rd.shell=1 would allow it.",
      "30 s are over: the boot is tried again.",
      ...NOTHING_LEFT,
    ]);
  },
  MAKE_MS,
);

test(
  "a boot that fails without a question: the shell that is allowed can be had, and nothing else",
  async () => {
    const { machine, ssh } = await bootUnlockable("unlock-failed", keys, {
      append: "rd.ssh.shell=1 rd.timeout=3 rd.shell=0",
      disks: [await probeDisk(dir)],
    });
    await reachable(machine);
    const session = ssh([], ["-tt"]);
    expect(await session.status()).toBe(1);
    expect(session.text).toContain(
      `The boot has failed. The root UUID=${STORAGE.filesystem} did not appear. 'ssh -t' with sh behind it gives a shell.`,
    );
    const shell = ssh(["poweroff -f"]);
    await machine.expectEnd("powered off");
    shell.kill();
  },
  MAKE_MS,
);

test(
  "two volumes: a key file of any bytes for one, a passphrase for the other",
  async () => {
    const disks = await makeDisksInGuest(twoSecrets(await probeRoot()));
    const { machine, ssh } = await bootUnlockable("unlock-two", keys, {
      append: `rd.luks.uuid=${LUKS.root} rd.luks.name=${LUKS.other}=second`,
      disks,
    });
    await reachable(machine);
    const first = ssh();
    first.send(BINARY_KEY);
    first.close();
    await first.expect(`Unlocked: vda (luks-${LUKS.root}); the system goes on.`);
    await first.expect(
      "Another passphrase is needed. Passphrase for vdb (second): Connect again to give it.",
    );
    expect(await first.status()).toBe(1);
    const second = ssh([], ["-tt"]);
    await second.expect("Passphrase for vdb (second): ");
    second.send(`${LUKS.passphrase}\r`);
    await second.expect("Unlocked: vdb (second); the system goes on.");
    await second.expect("The root is mounted, and the system starts.");
    expect(await second.status()).toBe(0);
    await probed(machine);
    expectSaid(machine, NOTHING_LEFT);
  },
  MAKE_MS,
);

test(
  "an image without keys is told, and the console asks all the same",
  async () => {
    const { machine } = await bootUnlockable("unlock-no-keys", keys, {
      image: { files: [imageFile("/root/.ssh/authorized_keys", "")] },
    });
    await machine.console.expect(QUESTION, MACHINE_MS);
    machine.console.send(`${STORAGE.passphrase}\n`);
    await probed(machine);
    expect(said(machine)).toContain(
      "Nobody can unlock over SSH: nobody could log in, as the image has no /root/.ssh/authorized_keys.",
    );
  },
  MAKE_MS,
);
