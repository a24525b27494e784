import { expect, test } from "bun:test";
import { GROUP_NAMES, byThing, countByGroup, groupOf, thingOf } from "../../../qemu/handover/groups.ts";

test("keys belong to the words of the contract", () => {
  const groups = {
    pid: "process 1",
    "status.PPid": "process 1",
    "processes.others": "other processes",
    "process.51.cmdline": "other processes",
    "argv.1": "argv",
    "self.cmdline": "argv",
    "environ.0": "environment",
    "fd.0.flags": "file descriptors",
    "signal.13": "signals",
    "signals.blocked": "signals",
    "rlimit.nofile": "limits",
    "status.Umask": "cwd, root, umask",
    sid: "session, terminal",
    "tty.lflag": "session, terminal",
    "status.CapEff": "nice, rights, namespaces",
    "keyring.session": "secrets in keyrings",
    "ipc.sem": "sockets, locks, IPC",
    "unix.count": "sockets, locks, IPC",
    "mount./run.options": "/run",
    "dir./run/udev": "/run",
    "mount./runner.options": "mounts",
    userns: "mounts",
    "dir./dev/vda": "files of the root, /dev",
    "memory.free": "memory",
    "sys.kernel/printk": "kernel knobs",
    "module.ext4": "kernel knobs",
    "net.lo.flags": "network",
    "new.key": "anything else",
  };
  const found = Object.fromEntries(Object.keys(groups).map((key) => [key, groupOf(key)]));
  expect(found).toEqual(groups);
  expect(GROUP_NAMES).toEqual(expect.arrayContaining(Object.values(groups)));
});

test("what belongs together counts once", () => {
  const things = {
    "mount./dev/pts.type": "mount./dev/pts",
    "mount./a.b.type": "mount./a.b",
    "dir./run/udev/data/c1:3": "dir./run/udev",
    "dir./run/udev": "dir./run/udev",
    "fd.12.link": "fd.12",
    "self.environ": "environ",
    "environ.3": "environ",
    "argv.count": "argv",
    "rlimit.nproc": "rlimit.nproc",
  };
  expect(Object.fromEntries(Object.keys(things).map((key) => [key, thingOf(key)]))).toEqual(things);
  const keys = ["environ.0", "environ.1", "self.environ", "fd.0.flags", "fd.1.flags"];
  const differences = keys.map((key) => ({ key, direct: "a", through: "b" }));
  expect([...byThing(differences).keys()]).toEqual(["environ", "fd.0", "fd.1"]);
  expect([...countByGroup(differences)]).toEqual([
    ["environment", 1],
    ["file descriptors", 2],
  ]);
});
