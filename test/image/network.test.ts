/** What `--network` and `--ssh` bring, run in a chroot of an unpacked image with a network of its own. */

import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { networkParts } from "../../src/image/network.ts";
import { unpackClient } from "../../qemu/network/client-tools.ts";
import { toolParts } from "../../src/image/recipes/index.ts";
import { RootTree } from "../../src/image/root-tree.ts";
import { sshPart } from "../../src/image/ssh/part.ts";
import { Chroot } from "../fixtures/chroot.ts";
import { enterImage } from "../fixtures/entered-image.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const blocker = Chroot.blocker();
if (blocker !== undefined) console.log(`The network of an image is not tried: ${blocker}`);
const described = describe.skipIf(blocker !== undefined);
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("The login by dropbear is not tried: it takes root to become somebody.");
const cables = Bun.spawnSync(
  ["unshare", "-rn", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"],
  {
    stderr: "pipe",
  },
);
if (!cables.success) console.log(`DHCP is not tried: ${cables.stderr.toString().trim()}`);

/** Clients of the network, and what they say of themselves. */
const CLIENTS: readonly (readonly [name: string, argv: readonly string[], says: RegExp])[] = [
  ["nbd-client", ["nbd-client", "-V"], /nbd-client|version/i],
  ["iscsistart", ["iscsistart", "--version"], /iscsistart version/],
];
const machine = new RootTree("/");

const [keys, place] = [temporaryDirectory(), temporaryDirectory()];
const [packages, attached] = [join(temporaryDirectory(), "packages"), temporaryDirectory()];
let root: Chroot;

beforeAll(() => {
  if (blocker !== undefined) return;
  for (const name of ["host", "client", "stranger"])
    Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(keys, name)]);
  const wishes = { authorizedKeys: [join(keys, "client.pub")], hostKeys: [join(keys, "host")] };
  const names = ["dropbear", "ssh", "ip", "sh", "cat", "sleep"];
  root = enterImage(
    [
      ...networkParts(machine, "drivers").parts,
      sshPart(machine, wishes).part,
      ...toolParts(machine, names, { isUnlockedBySsh: true }),
    ],
    place,
  );
  const put = (path: string, data: string | Uint8Array, mode: number) => {
    writeFileSync(join(root.directory, path), data);
    chmodSync(join(root.directory, path), mode);
  };
  for (const name of ["client", "stranger"]) put(`tmp/${name}`, readFileSync(join(keys, name)), 0o600);
  put("tmp/known", `127.0.0.1 ${readFileSync(join(keys, "host.pub"), "latin1")}`, 0o600);
  put("init", INIT, 0o755);
  put("tmp/event", EVENT, 0o755);
  put("tmp/udhcpd.conf", UDHCPD, 0o644);
}, 60_000);

/** Stands for the program that asks: a login runs it as its shell. */
const INIT = `#!/bin/sh
echo "$0 was started by a login of $USER with $# arguments: $*"
`;

// The options are those that forbid all but a key and the forced command.
const SSH = `
ip link set lo up
dropbear -s -j -k -c /bin/unlock -p 127.0.0.1:22 -P /tmp/pid 2>/tmp/log
login() { ssh -q -o BatchMode=yes -o UserKnownHostsFile=/tmp/known -i "/tmp/$1" root@127.0.0.1 "$2"; echo "status $?"; }
login client ''
login client 'cat /etc/dropbear/dropbear_ed25519_host_key'
login stranger ''
read -r pid </tmp/pid && kill "$pid"
`;

const EVENT = `#!/bin/sh
echo "event $1: $ip/$mask by $router for $lease s, $hostname"
`;

const UDHCPD = `start 10.9.0.10
end 10.9.0.10
max_leases 1
interface v0
option subnet 255.255.255.0
option router 10.9.0.1
option hostname leased
option lease 60
lease_file /tmp/leases
pidfile /tmp/udhcpd.pid
`;

const DHCP = `
ip link add v0 type veth peer name v1
for name in v0 v1; do ip link set "$name" up; done
ip addr add 10.9.0.1/24 dev v0
: >/tmp/leases
/bin/busybox udhcpd -f /tmp/udhcpd.conf 2>/dev/null &
udhcpc -f -n -q -t 20 -T 1 -i v1 -s /tmp/event
echo "status $?"
kill $!
`;

described("in the unpacked image", () => {
  test.skipIf(!isRoot)(
    "a login with the key runs what asks, whatever is asked for; another key is refused, and clients know the server",
    () => {
      const { output } = root.run(["sh", "-c", SSH]);
      expect(output.split("\n")).toEqual([
        "/bin/unlock was started by a login of root with 2 arguments: -c /bin/unlock",
        "status 0",
        "/bin/unlock was started by a login of root with 2 arguments: -c /bin/unlock",
        "status 0",
        "status 255",
        "",
      ]);
    },
    60_000,
  );
  test.skipIf(!cables.success)(
    "udhcpc of the image gets a lease",
    () => {
      const { output } = root.run(["sh", "-c", DHCP]);
      expect(output).toContain("event bound: 10.9.0.10/24 by 10.9.0.1 for 60 s, leased\n");
      expect(output).toContain("status 0\n");
    },
    60_000,
  );
  test("what attaches disks of the network starts", async () => {
    await unpackClient(packages);
    const names = CLIENTS.map(([name]) => name);
    const clients = enterImage(toolParts(new RootTree(packages), names), attached, packages);
    for (const [, argv, says] of CLIENTS) expect(clients.run(argv).output).toMatch(says);
  }, 600_000);
});
