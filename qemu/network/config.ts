/** What the server guest is told: files of /etc, and the script that starts everything. Pure text. */

/** A network that the server is on: the card of its own hub, or a VLAN on the card of an earlier one. */
export interface Lan {
  /** Tagged with this number on the card of network `on`, 0 when left out. */
  readonly vlan?: number;
  readonly on?: number;
  /** Whether DHCPv4 is served; true when left out. */
  readonly dhcp4?: boolean;
  /** What router advertisements say: nothing is sent, addresses by SLAAC, or by DHCPv6; "none" when left out. */
  readonly ipv6?: "none" | "slaac" | "dhcp";
  /** Seconds of a lease, 3600 when left out; dnsmasq takes no less than 120. */
  readonly lease_s?: number;
  /** Addresses for known cards: { mac, host } gives 10.77.N.HOST. */
  readonly known?: readonly { readonly mac: string; readonly host: number; readonly name?: string }[];
  /** Option 17. */
  readonly rootPath?: string;
  /** More words of dnsmasq(8)'s dhcp-option for this network: "option:mtu,1400", "option6:dns-server,[fd77::1]". */
  readonly options?: readonly string[];
}

/** Something that is served from a disk of the server. */
export type Export =
  | {
      /** The filesystem of the disk, at SERVER:/srv/NAME, for NFS v3 and v4. */
      readonly kind: "nfs";
      readonly name: string;
      readonly file: string;
      /** exports(5); "rw,no_root_squash" when left out. */
      readonly options?: string;
    }
  | { readonly kind: "nbd"; readonly name: string; readonly file: string; readonly readonly?: boolean }
  | {
      /** The disk as LUN 1 of the target NAME. */
      readonly kind: "iscsi";
      readonly name: string;
      readonly file: string;
      readonly chap?: { readonly user: string; readonly password: string };
    };

export interface ServerSetup {
  /** One network when left out. */
  readonly lans?: readonly Lan[];
  readonly exports?: readonly Export[];
  /** More lines of dnsmasq.conf. */
  readonly dnsmasq?: readonly string[];
  /** More lines of the script, before anything is served. */
  readonly setup?: readonly string[];
}

/** The server's addresses on its network number `lan`, IPv6 as RFC 5952 has it. */
export function serverAddress(lan = 0): { readonly v4: string; readonly v6: string } {
  return { v4: `10.77.${lan}.1`, v6: lan === 0 ? "fd77::1" : `fd77:0:0:${lan}::1` };
}

/** The name that the server's DNS gives for its address on the first network. */
export const SERVER_NAME = "server.test";

/** The server's name for the interface of network `lan`. */
export function interfaceOf(lans: readonly Lan[], lan: number): string {
  const { vlan, on = 0 } = lans[lan] ?? {};
  const cards = lans.slice(0, lan).filter((other) => other.vlan === undefined).length;
  return vlan === undefined ? `eth${cards}` : `${interfaceOf(lans, on)}.${vlan}`;
}

/** The text of dnsmasq.conf. */
export function dnsmasqConf(setup: ServerSetup): string {
  const lans = setup.lans ?? [{}];
  const { v4, v6 } = serverAddress();
  const lines = [
    ...[
      "port=53",
      "no-resolv",
      "no-hosts",
      "domain=test",
      "local=/test/",
      `host-record=${SERVER_NAME},${v4},${v6}`,
    ],
    // Nobody else has these addresses: no probe for 3 seconds before an offer.
    ...[
      "dhcp-authoritative",
      "no-ping",
      "dhcp-leasefile=/run/leases",
      "bind-interfaces",
      "except-interface=lo",
    ],
    ...(lans.some(({ ipv6 = "none" }) => ipv6 !== "none") ? ["enable-ra"] : []),
    ...lans.flatMap((lan, index) => lanLines(lan, index, interfaceOf(lans, index))),
    ...(setup.dnsmasq ?? []),
  ];
  return `${lines.join("\n")}\n`;
}

/** The text of exports(5). */
export function exportsFile(exports: readonly Export[]): string {
  const lines = exports
    .flatMap((one) => (one.kind === "nfs" ? [one] : []))
    .map(({ name, options = "rw,no_root_squash" }) => `/srv/${name} *(${options},${ALWAYS})`);
  // The way to them in version 4. The server's root is an overlay, which can't be exported, so this is a tmpfs (NFS_CONF).
  return ["/ *(ro,fsid=0,no_subtree_check)", ...lines, ""].join("\n");
}

/** The text of nfs.conf(5): where all exports are. */
export const NFS_CONF = "[exports]\nrootdir=/run/nfs\n";

const ALWAYS = "no_subtree_check,async,insecure";

/** The text of nbd-server(5)'s configuration. */
export function nbdConf(exports: readonly Export[]): string {
  const sections = exports.map((one, at) =>
    one.kind === "nbd"
      ? `[${one.name}]\nexportname = ${device(at)}\nreadonly = ${one.readonly === true}\n`
      : "",
  );
  return `[generic]\nallowlist = true\n${sections.join("")}`;
}

