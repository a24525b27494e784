import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { type TargetFiles, readTarget } from "../../../../src/boot/netroot/firmware.ts";
import { readNetRootSettings } from "../../../../src/boot/netroot/settings.ts";
import { reasonForNetwork } from "../../../../src/boot/netroot/netroot.ts";
import { readNetworkSettings } from "../../../../src/network/settings.ts";

const TARGET: TargetFiles = {
  flags: "3",
  "ip-addr": "10.77.0.1",
  port: "3261",
  lun: "01000000",
  "target-name": "iqn.x:y",
};

function read(files: TargetFiles, line = "rd.iscsi.firmware") {
  return readTarget(files, readNetRootSettings(parseCommandLine(line)).settings.iscsi);
}

test("a target of the firmware's is a disk", () => {
  expect(read(TARGET)).toEqual({
    kind: "iscsi",
    server: "10.77.0.1",
    port: 3261,
    lun: 1,
    group: 1,
    target: "iqn.x:y",
    netdev: undefined,
    login: { user: undefined, password: undefined, userIn: undefined, passwordIn: undefined },
  });
  expect(read({ ...TARGET, "ip-addr": "fd77:0000:0000:0000:0000:0000:0000:0001", port: "0" })).toMatchObject({
    server: "fd77::1",
    port: 3260,
  });
});

test.each([
  ["00000000", 0],
  ["0f000000", 15],
  ["01f000000", 31],
  // Of another form than that of most disks.
  ["4012000000", 0],
  ["", 0],
])("the number %s is %d", (lun, wanted) => {
  expect(read({ ...TARGET, lun })?.lun).toBe(wanted);
});

test("its login is that of the table, unless somebody says another", () => {
  const files: TargetFiles = {
    ...TARGET,
    "chap-name": "u",
    "chap-secret": "p",
    "rev-chap-name": "v",
    "rev-chap-name-secret": "q",
  };
  expect(read(files)?.login).toEqual({ user: "u", password: "p", userIn: "v", passwordIn: "q" });
  const said = "rd.iscsi.firmware rd.iscsi.username=a rd.iscsi.password=b rd.iscsi.target.group=2";
  expect(read(files, said)).toMatchObject({ group: 2, login: { user: "a", password: "b", userIn: "v" } });
});

test.each<[string, TargetFiles]>([
  ["not valid", { ...TARGET, flags: "2" }],
  ["without flags", { "ip-addr": "10.77.0.1", "target-name": "iqn.x:y" }],
  ["nowhere", { ...TARGET, "ip-addr": "0.0.0.0" }],
  ["without a name", { flags: "3", "ip-addr": "10.77.0.1" }],
])("no disk: %s", (_, files) => {
  expect(read(files)).toBeUndefined();
});

function reason(line: string) {
  return reasonForNetwork(readNetRootSettings(parseCommandLine(line)).settings, "");
}

function methods(line: string) {
  return readNetworkSettings(parseCommandLine(line)).settings.interfaces.map((wish) => wish.methods);
}

test("it needs the network, that of the firmware unless somebody says another", () => {
  expect(reason("root=LABEL=x rd.iscsi.firmware")).toBe("rd.iscsi.firmware");
  expect(reason("root=LABEL=x rd.iscsi.firmware=0")).toBeUndefined();
  expect(methods("rd.iscsi.firmware")).toEqual([["ibft"]]);
  expect(methods("rd.iscsi.firmware ip=dhcp")).toEqual([["dhcp"]]);
  expect(methods("rd.iscsi.firmware=0")).toEqual([]);
  expect(methods("rd.iscsi.ibft")).toEqual([["ibft"]]);
  expect(methods("rd.iscsi.ibft=0")).toEqual([]);
  const { complaints } = readNetRootSettings(
    parseCommandLine("netroot=iscsi: netroot=iscsi rd.iscsi.firmware=x"),
  );
  expect(complaints).toHaveLength(1);
});
