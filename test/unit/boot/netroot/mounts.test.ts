import { describe, expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import type { NetMeans } from "../../../../src/boot/netroot/means.ts";
import { asksForNoDisk, mountNetRoot, nameRoot, startNetwork } from "../../../../src/boot/netroot/netroot.ts";
import type { NetworkAccess } from "../../../../src/boot/netroot/network.ts";
import { Storage } from "../../../../src/boot/storage/storage.ts";
import type { NetworkState } from "../../../../src/network/types.ts";
import type { ErrnoCode } from "../../../../syscalls/errno.ts";
import { type FakeOptions, attribute, fakeKernel } from "../../../../syscalls/fake.ts";
import { MS_RDONLY } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { bootOn, noLayers } from "../../../fixtures/disks-in-memory.ts";

type Answer = ErrnoCode | "mounted" | "never";

/** A machine whose kernel answers each mount(2) as `say` has it; "source type options" of each, with ro in front. */
function setting(
  line: string,
  say: (mount: string, nth: number) => Answer = () => "mounted",
  rootfs: FakeOptions["rootfs"] = {},
) {
  const kernel = fakeKernel({
    rootfs: { proc: {}, sysroot: {}, ...rootfs },
    mounts: [{ at: "/proc", type: "proc" }],
  });
  const mounts: string[] = [];
  const sys = intercept(kernel.sys, (call, proceed) => {
    if (call.name !== "slow.mount") return proceed();
    const [source, , type, flags, data] = call.args;
    const mount = `${Number(flags) & MS_RDONLY ? "ro" : "rw"} ${String(source)} ${String(type)} ${String(data)}`;
    const answer = say(mount, mounts.length);
    mounts.push(mount);
    if (answer === "never") return new Promise(() => undefined);
    return answer === "mounted" ? Promise.resolve() : Promise.reject(refusalOf(call.name, call.args, answer));
  });
  const { boot, lines } = bootOn(sys, line);
  const devices = new BlockDevices(sys);
  const loaded: string[] = [];
  const means: NetMeans = {
    boot,
    devices,
    layers: new Storage(devices, noLayers),
    loadModules: async (names) => void loaded.push(...names),
  };
  return { means, mounts, lines, loaded };
}

/** A network that is up, and what it was started for. */
function networkWith(state: Partial<NetworkState> = {}) {
  const started: string[] = [];
  const network: NetworkAccess = {
    start: (why) => void started.push(why),
    up: async () => network.state(),
    state: () => ({ interfaces: [], nameservers: [], ...state }),
    changed: () => new Promise(() => undefined),
  };
  return { network, started };
}

async function mountRootOf(
  { means }: { readonly means: NetMeans },
  state?: Partial<NetworkState>,
): Promise<void> {
  const { network } = networkWith(state);
  const { elsewhere } = await nameRoot(means, network);
  if (elsewhere === undefined) throw new Error("the root is not elsewhere");
  await mountNetRoot(means, network, elsewhere, "/sysroot");
}

describe("NFS", () => {
  test("the newest version comes first; the options of root= and rootflags= count", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv,soft rootflags=rw,noatime,rsize=8192");
    await mountRootOf(set);
    expect(set.mounts).toEqual(["rw 10.0.2.2:/srv nfs vers=4.2,soft,rsize=8192,addr=10.0.2.2"]);
    expect(set.loaded).toEqual(["fs-nfs", "nfsv3", "nfsv4"]);
    expect(set.lines.join("\n")).toContain("mounted 10.0.2.2:/srv (NFS 4.2) as the root, read-write");
  });
  test("a server without 4 gets 3, one without 4.2 gets 4.1", async () => {
    const three = setting("root=nfs:[fd77::1]:/srv", (mount) =>
      mount.includes("vers=4") ? "EPROTONOSUPPORT" : "mounted",
    );
    await mountRootOf(three);
    expect(three.mounts.map((mount) => /vers=[^,]*/.exec(mount)?.[0])).toEqual([
      ...["vers=4.2", "vers=4.1", "vers=4.0", "vers=3"],
    ]);
    expect(three.mounts.at(-1)).toBe("ro [fd77::1]:/srv nfs vers=3,nolock,addr=fd77::1");
    const one = setting("root=nfs:10.0.2.2:/srv", (mount) => (mount.includes("4.2") ? "EINVAL" : "mounted"));
    await mountRootOf(one);
    expect(one.mounts).toHaveLength(2);
  });
  test("a server without a root of version 4 gets 3 at once", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv", (mount) =>
      mount.includes("vers=4") ? "ENOENT" : "mounted",
    );
    await mountRootOf(set);
    expect(set.mounts).toHaveLength(2);
  });
  test("a server that refuses connections is tried again, and said", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv", (_, nth) => (nth === 0 ? "ECONNREFUSED" : "mounted"));
    await mountRootOf(set);
    expect(set.mounts).toHaveLength(2);
    expect(set.lines.join("\n")).toContain(
      "waiting for the NFS server 10.0.2.2, which refuses connections (ECONNREFUSED) so far",
    );
  });
  test("a call that never comes back ends with the deadline", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv rd.timeout=0.2", () => "never");
    await expect(mountRootOf(set)).rejects.toThrow(
      "was not mounted within 0.2 s, in one try: the server does not answer.",
    );
  });
  test.each<[ErrnoCode, string]>([
    ["EACCES", "by NFS 4.2: the server does not let this machine mount it (EACCES)"],
    ["ENOENT", "by NFS 4.2, 3: the server has no such directory (ENOENT)"],
    ["EPROTONOSUPPORT", "by NFS 4.2, 4.1, 4.0, 3: the server or this kernel has none of these versions"],
    ["ENODEV", "the kernel does not know NFS, and the image holds no module for it"],
    ["EIO", "by NFS 4.2: "],
  ])("%s is told", async (code, sentence) => {
    await expect(mountRootOf(setting("root=nfs:10.0.2.2:/srv", () => code))).rejects.toThrow(sentence);
  });
  test("what may only be read is", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv rw", (mount) =>
      mount.startsWith("rw") ? "EROFS" : "mounted",
    );
    await mountRootOf(set);
    expect(set.mounts.at(-1)).toStartWith("ro 10.0.2.2:/srv nfs vers=4.2");
  });
  test("below an overlay it is read-only", async () => {
    const set = setting("root=nfs:10.0.2.2:/srv rw rd.overlay");
    await mountRootOf(set);
    expect(set.mounts[0]).toStartWith("ro ");
  });
  test("the server is that of ip=, the path has the machine's address in it", async () => {
    const set = setting("root=/dev/nfs ip=10.0.2.15:10.0.2.4:10.0.2.2:255.255.255.0::eth0:none");
    await mountRootOf(set, { interfaces: [{ name: "eth0", addresses: ["10.0.2.15/24"] }] });
    expect(set.mounts[0]).toStartWith("ro 10.0.2.4:/tftpboot/10.0.2.15 nfs");
  });
});

