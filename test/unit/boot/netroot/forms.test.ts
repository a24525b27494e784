import { describe, expect, test } from "bun:test";
import { describeNetRoot, parseNetRoot, parseRootPath } from "../../../../src/boot/netroot/forms.ts";
import { iscsiArguments, parseIscsi } from "../../../../src/boot/netroot/iscsi-form.ts";
import { nbdArguments, parseNbd } from "../../../../src/boot/netroot/nbd-form.ts";
import type { IscsiDisk, NbdDisk, NetRoot, NfsRoot } from "../../../../src/boot/netroot/types.ts";

const nobody = { user: undefined, password: undefined, userIn: undefined, passwordIn: undefined };
const iscsi = { group: undefined, login: nobody };
const context = { type: undefined, nfsroot: undefined, iscsi };

function nfs(server: string | undefined, path: string | undefined, options = "", mayBe3 = true): NfsRoot {
  return { kind: "nfs", mayBe3, server, path, options };
}

test.each<[string, NetRoot]>([
  ["nfs", nfs(undefined, undefined)],
  ["nfs:/srv", nfs(undefined, "/srv")],
  ["nfs:10.0.2.2:/srv/root", nfs("10.0.2.2", "/srv/root")],
  ["nfs:10.0.2.2:/srv/root:vers=3,soft", nfs("10.0.2.2", "/srv/root", "vers=3,soft")],
  ["nfs:10.0.2.2:/srv/root,vers=3,soft", nfs("10.0.2.2", "/srv/root", "vers=3,soft")],
  ["nfs4:server.example:/", nfs("server.example", "/", "", false)],
  ["nfs:[2001:db8::1]:/srv:rsize=8192", nfs("2001:db8::1", "/srv", "rsize=8192")],
  ["nfs:vers=3:server:/srv", nfs("server", "/srv", "vers=3")],
  ["nfs:vers=3:[fe80::1%eth0]:/srv", nfs("fe80::1%eth0", "/srv", "vers=3")],
  ["nfs://server/srv", nfs("server", "/srv")],
  ["nfs://server:/srv", nfs("server", "/srv")],
  ["nfs://[2001:db8::1]:2050/srv", nfs("2001:db8::1", "/srv", "port=2050")],
  ["server:/srv", nfs("server", "/srv")],
  ["10.0.2.2:/srv:ro", nfs("10.0.2.2", "/srv", "ro")],
  ["[2001:db8::1]:/srv", nfs("2001:db8::1", "/srv")],
  ["virtiofs:root", { kind: "virtiofs", tag: "root" }],
  ["virtfs:root", { kind: "9p", tag: "root" }],
  ["9p:/dev/root", { kind: "9p", tag: "/dev/root" }],
  ["dhcp", { kind: "dhcp" }],
  ["dhcp6", { kind: "dhcp" }],
])("root=%s", (written, wanted) => {
  expect(parseNetRoot(written, context)).toEqual(wanted);
});

test.each([
  ["/dev/sda1"],
  ["LABEL=a:/b"],
  ["UUID=x"],
  ["8:1"],
  ["live:/dev/sr0"],
  ["live:LABEL=x"],
  ["server:/dev/sda"],
  ["server:"],
  ["/srv"],
  ["iscsi"],
  ["dhcp:x"],
  ["zfs:tank/root"],
  ["0x801"],
  [""],
])("root=%s is no root elsewhere", (written) => {
  expect(parseNetRoot(written, context)).toBeUndefined();
});

test.each([
  ["nfs:server", "server names no directory of a server, which would begin with a slash."],
  ["nfs:server:srv", "server:srv names no directory of a server, which would begin with a slash."],
  ["nfs://server", "nfs:////server is not of the form"],
  ["nfs://server:x/srv", "is not of the form nfs://SERVER[:PORT]/PATH."],
  ["virtiofs:", "virtiofs: names no share: the tag is missing."],
  ["nbd:", "names no server"],
  ["nbd:server:", "names neither a port nor an export of the server."],
  ["nbd:server:70000", "names the port 70000, which is none."],
  ["iscsi::::iqn.2009-06.x:y", "names no server"],
  ["iscsi:server::x::iqn.2009-06.x:y", "names a port that is none."],
  ["iscsi:server:::x:iqn.2009-06.x:y", "names a LUN that is none."],
  ["iscsi:server", "names no server"],
  ["cifs://server/share", "is not mounted by rdinit itself"],
])("root=%s makes no sense", (written, sentence) => {
  expect(parseNetRoot(written, context)).toContain(sentence.replace("nfs:////", "nfs://"));
});

test("rootfstype= says what a bare name is", () => {
  expect(parseNetRoot("tag:x", { ...context, type: "virtiofs" })).toEqual({ kind: "virtiofs", tag: "tag:x" });
  expect(parseNetRoot("virtfs:tag", { ...context, type: "9p" })).toEqual({ kind: "9p", tag: "tag" });
  expect(parseNetRoot("server:/srv", { ...context, type: "nfs4" })).toEqual(nfs("server", "/srv", "", false));
  expect(parseNetRoot("/srv", { ...context, type: "nfs" })).toEqual(nfs(undefined, "/srv"));
});

