/** The calls of a fake machine, answered as the kernel answers. */

import { intercept } from "../intercept.ts";
import { refusalOf } from "../methods.ts";
import type { Fd, SlowSyscalls, Syscalls } from "../types.ts";
import { data } from "./data.ts";
import { descriptors } from "./descriptors.ts";
import type { Machine } from "./machine.ts";
import { names } from "./names.ts";
import { modules, netlink, receive, terminals } from "./peripherals.ts";
import { processes } from "./processes.ts";
import { Refusal, refuse } from "./refusal.ts";
import { space } from "./space.ts";

/** What the machine refuses comes out as the SysError that the real kernel's refusal becomes. */
export function fakeSyscalls(machine: Machine): Syscalls {
  const { missing = [] } = machine.options;
  return intercept(allCalls(machine), ({ name, args }, proceed) => {
    const answer = (thrown: unknown): never => {
      throw thrown instanceof Refusal ? refusalOf(name, args, thrown.code) : thrown;
    };
    try {
      if (missing.includes(name)) refuse("ENOSYS");
      if (args.flat().some((arg) => typeof arg === "string" && arg.includes("\0"))) refuse("EINVAL");
      const result = proceed();
      return result instanceof Promise ? result.catch(answer) : result;
    } catch (error) {
      if (!name.startsWith("slow.")) return answer(error);
      return Promise.reject(error).catch(answer);
    }
  });
}

function allCalls(machine: Machine): Syscalls {
  const sync = {
    ...names(machine),
    ...data(machine),
    ...descriptors(machine),
    ...space(machine),
    ...processes(machine),
    ...modules(machine),
    ...netlink(machine),
    ...terminals(machine),
  };
  const slow: SlowSyscalls = {
    finitModule: async (...args) => sync.finitModule(...args),
    initModule: async (...args) => sync.initModule(...args),
    mount: async (...args) => sync.mount(...args),
    open: async (...args) => sync.open(...args),
    pread: async (...args) => sync.pread(...args),
    recv: (fd) => receive(machine, fd),
    async poll(fds) {
      const ready = fds.filter((fd) => isReadable(machine, fd));
      if (ready.length === 0) throw new Error("the fake kernel's poll would block for ever");
      return ready;
    },
    umount: async (...args) => sync.umount(...args),
    // This machine has no swap.
    swapoff: async (path) => {
      machine.place(path);
      refuse("EINVAL");
    },
    sync: async () => sync.sync(),
    ioctl: async (...args) => sync.ioctl(...args),
    async peekChild() {
      for (;;) {
        const status = machine.processes.wait(0, true);
        if (status !== "none yet") return status;
        await machine.processes.nextEnd();
      }
    },
  };
  return { ...sync, slow };
}

// What has nothing to wait for can always be read; a descriptor that is none has failed, which poll(2) reports too.
function isReadable(machine: Machine, fd: Fd): boolean {
  const file = machine.fds.get(fd)?.file;
  if (file?.kind === "pipe") return file.pipe.bytes.length > 0;
  return file?.kind !== "socket" || file.queue.length > 0;
}
