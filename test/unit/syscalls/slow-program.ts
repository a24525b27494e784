/**
 * A program for slow.test.ts: two slow calls settle later while nothing else keeps the program;
 * with the argument "exit" it ends while a third is pending. With "starve" one is made for which there is no thread.
 */

import { bunDriver } from "../../../syscalls/bun.ts";
import { O_CLOEXEC } from "../../../syscalls/constants.ts";
import { syscallNumbers } from "../../../syscalls/numbers.ts";
import { threadCalls } from "../../../syscalls/threads.ts";

const driver = bunDriver();
const nr = syscallNumbers();
const fds = new Int32Array(2);
driver.call(nr.pipe2, new Uint8Array(fds.buffer), O_CLOEXEC);
const [read = -1, write = -1] = fds;

const buffer = new Uint8Array(8);

// In a function: an await at the top of the file would itself keep the program.
async function run(): Promise<void> {
  if (process.argv[2] === "starve") {
    const { call, address } = driver;
    console.log(await threadCalls({ call, address, startThread: () => 11 })(nr.getpid));
    return;
  }
  for (const word of ["late", "last"]) {
    const pending = driver.callSlow(nr.read, read, buffer, buffer.length);
    // Unreferenced: what keeps the program until then is the call.
    setTimeout(() => driver.call(nr.write, write, Buffer.from(word), 4), 30).unref();
    console.log(await pending, Buffer.from(buffer).toString("latin1", 0, 4));
  }
  if (process.argv[2] !== "exit") return;
  void driver.callSlow(nr.read, read, buffer, buffer.length);
  process.exit(3);
}

void run();