describe("shares", () => {
  test("are mounted without the network", async () => {
    const set = setting("root=9p:tag rw");
    const { network, started } = networkWith();
    startNetwork(set.means.boot, network);
    expect(started).toEqual([]);
    expect(asksForNoDisk(set.means.boot)).toBe(true);
    // Not before the DHCP server has named one.
    expect(asksForNoDisk(setting("root=dhcp").means.boot)).toBe(true);
    for (const line of ["root=nbd:server:disk", "root=LABEL=x netroot=dhcp", "root=/dev/vda1"])
      expect(asksForNoDisk(setting(line).means.boot)).toBe(false);
    await mountRootOf(set);
    expect(set.mounts).toEqual(["rw tag 9p trans=virtio,version=9p2000.L"]);
    expect(set.loaded).toEqual(["fs-9p", "9p-virtio"]);
  });
  test("are waited for until their device is there", async () => {
    const set = setting("root=virtiofs:tag", (_, nth) => (nth < 2 ? "EINVAL" : "mounted"));
    setTimeout(() => set.means.devices.wake(), 50);
    setTimeout(() => set.means.devices.wake(), 100);
    await mountRootOf(set);
    expect(set.mounts).toHaveLength(3);
  });
  test("that do not come are told, with those that there are", async () => {
    const drivers = { "9pnet_virtio": { virtio0: { mount_tag: attribute(() => "host\0") } } };
    const set = setting("root=9p:tag rd.timeout=0.1", () => "ENOENT", {
      sys: { bus: { virtio: { drivers } } },
    });
    await expect(mountRootOf(set)).rejects.toThrow("did not appear; there is host.");
    const unknown = setting("root=virtiofs:tag", () => "ENODEV");
    await expect(mountRootOf(unknown)).rejects.toThrow("the kernel does not know virtiofs");
  });
});

test("the network is started for what needs it, and a disk of the machine is left to be looked for", async () => {
  for (const [line, why] of [
    ["root=nfs:a:/b", "root=nfs:a:/b"],
    ["root=UUID=x netroot=nbd:a:b", "netroot=nbd:a:b"],
    ["root=9p:10.0.2.2 rootflags=trans=tcp", "root=9p:10.0.2.2"],
  ] as const) {
    const { network, started } = networkWith();
    startNetwork(setting(line).means.boot, network);
    expect(started).toEqual([why]);
  }
  const { means } = setting("root=LABEL=x");
  expect((await nameRoot(means, networkWith().network)).device).toMatchObject({ kind: "tag", value: "x" });
  const senseless = setting("root=nfs:x").means;
  await expect(nameRoot(senseless, networkWith().network)).rejects.toThrow(
    "root= makes no sense: x names no directory",
  );
});

test("root=dhcp without a root-path, and one that contradicts root=, are told", async () => {
  await expect(nameRoot(setting("root=dhcp").means, networkWith().network)).rejects.toThrow(
    "No DHCP server named a root",
  );
  const lease = {
    family: 4,
    address: "10.0.2.15",
    prefix: 24,
    routers: [],
    routes: [],
    nameservers: [],
  } as const;
  const interfaces = [{ name: "eth0", addresses: [], lease: { ...lease, rootPath: "nfs:a:/b" } }];
  await expect(
    nameRoot(setting("root=LABEL=x netroot=dhcp").means, networkWith({ interfaces }).network),
  ).rejects.toThrow("The DHCP server names nfs:a:/b as the root, and root= another one.");
});
