import { expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import type { ChildEnd, runChild } from "../../../../src/boot/children/children.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { attachIscsi } from "../../../../src/boot/netroot/iscsi.ts";
import { attachNbd } from "../../../../src/boot/netroot/nbd.ts";
import { readNetRootSettings } from "../../../../src/boot/netroot/settings.ts";
import type { IscsiDisk, NbdDisk } from "../../../../src/boot/netroot/types.ts";
import { Storage } from "../../../../src/boot/storage/storage.ts";
import { attribute, fakeKernel } from "../../../../syscalls/fake.ts";
import { readText } from "../../../../syscalls/index.ts";
import { bootOn, noLayers } from "../../../fixtures/disks-in-memory.ts";

/** What sysfs holds of a target's disk with this number. */
function session(lun: number) {
  const target = { [`2:0:0:${lun}`]: { block: { sdb: {} } }, "2:0:0:0": {} };
  return {
    class: {
      iscsi_session: {
        session1: { targetname: attribute(() => "iqn.x:y\n"), device: { "target2:0:0": target } },
      },
    },
  };
}

function setting(line: string, sysfs = {}, etc = {}) {
  const { sys } = fakeKernel({
    rootfs: { proc: {}, sys: sysfs, run: {}, etc },
    mounts: [{ at: "/proc", type: "proc" }],
  });
  const { boot, lines } = bootOn(sys, line);
  const devices = new BlockDevices(sys);
  const loaded: string[] = [];
  const means = {
    boot,
    devices,
    layers: new Storage(devices, noLayers),
    loadModules: async (names: readonly string[]) => void loaded.push(...names),
  };
  const { settings } = readNetRootSettings(boot.words);
  return { means, sys, lines, loaded, settings };
}

/** A tool that says this and ends so, one after the other; how it was called. */
function tool(...turns: readonly (readonly [says: readonly string[], end: ChildEnd])[]) {
  const calls: string[] = [];
  const run = (async (_, { argv, hear }) => {
    const [says, end] = turns[calls.length] ?? [[], { kind: "failed", why: "was not expected" }];
    calls.push(argv.join(" "));
    for (const line of says) hear?.(line);
    return { end, output: "" };
  }) satisfies typeof runChild;
  return { run, calls };
}

const done: ChildEnd = { kind: "exited", status: 0 };
const failed: ChildEnd = { kind: "exited", status: 1 };

function nbd(): NbdDisk {
  return readNetRootSettings(parseCommandLine("root=nbd:server:export")).settings.root as NbdDisk;
}

test("NBD: a server that can't be reached is tried again", async () => {
  const { means, loaded, lines } = setting("");
  const { run, calls } = tool([["Error: Socket failed: Connection refused"], failed], [[], done]);
  expect(await attachNbd(means, nbd(), "10.0.0.1", 1, run)).toBe("nbd1");
  expect(calls).toEqual(Array(2).fill("nbd-client 10.0.0.1 /dev/nbd1 -name export -persist -systemd-mark"));
  expect(loaded).toEqual(["nbd"]);
  expect(lines.join("\n")).toContain(
    "waiting for the server server, which does not answer (nbd-client: Socket failed: Connection refused) so far",
  );
});

test("NBD: what the server says of the export is told at once, and a tool that is missing", async () => {
  const { means } = setting("");
  const said = [
    "Negotiation: ..Error: Unknown error returned by server. Server said: Export unknown",
    "Exiting.",
  ];
  await expect(attachNbd(means, nbd(), "10.0.0.1", 0, tool([said, failed]).run)).rejects.toThrow(
    "The disk nbd:server:export can't be attached: nbd-client says: Unknown error returned by server. Server said: Export unknown.",
  );
  const missing = tool([[], { kind: "failed", why: "is not in the image" }]);
  await expect(attachNbd(means, nbd(), "10.0.0.1", 0, missing.run)).rejects.toThrow(
    "nbd-client is not in the image.",
  );
  await expect(attachNbd(means, nbd(), "10.0.0.1", 0, tool([[], failed]).run)).rejects.toThrow(
    "ended with status 1",
  );
});

test("NBD: a server that never answers has the deadline of the root", async () => {
  const { means } = setting("rd.timeout=0.2");
  const late = tool([["Error: Socket failed: No route to host"], { kind: "timed out" }]);
  await expect(attachNbd(means, nbd(), "10.0.0.1", 0, late.run)).rejects.toThrow(
    "The disk nbd:server:export was not attached within 0.2 s, in one try: the server server does not answer (nbd-client: Socket failed: No route to host).",
  );
});

test("NBD: what the tool said before is told when the deadline cuts its last try short", async () => {
  const { means } = setting("rd.timeout=2.2");
  const says = ["Error: Socket failed: No route to host"];
  const late = tool([says, failed], [[], { kind: "timed out" }]);
  await expect(attachNbd(means, nbd(), "10.0.0.1", 0, late.run)).rejects.toThrow(
    "does not answer (nbd-client: Socket failed: No route to host).",
  );
  expect(late.calls).toHaveLength(2);
});

test("NBD: what an earlier try has attached stays", async () => {
  const { means } = setting("", { class: { block: { nbd0: { pid: attribute(() => "7\n") } } } });
  expect(await attachNbd(means, nbd(), "10.0.0.1", 0, tool().run)).toBe("nbd0");
});

const ISCSI = "root=iscsi:u:secret@server:::1:iqn.x:y rd.timeout=0.3";

test("iSCSI: the name is the image's, and is left for the real system; the password is kept from the log", async () => {
  const { means, sys, settings, lines } = setting(ISCSI, session(1), {
    iscsi: { "initiatorname.iscsi": "# x\nInitiatorName=iqn.me\n" },
  });
  const disk = settings.root as IscsiDisk;
  // There is a session already.
  expect(await attachIscsi(means, disk, "10.0.0.1", settings.iscsi, tool().run)).toBe("sdb");
  const other = { ...disk, target: "iqn.x:z" };
  const { run, calls } = tool([["iscsistart: version 2.1.8"], done]);
  await expect(attachIscsi(means, other, "10.0.0.1", settings.iscsi, run)).rejects.toThrow(
    "The disk iscsi:server:::1:iqn.x:z did not appear: the target has no disk for this machine.",
  );
  expect(calls).toEqual(["iscsistart -i iqn.me -t iqn.x:z -g 1 -a 10.0.0.1 -p 3260 -u u -w secret"]);
  expect(readText(sys, "/run/initiatorname.iscsi")).toBe("InitiatorName=iqn.me\n");
  expect(lines.join("\n")).not.toContain("secret");
});

test("iSCSI: another number is told", async () => {
  const { means, settings } = setting(ISCSI, session(3));
  await expect(
    attachIscsi(means, settings.root as IscsiDisk, "10.0.0.1", settings.iscsi, tool().run),
  ).rejects.toThrow("did not appear: the target has LUN 3.");
});

test.each([
  [
    "iscsistart: initiator reported error (24 - iSCSI login failed due to authorization failure)",
    "can't be attached: iscsistart says: iSCSI login failed due",
  ],
  ["iscsistart: session 1 login rejected: Initiator failed authentication with target", "login rejected"],
  [
    "iscsistart: connect to 10.77.0.1:99 failed (Connection refused)",
    "does not answer (iscsistart: Connection refused)",
  ],
  [
    "iscsistart: initiator reported error (8 - connection timed out)",
    "does not answer (iscsistart: connection timed out)",
  ],
])("iSCSI: %s", async (line, sentence) => {
  const { means, settings, lines } = setting(ISCSI);
  const attaching = attachIscsi(
    means,
    settings.root as IscsiDisk,
    "10.0.0.1",
    settings.iscsi,
    tool([[line], failed]).run,
  );
  await expect(attaching).rejects.toThrow(
    sentence.replace("login rejected", "Initiator failed authentication"),
  );
  expect(lines.join("\n")).toContain("a name that was made now");
});
