/** The server guest of the network's tests: what it gives to a client that is no rdinit, and how guests come and go. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { type Machine, startMachine } from "../../qemu/machine.ts";
import { moduleTree } from "../../qemu/modules.ts";
import { macOf } from "../../qemu/network/cards.ts";
import { SERVER_NAME, serverAddress } from "../../qemu/network/config.ts";
import { startServer } from "../../qemu/network/server.ts";
import { MACHINE_MS } from "../../qemu/scenario.ts";
import { packInitramfs } from "../../qemu/tree.ts";
import { userlandsNeed } from "../../qemu/userlands/trees.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await userlandsNeed();
const dir = temporaryDirectory();
const disk = join(dir, "export.img");
const { v4 } = serverAddress();
const MAC = macOf(0);

beforeAll(() =>
  makeDisk({
    file: disk,
    type: "ext4",
    tree: [{ path: "/motd", kind: "text", text: "hello" }],
    size_mb: 16,
  }),
);

/** What udhcpc gives its script, in one line, and the address set as it says. */
const LEASE = `#!/bin/busybox sh
[ "$1" = bound ] || exit 0
busybox ip addr add $ip/$mask dev $interface
busybox ip route add default via $router
echo nameserver $dns >/etc/resolv.conf
echo "CLIENT lease $ip/$mask router $router dns $dns domain $domain seconds $lease hostname $hostname rootpath $rootpath"
`;

/** A guest of busybox alone with one card, which runs these lines. */
async function startClient(
  name: string,
  lines: readonly string[],
  card: Parameters<typeof startMachine>[0]["cards"],
): Promise<Machine> {
  const kernel = await stockKernel();
  const { tree, order } = await moduleTree(kernel, [
    "virtio_pci",
    "virtio_net",
    "nfsv3",
    "nfsv4",
    "af_packet",
  ]);
  const init = [
    "#!/bin/busybox sh",
    "export PATH=/bin",
    "/bin/busybox --install -s /bin",
    "mount -t devtmpfs dev /dev",
    "mount -t proc proc /proc",
    ...order.map((path) => `insmod ${path}`),
    "ip link set lo up",
    "ip link set eth0 up",
    ...lines,
    "poweroff -f",
  ];
  const initrd = join(dir, `${name}.cpio`);
  await packInitramfs(
    [
      { path: "/init", kind: "text", text: `${init.join("\n")}\n`, mode: 0o755 },
      { path: "/lease", kind: "text", text: LEASE, mode: 0o755 },
      { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
      ...["dev", "proc", "etc", "mnt"].map((path) => ({ path: `/${path}`, kind: "dir" }) as const),
      ...tree,
    ],
    initrd,
  );
  return startMachine({
    name: `network-server-${name}`,
    kernel: kernel.vmlinuz,
    initrd,
    append: "quiet panic=-1 cryptomgr.notests",
    ...(card === undefined ? {} : { cards: card }),
    timeout_ms: 2 * MACHINE_MS,
  });
}

const said = (machine: Machine): string[] =>
  [...machine.console.text.matchAll(/^CLIENT (.*)$/gm)].map(([, words = ""]) => words);

test.skipIf(need !== undefined)(
  `a client gets a lease and names, and reads and writes by NFS${need === undefined ? "" : ` (${need})`}`,
  async () => {
    await using server = await startServer({
      name: "network-server",
      lans: [
        {
          known: [{ mac: MAC, host: 42, name: "client" }],
          rootPath: `${v4}:/srv/root`,
          lease_s: 120,
          ipv6: "slaac",
        },
      ],
      exports: [
        { kind: "nfs", name: "root", file: disk },
        { kind: "nbd", name: "disk", file: disk },
        { kind: "iscsi", name: "iqn.2026-01.test:disk", file: disk },
      ],
    });
    const listening = await server.command("busybox netstat -ltn");
    for (const port of [53, 111, 2049, 10809, 3260]) expect(listening).toContain(`:${port} `);

    const nfs = (type: string, options: string): string =>
      `mount -t ${type} -o addr=${v4},proto=tcp,${options} ${v4}:/srv/root /mnt`;
    const client = await startClient(
      "client",
      [
        "udhcpc -i eth0 -n -R -O rootpath -p /pid -s /lease",
        `nslookup ${SERVER_NAME} | grep -q ${v4} && echo "CLIENT name found"`,
        `${nfs("nfs", `vers=3,nolock,mountproto=tcp,mountaddr=${v4}`)} && echo "CLIENT v3 $(cat /mnt/motd)"`,
        "umount /mnt",
        `${nfs("nfs4", `vers=4.2,clientaddr=10.77.0.42`)} && echo "CLIENT v4 $(cat /mnt/motd)"`,
        "echo client >/mnt/written",
        "umount /mnt",
        "until ip addr show dev eth0 | grep -q fd77:; do sleep 0.1; done; echo CLIENT has IPv6",
        "kill $(cat /pid); while [ -e /pid ]; do sleep 0.1; done",
      ],
      [server.card()],
    );
    await client.expectEnd("powered off");
    expect(said(client)).toEqual([
      `lease 10.77.0.42/24 router ${v4} dns ${v4} domain test seconds 120 hostname client rootpath ${v4}:/srv/root`,
      "name found",
      "v3 hello",
      "v4 hello",
      "has IPv6",
    ]);
    expect(await server.command("cat /srv/root/written")).toBe("client");
    await server.expect(`DHCPACK(eth0) 10.77.0.42 ${MAC} client`, 1000);
    await server.expect(`DHCPRELEASE(eth0) 10.77.0.42 ${MAC}`, 10_000);
  },
  MACHINE_MS * 5,
);
