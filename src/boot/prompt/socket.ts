/**
 * A socket by which a question is answered from elsewhere: by a login over the network, say.
 *
 * Whoever connects is sent the question and a line feed, for each time that it is asked; sends an answer, which
 * ends at a line feed, a NUL or the end of what is sent; and is sent "ok" or "wrong" and a line feed. After "wrong"
 * the question comes again, and another answer may be sent. Only root can connect.
 */

import { AT_FDCWD, AT_REMOVEDIR, SysError, type Syscalls, mkdirs } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";
import { LineEditor } from "./line.ts";

/** Where the socket is. */
export const askSocket = "/run/rdinit/ask";

/** Somebody who is connected. */
export interface Client {
  readonly line: LineEditor;
  /** Ends with the connection. */
  readonly send: (line: string) => void;
}

export interface SocketHandlers {
  readonly connected: (client: Client) => void;
  /** The client's line is complete; false when it was longer than an answer can be. */
  readonly answered: (client: Client, whole: boolean) => void;
}

/** Listens at `path` until `close`. Without it the boot goes on: undefined, and the log says why. */
export function listenForAnswers(
  sys: Syscalls,
  log: Log,
  handlers: SocketHandlers,
  path = askSocket,
): { readonly close: () => void } | undefined {
  const directory = path.slice(0, path.lastIndexOf("/"));
  const clients = new Map<Bun.Socket, Client>();
  try {
    mkdirs(sys, directory, 0o700);
    removeIfThere(sys, path, 0);
    const server = Bun.listen({
      unix: path,
      allowHalfOpen: true,
      socket: {
        open(socket) {
          const client = { line: new LineEditor(), send: (line: string) => void socket.write(`${line}\n`) };
          clients.set(socket, client);
          handlers.connected(client);
        },
        data(socket, chunk) {
          const client = clients.get(socket);
          if (client !== undefined) for (const byte of chunk) take(client, byte, handlers);
          chunk.fill(0);
        },
        end(socket) {
          const client = clients.get(socket);
          if (client !== undefined && client.line.bytes.length > 0) take(client, ends.lineFeed, handlers);
        },
        close(socket) {
          clients.get(socket)?.line.erase();
          clients.delete(socket);
        },
        error: () => undefined,
      },
    });
    sys.chmod(path, 0o600);
    return {
      close() {
        for (const [socket, { line }] of clients) {
          line.erase();
          socket.end();
        }
        server.stop(true);
        removeIfThere(sys, path, 0);
        removeIfThere(sys, directory, AT_REMOVEDIR);
      },
    };
  } catch (error) {
    log.debug(`questions can't be answered by the socket ${path}: ${describe(error)}`);
    return undefined;
  }
}

const ends = { nul: 0x00, lineFeed: 0x0a } as const;

function take(client: Client, byte: number, { answered }: SocketHandlers): void {
  if (byte !== ends.nul && byte !== ends.lineFeed) return client.line.add(byte);
  answered(client, client.line.type(ends.lineFeed) === "done");
}

function removeIfThere(sys: Syscalls, path: string, flags: number): void {
  try {
    sys.unlinkat(AT_FDCWD, path, flags);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
}
