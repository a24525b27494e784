/** Pseudoterminals for logins: /dev/pts, which the real init must not find mounted. */

import {
  AT_FDCWD,
  AT_REMOVEDIR,
  MNT_DETACH,
  MS_NOEXEC,
  MS_NOSUID,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  SysError,
  type Syscalls,
  list,
} from "../../../syscalls/index.ts";

const PTS = "/dev/pts";

/** Mounts it unless it is there. Returns what takes it away again. @throws SysError */
export function mountPts(sys: Syscalls): () => void {
  let made = false;
  try {
    sys.mkdir(PTS, 0o755);
    made = true;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
  if (sys.stat(AT_FDCWD, PTS).dev !== sys.stat(AT_FDCWD, "/dev").dev) return () => undefined;
  sys.mount("devpts", PTS, "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=000");
  return () => {
    // What a process that is stuck holds open goes with it.
    sys.umount(PTS, MNT_DETACH);
    if (made) sys.unlinkat(AT_FDCWD, PTS, AT_REMOVEDIR);
  };
}

/** Shows a line on each pseudoterminal. */
export function tellTerminals(sys: Syscalls, line: string): void {
  for (const name of terminals(sys)) {
    try {
      const fd = sys.open(`${PTS}/${name}`, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
      try {
        sys.write(fd, Buffer.from(`\r\n${line}\r\n`, "utf8"));
      } finally {
        sys.close(fd);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }
}

function terminals(sys: Syscalls): string[] {
  try {
    return list(sys, PTS)
      .map(({ name }) => name)
      .filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}
