/** The socket at which questions are answered from elsewhere: protocol.ts says what is spoken there. Only root can connect. */

import { AT_FDCWD, AT_REMOVEDIR, SysError, type Syscalls, mkdirs } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";
import { type BootWord, type Request, RequestReader, bootLine } from "./protocol.ts";

/** Where the socket is. */
export const askSocket = "/run/rdinit/ask";

/** Somebody who is connected. */
export interface Client {
  /** What it calls itself. */
  name: string;
  readonly send: (word: BootWord, rest?: string) => void;
  /** Ends the connection behind what was sent. */
  readonly end: () => void;
}

export interface SocketHandlers {
  readonly connected: (client: Client) => void;
  readonly asks: (client: Client, request: Request) => void;
  readonly left: (client: Client) => void;
}

/** Listens at `path` until `close`. Without it the boot goes on: undefined, and the log says why. */
export function listenForAnswers(
  sys: Syscalls,
  log: Log,
  handlers: SocketHandlers,
  path = askSocket,
): { readonly close: () => void } | undefined {
  const directory = path.slice(0, path.lastIndexOf("/"));
  const clients = new Map<Bun.Socket, { readonly client: Client; readonly reader: RequestReader }>();
  try {
    mkdirs(sys, directory, 0o700);
    removeIfThere(sys, path, 0);
    const server = Bun.listen({
      unix: path,
      allowHalfOpen: true,
      socket: {
        open(socket) {
          const client: Client = {
            name: "the socket",
            send: (word, rest) => void socket.write(bootLine(word, rest)),
            end: () => void socket.end(),
          };
          clients.set(socket, { client, reader: new RequestReader() });
          handlers.connected(client);
        },
        data(socket, chunk) {
          const known = clients.get(socket);
          const requests = known?.reader.push(chunk) ?? [];
          chunk.fill(0);
          for (const request of requests) if (known !== undefined) handlers.asks(known.client, request);
        },
        close(socket) {
          const known = clients.get(socket);
          clients.delete(socket);
          known?.reader.erase();
          if (known !== undefined) handlers.left(known.client);
        },
        error: () => undefined,
      },
    });
    sys.chmod(path, 0o600);
    return {
      close() {
        for (const [socket, { reader }] of clients) {
          reader.erase();
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

function removeIfThere(sys: Syscalls, path: string, flags: number): void {
  try {
    sys.unlinkat(AT_FDCWD, path, flags);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
}
