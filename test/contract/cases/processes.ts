/** Processes, limits, signals and the machine. */

import {
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  SIGKILL,
  SIGPIPE,
  SIGSTOP,
  SIGTERM,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  writeFile,
} from "../../../syscalls/index.ts";
import type { Case } from "../contract.ts";

/** PID_MAX_LIMIT of the kernel is one more: nearly certainly free. */
const nobody = 4194303;

export const processCases: readonly Case[] = [
  {
    name: "children",
    run(t) {
      const { sys, world } = t;
      t.returns("getpid", true, () => sys.getpid() === world.pid);
      t.fails("waiting for none", "ECHILD", () => sys.waitid(0, WEXITED | WNOHANG));
      const child = world.orphan({ exits: 7 });
      const end = (pid: number, options: number) => {
        const status = sys.waitid(pid, options);
        return status && { ...status, pid: status.pid === child };
      };
      t.returns("a look", { pid: true, code: "exited", status: 7 }, () => end(0, WEXITED | WNOWAIT));
      t.returns("the status", { pid: true, code: "exited", status: 7 }, () => end(child, WEXITED));
      t.fails("the status again", "ECHILD", () => sys.waitid(child, WEXITED));
      t.fails("what can't be told", "EINVAL", () => sys.waitid(0, WEXITED | WSTOPPED));
      t.fails("waiting for nothing", "EINVAL", () => sys.waitid(0, 0));
      t.fails("a negative pid", "EINVAL", () => sys.waitid(-5, WEXITED));
    },
  },
  {
    name: "kill",
    run(t) {
      const { sys, world } = t;
      const child = world.orphan("stays");
      t.returns("a child that lives", undefined, () => sys.waitid(0, WEXITED | WNOHANG));
      t.works("a question", () => sys.kill(child, 0));
      t.works("an end", () => sys.kill(child, SIGTERM));
      t.returns("its end", { code: "killed", status: SIGTERM }, () => {
        const status = sys.waitid(child, WEXITED);
        return { code: status?.code, status: status?.status };
      });
      t.fails("a process that is gone", "ESRCH", () => sys.kill(child, 0));
      t.works("oneself", () => sys.kill(sys.getpid(), 0));
      t.fails("a signal too high", "EINVAL", () => sys.kill(sys.getpid(), 65));
      t.fails("a negative signal", "EINVAL", () => sys.kill(sys.getpid(), -1));
      t.fails("nobody", "ESRCH", () => sys.kill(nobody, 0));
    },
  },
  {
    name: "signals to others",
    role: "user",
    notFaked: "its process is root",
    run(t) {
      t.fails("process 1", "EPERM", () => t.sys.kill(1, 0));
    },
  },
  {
    name: "limits",
    run(t) {
      const { sys } = t;
      const before = t.works("a limit", () => sys.getrlimit(RLIMIT_CORE));
      t.works("none at all", () => sys.setrlimit(RLIMIT_CORE, { soft: 0n, hard: before.hard }));
      t.returns("set", { soft: 0n, hard: before.hard }, () => sys.getrlimit(RLIMIT_CORE));
      t.returns("by pid", 0n, () => sys.getrlimit(RLIMIT_CORE, sys.getpid()).soft);
      t.fails("a soft one above the hard one", "EINVAL", () =>
        sys.setrlimit(RLIMIT_CORE, { soft: 2n, hard: 1n }),
      );
      t.fails("an unknown one", "EINVAL", () => sys.getrlimit(16));
      t.fails("setting an unknown one", "EINVAL", () => sys.setrlimit(16, before));
      t.fails("of nobody", "ESRCH", () => sys.getrlimit(RLIMIT_CORE, nobody));
      t.returns("open files", true, () => {
        const { soft, hard } = sys.getrlimit(RLIMIT_NOFILE);
        return 0n < soft && soft <= hard;
      });
    },
  },
  {
    name: "limits without privilege",
    role: "user",
    notFaked: "its process is root",
    run(t) {
      const { sys } = t;
      const { soft, hard } = sys.getrlimit(RLIMIT_NOFILE);
      t.fails("a higher hard one", "EPERM", () => sys.setrlimit(RLIMIT_NOFILE, { soft, hard: hard + 1n }));
    },
  },
  {
    name: "the machine",
    run(t) {
      const { sys, world } = t;
      t.returns("uname", { release: world.release, machine: "x86_64" }, () => sys.uname());
      t.returns("time that passes", true, () => {
        const [first, second] = [sys.boottime(), sys.boottime()];
        return 0n < first && first <= second && second - first < 60_000_000_000n;
      });
    },
  },
  {
    name: "execve",
    run(t) {
      const { sys } = t;
      writeFile(sys, "plain", "\x7fELF");
      writeFile(sys, "empty", "", 0o755);
      writeFile(sys, "script", "#!/missing/interpreter\n", 0o755);
      t.fails("nothing", "ENOENT", () => sys.execve("missing", ["x"], []));
      t.fails("a file without the bits", "EACCES", () => sys.execve("plain", ["x"], []));
      t.fails("a directory", "EACCES", () => sys.execve(".", ["x"], []));
      t.fails("an empty file", "ENOEXEC", () => sys.execve("empty", ["x"], []));
      t.fails("a script without its interpreter", "ENOENT", () => sys.execve("script", ["x"], []));
      t.fails("below a file", "ENOTDIR", () => sys.execve("plain/x", ["x"], []));
      t.fails("an argument with a NUL", "EINVAL", () => sys.execve("plain", ["x", "a\0b"], []));
      t.fails("a variable with a NUL", "EINVAL", () => sys.execve("plain", ["x"], ["A=\0"]));
    },
  },
  {
    name: "dispositions",
    run(t) {
      const { sys } = t;
      // Every JavaScript runtime ignores it, so that a lost reader is an error and not the end.
      t.returns("SIGPIPE", "ignored", () => sys.disposition(SIGPIPE));
      t.works("put back", () => sys.resetSignal(SIGPIPE));
      t.returns("SIGPIPE now", "default", () => sys.disposition(SIGPIPE));
      t.returns("SIGKILL", "default", () => sys.disposition(SIGKILL));
      t.works("SIGTERM put back", () => sys.resetSignal(SIGTERM));
      t.works("none blocked", () => sys.unblockSignals());
      t.fails("signal 0", "EINVAL", () => sys.disposition(0));
      t.fails("signal 65", "EINVAL", () => sys.disposition(65));
      t.fails("SIGSTOP put back", "EINVAL", () => sys.resetSignal(SIGSTOP));
    },
  },
];
