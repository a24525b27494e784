import { describe, expect, test } from "bun:test";
import { completeNfs, rootOfLease } from "../../../../src/boot/netroot/dhcp-root.ts";
import type { Lease, NetworkState } from "../../../../src/network/types.ts";
import { planNfs } from "../../../../src/boot/netroot/nfs-plan.ts";
import { isOverNetwork, shareOptions } from "../../../../src/boot/netroot/share-options.ts";
import type { NfsRoot } from "../../../../src/boot/netroot/types.ts";

function versions(options: string, mayBe3 = true): string[] {
  return planNfs("10.0.2.2", options, mayBe3).attempts.map(({ version }) => version);
}

describe("the versions of NFS that are tried", () => {
  test.each([
    ["", ["4.2", "4.1", "4.0", "3"]],
    ["rsize=8192", ["4.2", "4.1", "4.0", "3"]],
    ["vers=4", ["4.2", "4.1", "4.0"]],
    ["nfsvers=4", ["4.2", "4.1", "4.0"]],
    ["v4.1", ["4.1"]],
    ["vers=4,minorversion=1", ["4.1"]],
    ["vers=3", ["3"]],
    ["v4,vers=3", ["3"]],
    ["vers=2", ["2"]],
    ["mountport=5000", ["3"]],
    ["udp", ["3"]],
    ["proto=udp", ["3"]],
  ])("with %s", (options, wanted) => {
    expect(versions(options)).toEqual(wanted);
  });
  test("nfs4: is never 3", () => {
    expect(versions("", false)).toEqual(["4.2", "4.1", "4.0"]);
    expect(versions("proto=udp", false)).toEqual(["4.2", "4.1", "4.0"]);
  });
});

test("what the kernel is told: the address, and for 3 that nobody watches over locks", () => {
  const { attempts, warnings } = planNfs("10.0.2.2", "rsize=8192,addr=1.2.3.4,bg,retry=3", true);
  expect(attempts[0]).toEqual({ version: "4.2", data: "vers=4.2,rsize=8192,addr=10.0.2.2" });
  expect(attempts.at(-1)).toEqual({ version: "3", data: "vers=3,rsize=8192,nolock,addr=10.0.2.2" });
  expect(warnings).toEqual([]);
  const locked = planNfs("10.0.2.2", "vers=3,lock", true);
  expect(locked.attempts).toEqual([{ version: "3", data: "vers=3,nolock,addr=10.0.2.2" }]);
  expect(locked.warnings).toHaveLength(1);
  expect(planNfs("10.0.2.2", "lock", false).attempts[0]?.data).toBe("vers=4.2,lock,addr=10.0.2.2");
});

function facts(more?: Partial<Lease>): NetworkState {
  const lease: Lease = {
    ...{ family: 4, address: "10.0.2.15", prefix: 24, routers: [], routes: [], nameservers: [] },
    ...more,
  };
  const interfaces = [
    { name: "eth0", addresses: ["10.0.2.15/24"], ...(more === undefined ? {} : { lease }) },
  ];
  return { interfaces, nameservers: [] };
}

const stranger = { hostname: undefined, server: undefined };
const named = { ...stranger, hostname: "client" };

const open: NfsRoot = { kind: "nfs", mayBe3: true, server: undefined, path: undefined, options: "" };
const none = {
  group: undefined,
  login: { user: undefined, password: undefined, userIn: undefined, passwordIn: undefined },
};

describe("what the name of an NFS root leaves open", () => {
  test("all is there", () => {
    const root = { ...open, server: "a", path: "/b", options: "vers=3" };
    expect(completeNfs(root, facts({ rootPath: "x:/y", nextServer: "z" }), stranger)).toEqual(root);
  });
  test("is that of the root-path", () => {
    const root = completeNfs(
      { ...open, options: "soft" },
      facts({ rootPath: "x:/y,vers=3", server: "z" }),
      stranger,
    );
    expect(root).toEqual({ ...open, server: "x", path: "/y", options: "vers=3,soft" });
  });
  test("the server is that of ip=, or the one to boot from, or else the one that answered", () => {
    const root = { ...open, path: "/b" };
    expect(completeNfs(root, facts({ nextServer: "n", server: "s" }), stranger).server).toBe("n");
    expect(completeNfs(root, facts({ server: "s" }), stranger).server).toBe("s");
    expect(completeNfs(root, facts({ nextServer: "n" }), { ...stranger, server: "i" }).server).toBe("i");
    expect(() => completeNfs(root, facts(), stranger)).toThrow("names no server");
  });
  test("the path has the name of the machine in it, or its address", () => {
    expect(completeNfs({ ...open, server: "a" }, facts(), stranger).path).toBe("/tftpboot/10.0.2.15");
    expect(completeNfs({ ...open, server: "a" }, facts(), named).path).toBe("/tftpboot/client");
    expect(completeNfs({ ...open, server: "a", path: "/x/%s/y" }, facts(), named).path).toBe("/x/client/y");
  });
});

test("the root of a DHCP server", () => {
  expect(rootOfLease(facts({ rootPath: "nfs:a:/b" }), none)).toEqual({ ...open, server: "a", path: "/b" });
  expect(rootOfLease(facts({ rootPath: "nbd:a:b" }), none).kind).toBe("nbd");
  expect(() => rootOfLease(facts({}), none)).toThrow("No DHCP server named a root");
  expect(() => rootOfLease(facts({ rootPath: "x" }), none)).toThrow("makes no sense");
});

test("options of shares", () => {
  expect(shareOptions("virtiofs", "dax")).toBe("dax");
  expect(shareOptions("9p", "")).toBe("trans=virtio,version=9p2000.L");
  expect(shareOptions("9p", "trans=tcp,port=564")).toBe("version=9p2000.L,trans=tcp,port=564");
  expect(isOverNetwork("9p", "trans=tcp")).toBe(true);
  expect(isOverNetwork("9p", "trans=virtio")).toBe(false);
  expect(isOverNetwork("virtiofs", "trans=tcp")).toBe(false);
});
