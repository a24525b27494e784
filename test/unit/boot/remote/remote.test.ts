/** Remote unlock: what the command line says of it, how dropbear is called, what it tells, and whose key it has. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../../qemu/host.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { plainLog } from "../../../../src/boot/log.ts";
import { planDropbear, readDropbear } from "../../../../src/boot/remote/dropbear.ts";
import { findKeys } from "../../../../src/boot/remote/image.ts";
import { isBuiltForSsh } from "../../../../src/boot/remote/on-demand.ts";
import { Remote } from "../../../../src/boot/remote/remote.ts";
import { readRemoteSettings } from "../../../../src/boot/remote/settings.ts";
import { fromBytes } from "../../../../src/lib/bytes.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { readHostKey } from "../../../../src/lib/ssh-key.ts";
import { type Tree, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { temporaryDirectory } from "../../../fixtures/temporary.ts";

const dir = temporaryDirectory();

test.each([
  ["", { on: undefined, port: 22, shell: false }, 0],
  ["rd.ssh", { on: true, port: 22, shell: false }, 0],
  ["rd.ssh=1 rd.ssh=0 rd.ssh.port=2222 rd.ssh.shell", { on: false, port: 2222, shell: true }, 0],
  ["rd.ssh=maybe rd.ssh.port=0 rd.ssh.port=65536 rd.ssh.port", { on: undefined, port: 22, shell: false }, 4],
] as const)("the words %p", (line, settings, complaints) => {
  const read = readRemoteSettings(parseCommandLine(line));
  expect(read.settings).toEqual(settings);
  expect(read.complaints).toHaveLength(complaints);
});

test("dropbear takes no passwords, forwards nothing, and runs our program alone", () => {
  expect(planDropbear(2222, ["/etc/dropbear/a", "/etc/dropbear/b"]).join(" ")).toBe(
    "dropbear -F -E -s -j -k -m -c /init unlock -p 2222 -K 60 -P  -r /etc/dropbear/a -r /etc/dropbear/b",
  );
});

test.each([
  ["Not backgrounding", "listening", ""],
  [
    "Pubkey auth succeeded for 'root' with ssh-ed25519 key SHA256:abc from 192.0.2.7:50022",
    "login",
    "somebody has logged in over SSH from 192.0.2.7, with the key SHA256:abc.",
  ],
  [
    "Exit before auth from <192.0.2.7:50022>: (user 'root', 3 fails): Exited normally",
    "refused",
    "a login over SSH from 192.0.2.7 came to nothing: 3 keys were refused.",
  ],
  [
    "Exit before auth from <2001:db8::7:50022>: (user 'root', 0 fails): Exited normally",
    "refused",
    "a login over SSH from 2001:db8::7 came to nothing: none of its keys may log in.",
  ],
  [
    "Exit before auth from <192.0.2.7:1>: Exited normally",
    "refused",
    "a login over SSH from 192.0.2.7 came to nothing: Exited normally.",
  ],
  [
    "Failed listening on '22': Error listening: Address already in use",
    "problem",
    "dropbear says: Failed listening on '22': Error listening: Address already in use",
  ],
])("what dropbear says: %s", (line, kind, words) => {
  const event = readDropbear(`[123] Nov 21 20:20:20 ${line}`);
  expect<unknown>(event).toEqual(words === "" ? { kind } : { kind, words });
});

test("other lines of dropbear are of no interest", () => {
  expect(readDropbear("[9] Nov 01 00:00:00 Child connection from 192.0.2.7:50022")).toBeUndefined();
  expect(readDropbear("")).toBeUndefined();
});

test.each(["rsa", "ecdsa", "ed25519"] as const)(
  "the fingerprint of a key of dropbear's: %s",
  async (kind) => {
    const file = join(dir, `dropbear_${kind}_host_key`);
    const said = await run(["dropbearkey", "-t", kind, "-f", file]);
    const [, fingerprint] = /Fingerprint: (SHA256:\S+)/.exec(said) ?? [];
    const bytes = readFileSync(file);
    expect(readHostKey(bytes)).toEqual({ kind, fingerprint: fingerprint ?? "" });
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => readHostKey(bytes.subarray(0, length))).not.toThrow();
  },
);

function look(rootfs: Tree) {
  return findKeys(fakeKernel({ rootfs }).sys);
}

/** An image that has all that it takes. */
function wholeImage() {
  const key = fromBytes(readFileSync(join(dir, "dropbear_ed25519_host_key")));
  return {
    usr: { sbin: { dropbear: program() } },
    root: { ".ssh": { authorized_keys: "ssh-ed25519 AAAA\n" } },
    etc: { dropbear: { dropbear_ed25519_host_key: key, dropbear_rsa_host_key: "damaged" } },
  };
}

test("what an image lacks is a clause", () => {
  const whole = wholeImage();
  expect(look(whole)).toMatchObject([{ kind: "ed25519", path: "/etc/dropbear/dropbear_ed25519_host_key" }]);
  expect(look({ ...whole, usr: {} })).toBe("dropbear is not in the image");
  expect(look({ ...whole, root: { ".ssh": { authorized_keys: "" } } })).toMatch(/^nobody could log in, /);
  expect(look({ ...whole, etc: {} })).toBe("the image has no host key in /etc/dropbear");
  expect(isBuiltForSsh(fakeKernel({ rootfs: whole }).sys)).toBe(false);
  expect(isBuiltForSsh(fakeKernel({ rootfs: { ...whole, bin: { unlock: program() } } }).sys)).toBe(true);
});

test("a network that does not come up is looked at once for each of its changes, and nothing else is held up", async () => {
  // A kernel that knows no address.
  const sys = intercept(fakeKernel({ rootfs: wholeImage() }).sys, ({ name, args }, proceed) => {
    if (name === "socket") throw refusalOf(name, args, "EAFNOSUPPORT");
    return proceed();
  });
  const said: string[] = [];
  const boot = { ...bootOn(sys, "rd.ssh").boot, log: plainLog((_, message) => said.push(message)) };
  let change = Promise.withResolvers<void>();
  let asked = 0;
  const network = {
    start: () => undefined,
    // While it is waited for, links come and go.
    up: async () => {
      change.resolve();
      change = Promise.withResolvers();
      throw new UserError("No link has a carrier.");
    },
    changed: () => {
      // At once, and no rejection: nothing else ends the loop that this test is about.
      if (++asked > 100) throw new Error("asked without end");
      return change.promise;
    },
  };
  const remote = new Remote(boot);
  remote.start(network);
  remote.desk.ask("Passphrase for vda2: ", () => undefined);
  await Bun.sleep(10);
  expect(asked).toBeLessThan(4);
  change.resolve();
  change = Promise.withResolvers();
  await Bun.sleep(10);
  expect(asked).toBeLessThan(6);
  await remote.end("the system starts.");
  expect(said.filter((sentence) => sentence.startsWith("Nobody"))).toEqual([
    "Nobody can unlock over SSH as long as the network is not there. No link has a carrier.",
  ]);
});
