/** The terminals that a question is shown on: all the consoles of the kernel, none of which may echo. */

import { readAttribute } from "../devices/attributes.ts";
import {
  ECHO,
  ECHONL,
  type Fd,
  ICANON,
  IEXTEN,
  ISIG,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  ONLCR,
  OPOST,
  O_RDWR,
  SysError,
  type Syscalls,
  isErrno,
} from "../../../syscalls/index.ts";

/** Opens the terminal at `path`, silent from then on. A terminal that can't be had is undefined. */
export function openTerminal(sys: Syscalls, path: string): Terminal | undefined {
  let fd: Fd | undefined;
  try {
    // Process 1 leads a session: without O_NOCTTY the terminal would become its own.
    fd = sys.open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const before = sys.getTermios(fd);
    sys.setTermios(fd, silent(before));
    return new Terminal(sys, path.replace(/^\/dev\//, ""), fd, before);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (fd !== undefined) sys.close(fd);
    return undefined;
  }
}

/** The nodes of the kernel's consoles that are terminals, the one that /dev/console stands for at the end. */
export function consolePaths(sys: Syscalls): string[] {
  const names = (readAttribute(sys, "/sys/class/tty/console/active") ?? "").split(" ");
  const paths = names.filter((name) => name !== "").map((name) => `/dev/${behind(sys, name)}`);
  return paths.length === 0 ? ["/dev/console"] : [...new Set(paths)];
}

/** One terminal, open and silent. */
export class Terminal {
  /** "ttyS0" */
  readonly name: string;
  readonly fd: Fd;
  private readonly sys: Syscalls;
  private readonly before: Uint8Array;

  constructor(sys: Syscalls, name: string, fd: Fd, before: Uint8Array) {
    this.sys = sys;
    this.name = name;
    this.fd = fd;
    this.before = before;
  }

  /** Reads what was typed. 0 when there is nothing, undefined when the terminal is gone. */
  read(buffer: Uint8Array): number | undefined {
    try {
      const count = this.sys.read(this.fd, buffer);
      return count === 0 ? undefined : count;
    } catch (error) {
      if (isErrno(error, "EAGAIN")) return 0;
      if (error instanceof SysError) return undefined;
      throw error;
    }
  }

  /** Shows UTF-8 text; never waits: what a terminal does not take is lost. */
  show(words: string): void {
    try {
      this.sys.write(this.fd, Buffer.from(words, "utf8"));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  /** Puts the modes back as they were. */
  close(): void {
    try {
      this.sys.setTermios(this.fd, this.before);
    } catch (error) {
      // A terminal that was unplugged has no modes.
      if (!(error instanceof SysError)) throw error;
    } finally {
      this.sys.close(this.fd);
    }
  }
}

// tty0 stands for the virtual console in front, and what is typed comes out of that one.
function behind(sys: Syscalls, name: string): string {
  if (name !== "tty0") return name;
  return readAttribute(sys, "/sys/class/tty/tty0/active") || name;
}

/** Where c_oflag and c_lflag stand in the kernel's struct termios (asm-generic/termbits.h). */
const offsets = { oflag: 4, lflag: 12 } as const;

// Each key comes at once and as it is: no line is put together, echoed or made a signal by the kernel.
function silent(termios: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(termios);
  const view = new DataView(copy.buffer);
  const change = (offset: number, cleared: number, set: number): void =>
    view.setUint32(offset, (view.getUint32(offset, true) & ~cleared) | set, true);
  change(offsets.lflag, ECHO | ECHONL | ICANON | ISIG | IEXTEN, 0);
  change(offsets.oflag, 0, OPOST | ONLCR);
  return copy;
}
