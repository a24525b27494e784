import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { describeNetRoot } from "../../../../src/boot/netroot/forms.ts";
import { readNetRootSettings } from "../../../../src/boot/netroot/settings.ts";

function read(line: string) {
  const { settings, complaints } = readNetRootSettings(parseCommandLine(line));
  return {
    root: settings.root === undefined ? undefined : describeNetRoot(settings.root),
    disks: settings.disks.map(describeNetRoot),
    dhcp: settings.dhcp,
    problem: settings.problem,
    complaints,
  };
}

const nothing = { root: undefined, disks: [], dhcp: false, problem: undefined, complaints: [] };

test.each([
  ["root=UUID=x ip=dhcp", nothing],
  ["root=/dev/sda1", nothing],
  ["root=nfs:a:/b", { ...nothing, root: "nfs:a:/b" }],
  ["rd.root=nfs:a:/b root=/dev/sda1", { ...nothing, root: "nfs:a:/b" }],
  ["root=nfs:a:/b root=/dev/sda1", nothing],
  ["root=/dev/nfs nfsroot=10.0.2.2:/b", { ...nothing, root: "nfs:10.0.2.2:/b" }],
  ["nfsroot=10.0.2.2:/b", { ...nothing, root: "nfs:10.0.2.2:/b" }],
  ["root=dhcp", { ...nothing, root: "dhcp", dhcp: true }],
  ["netroot=dhcp", { ...nothing, root: "dhcp", dhcp: true }],
  ["root=/dev/root netroot=dhcp ip=dhcp", { ...nothing, root: "dhcp", dhcp: true }],
  ["root=/dev/root netroot=nbd:a:b", { ...nothing, root: "nbd:a:b", disks: ["nbd:a:b"] }],
  ["root=/dev/root", nothing],
  ["root=bind:/run/x", nothing],
  ["root=UUID=x netroot=dhcp", { ...nothing, dhcp: true }],
  ["netroot=nfs:a:/b,vers=3", { ...nothing, root: "nfs:a:/b" }],
  ["root=/dev/root netroot=nfs4:a:/b", { ...nothing, root: "nfs4:a:/b" }],
  [
    "root=iscsi rd.iscsi.target.name=iqn.x:y rd.iscsi.target.ip=10.0.0.1",
    { ...nothing, root: "iscsi:10.0.0.1::::iqn.x:y", disks: ["iscsi:10.0.0.1::::iqn.x:y"] },
  ],
  ["netroot=nbd:a:b", { ...nothing, root: "nbd:a:b", disks: ["nbd:a:b"] }],
  [
    "root=LABEL=x netroot=nbd:a:b netroot=iscsi:h::::iqn.x:y netroot=iscsi",
    { ...nothing, disks: ["nbd:a:b", "iscsi:h::::iqn.x:y"] },
  ],
  [
    "root=LABEL=x rd.iscsi.target.name=iqn.x:y rd.iscsi.target.ip=2001:db8::1 rd.iscsi.target.port=3261",
    { ...nothing, disks: ["iscsi:[2001:db8::1]::3261::iqn.x:y"] },
  ],
])("%s", (line, wanted) => {
  expect(read(line)).toEqual(wanted);
});

test("what makes no sense is told", () => {
  expect(read("root=nfs:x").problem).toContain("names no directory");
  expect(read("root=nfs:a:/b nfsroot=/c").complaints).toEqual([
    "nfsroot=/c is ignored: it counts only with root=/dev/nfs.",
  ]);
  expect(read("root=LABEL=x netroot=nfs:a:/b netroot=nbd:").complaints).toEqual([
    "netroot= is ignored: nfs:a:/b is neither nbd:… nor iscsi:… nor dhcp.",
    "netroot= is ignored: nbd: names no server: it is nbd:SERVER:PORT or nbd:SERVER:EXPORT.",
  ]);
  expect(read("root=LABEL=x rd.iscsi.target.name=iqn.x:y").complaints[0]).toContain("rd.iscsi.target.ip=");
  expect(read("root=LABEL=x rd.iscsi.target.group=x").complaints).toHaveLength(1);
});

test("logins of rd.iscsi. hold for all targets that have none of their own", () => {
  const line =
    "rd.iscsi.username=u rd.iscsi.password=p netroot=iscsi:h::::iqn.x:y netroot=iscsi:v:q@h::::iqn.x:z";
  const { settings } = readNetRootSettings(parseCommandLine(line));
  expect(settings.disks.map((disk) => (disk.kind === "iscsi" ? disk.login.user : ""))).toEqual(["u", "v"]);
});