/** The script, for dash as process 1. It says "SERVER READY", then takes commands from the console. */
export function startScript(setup: ServerSetup): string {
  const lans = setup.lans ?? [{}];
  const exports = setup.exports ?? [];
  const serves = (kind: Export["kind"]): boolean => exports.some((one) => one.kind === kind);
  return [
    ...HEAD,
    ...lans.flatMap((lan, index) => interfaceLines(lans, lan, index)),
    ...(setup.setup ?? []),
    "mkdir -p /run/nfs/srv",
    ...exports.flatMap(exportLines),
    "mount --rbind /run/nfs/srv /srv",
    ...(serves("nfs") ? NFS : []),
    ...(serves("nbd") ? ["nbd-server -C /config/nbd.conf"] : []),
    ...(serves("iscsi")
      ? ["tgtd -f &", wait("[ -S /run/tgtd/socket.0 ]"), ...exports.flatMap(targetLines)]
      : []),
    "dnsmasq --keep-in-foreground --log-facility=- --conf-file=/config/dnsmasq.conf --user=root &",
    wait("grep -q ':0035 ' /proc/net/udp"),
    ...LOOP,
    "",
  ].join("\n");
}

/** In front of each line that a command of the loop prints. */
export const PRINTED = "| ";

const HEAD = [
  "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root",
  "stty -echo </dev/console",
  "mount -t tmpfs tmpfs /tmp",
  "hostname server",
  "ip link set lo up",
  "modprobe -a virtio_net 8021q",
  // The system's own words stay; the kernel's only when something is wrong.
  "dmesg -n 4",
];

const NFS = [
  "cp /config/exports /config/nfs.conf /etc",
  "modprobe nfsd",
  "mount -t nfsd nfsd /proc/fs/nfsd",
  "mkdir -p /run/rpcbind",
  "rpcbind",
  "rpc.statd --no-notify",
  "exportfs -ar",
  "rpc.nfsd 4",
  "rpc.mountd --foreground &",
  // No client of a former life has anything to reclaim, for which others would wait 90 seconds.
  "echo Y >/proc/fs/nfsd/v4_end_grace",
];

const LOOP = [
  'echo "SERVER READY"',
  `while read -r line; do ( eval "$line" ) 2>&1 | sed 's/^/${PRINTED}/'; echo "SERVER DONE"; done`,
];

/** Disks of the server in the order of its exports, behind the one with its own tree. */
function device(at: number): string {
  return `/dev/vd${String.fromCharCode("b".charCodeAt(0) + at)}`;
}

/** Until the condition holds, for ten seconds at most. */
function wait(condition: string): string {
  return `for try in $(seq 100); do if ${condition}; then break; fi; sleep 0.1; done`;
}

function interfaceLines(lans: readonly Lan[], { vlan, on = 0 }: Lan, index: number): string[] {
  const name = interfaceOf(lans, index);
  const { v4, v6 } = serverAddress(index);
  return [
    ...(vlan === undefined
      ? []
      : [`ip link add link ${interfaceOf(lans, on)} name ${name} type vlan id ${vlan}`]),
    `ip link set ${name} up`,
    `ip addr add ${v4}/24 dev ${name}`,
    `ip addr add ${v6}/64 dev ${name} nodad`,
  ];
}

function lanLines(lan: Lan, index: number, name: string): string[] {
  const { dhcp4 = true, ipv6 = "none", lease_s = 3600 } = lan;
  const tag = `lan${index}`;
  const v4 = `10.77.${index}`;
  const v6 = `fd77:0:0:${index}`;
  const option = (word: string): string => `dhcp-option=tag:${tag},${word}`;
  return [
    `interface=${name}`,
    ...(dhcp4 ? [`dhcp-range=set:${tag},${v4}.100,${v4}.199,255.255.255.0,${lease_s}`] : []),
    ...(ipv6 === "slaac" ? [`dhcp-range=set:${tag},${v6}::,ra-stateless,64,${lease_s}`] : []),
    ...(ipv6 === "dhcp" ? [`dhcp-range=set:${tag},${v6}::100,${v6}::1ff,64,${lease_s}`] : []),
    ...(lan.known ?? []).map(({ mac, host, name: hostName }) =>
      ["dhcp-host", [mac, `${v4}.${host}`, ...(hostName === undefined ? [] : [hostName])].join(",")].join(
        "=",
      ),
    ),
    ...(lan.rootPath === undefined ? [] : [option(`option:root-path,"${lan.rootPath}"`)]),
    ...(lan.options ?? []).map(option),
  ];
}

function exportLines(one: Export, at: number): string[] {
  if (one.kind !== "nfs") return [];
  const writable = (one.options ?? "rw").split(",").includes("rw");
  const place = `/run/nfs/srv/${one.name}`;
  return [`mkdir -p ${place}`, `mount -o ${writable ? "rw" : "ro"} ${device(at)} ${place}`];
}

function tgtadm(words: string): string {
  return `tgtadm --lld iscsi ${words}`;
}

function targetLines(one: Export, at: number): string[] {
  if (one.kind !== "iscsi") return [];
  const tid = at + 1;
  const account =
    one.chap === undefined
      ? []
      : [
          tgtadm(`--op new --mode account --user ${one.chap.user} --password ${one.chap.password}`),
          tgtadm(`--op bind --mode account --tid ${tid} --user ${one.chap.user}`),
        ];
  return [
    tgtadm(`--op new --mode target --tid ${tid} --targetname ${one.name}`),
    tgtadm(`--op new --mode logicalunit --tid ${tid} --lun 1 --backing-store ${device(at)}`),
    ...account,
    tgtadm(`--op bind --mode target --tid ${tid} --initiator-address ALL`),
  ];
}