test.each([
  ["", nfs(undefined, undefined)],
  ["/srv/%s", nfs(undefined, "/srv/%s")],
  ["10.0.2.2:/srv,vers=3,tcp", nfs("10.0.2.2", "/srv", "vers=3,tcp")],
  [",vers=3", nfs(undefined, undefined, "vers=3")],
  ["default,vers=3", nfs(undefined, undefined, "vers=3")],
  ["10.0.2.2:,vers=3", nfs("10.0.2.2", undefined, "vers=3")],
  ["client", nfs(undefined, "/tftpboot/client")],
])("nfsroot=%s", (nfsroot, wanted) => {
  expect(parseNetRoot("/dev/nfs", { ...context, nfsroot })).toEqual(wanted);
});

test.each<[string, NetRoot]>([
  ["/srv,vers=3", nfs(undefined, "/srv", "vers=3")],
  ["10.0.2.2:/srv", nfs("10.0.2.2", "/srv")],
  ["nfs4:10.0.2.2:/srv", nfs("10.0.2.2", "/srv", "", false)],
  ["virtiofs:x", { kind: "virtiofs", tag: "x" }],
])("the root-path %s", (written, wanted) => {
  expect(parseRootPath(written, iscsi)).toEqual(wanted);
});

test("a root-path may not lead back to DHCP, and no empty one leads anywhere", () => {
  expect(parseRootPath("dhcp", iscsi)).toBe("dhcp leads nowhere.");
  expect(parseRootPath("srv", iscsi)).toContain("names no directory");
});

describe("NBD", () => {
  const disk: NbdDisk = {
    kind: "nbd",
    server: "server",
    port: undefined,
    exportName: undefined,
    type: undefined,
    flags: undefined,
    client: [],
  };
  test.each<[string, NbdDisk]>([
    ["server:10809", { ...disk, port: 10809 }],
    ["server:root", { ...disk, exportName: "root" }],
    ["server:2000/a/b", { ...disk, port: 2000, exportName: "a/b" }],
    ["[2001:db8::1]:root:ext4", { ...disk, server: "2001:db8::1", exportName: "root", type: "ext4" }],
    [
      "server:root:auto:ro,noatime:timeout=5,-swap",
      { ...disk, exportName: "root", flags: "ro,noatime", client: ["timeout=5", "-swap"] },
    ],
  ])("nbd:%s", (written, wanted) => {
    expect(parseNbd(written)).toEqual(wanted);
  });
  test("the words for nbd-client", () => {
    const parsed = parseNbd("server:2000/root:::bs=4096,swap,timeout=5") as NbdDisk;
    expect(nbdArguments(parsed, "10.0.2.2", "/dev/nbd0").join(" ")).toBe(
      "10.0.2.2 2000 /dev/nbd0 -name root -persist -systemd-mark -block-size 4096 -swap -timeout 5",
    );
    expect(describeNetRoot(parsed)).toBe("nbd:server:2000/root");
  });
});

describe("iSCSI", () => {
  const disk: IscsiDisk = {
    kind: "iscsi",
    server: "192.168.50.1",
    port: 3260,
    lun: 0,
    group: 1,
    target: "iqn.2009-06.dracut:target0",
    netdev: undefined,
    login: nobody,
  };
  const both = { user: "u", password: "p", userIn: "v", passwordIn: "q" };
  test.each<[string, IscsiDisk]>([
    ["192.168.50.1::::iqn.2009-06.dracut:target0", disk],
    ["[2001:db8::1]::::iqn.2009-06.dracut:target0", { ...disk, server: "2001:db8::1" }],
    ["192.168.50.1:6:3261:2:iqn.2009-06.dracut:target0", { ...disk, port: 3261, lun: 2 }],
    ["192.168.50.1:::default:eth1:3:iqn.2009-06.dracut:target0", { ...disk, lun: 3, netdev: "eth1" }],
    ["192.168.50.1::::plain:name", { ...disk, target: "plain:name" }],
    ["192.168.50.1:::iface:eth1:3:plain", { ...disk, lun: 3, netdev: "eth1", target: "plain" }],
    [
      "u:p@192.168.50.1::::eui.02004567A425678D",
      { ...disk, target: "eui.02004567A425678D", login: { ...nobody, user: "u", password: "p" } },
    ],
    ["u:p:v:q@192.168.50.1::::iqn.2009-06.dracut:target0", { ...disk, login: both }],
    ["@192.168.50.1::::iqn.2009-06.dracut:di@sk", { ...disk, target: "iqn.2009-06.dracut:di@sk" }],
  ])("iscsi:%s", (written, wanted) => {
    expect(parseIscsi(written, iscsi)).toEqual(wanted);
  });
  test("the words for iscsistart", () => {
    expect(
      iscsiArguments({ ...disk, netdev: "eth1", login: both }, "10.0.2.2", "iqn.me", ["a=b"]).join(" "),
    ).toBe(
      "-i iqn.me -t iqn.2009-06.dracut:target0 -g 1 -a 10.0.2.2 -p 3260 -u u -w p -U v -W q " +
        "-P iface.net_ifacename=eth1 -P a=b",
    );
  });
  test("no password is told", () => {
    expect(parseIscsi("user:secret:x@192.168.50.1::::iqn.x:y", iscsi)).not.toContain("secret");
    expect(parseIscsi("user:secret@192.168.50.1::::", iscsi)).not.toContain("secret");
    expect(describeNetRoot(parseIscsi("user:secret@h::::iqn.x:y", iscsi) as IscsiDisk)).toBe(
      "iscsi:h::::iqn.x:y",
    );
  });
});
