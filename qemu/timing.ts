/** A root whose init prints the record of its boot, and how that is read off the console. */

import { parseRecord } from "../src/chart/parse.ts";
import type { BootRecord } from "../src/chart/record.ts";
import { staticBusybox } from "./images.ts";
import type { Machine } from "./machine.ts";
import { ROOT_FOLDERS, type Tree } from "./tree.ts";

const INIT = `#!/bin/busybox sh
echo 1 >/proc/sys/kernel/printk
echo "RUN $(busybox find /run | busybox sort | busybox tr '\\n' ' ')"
[ ! -e /run/rdinit/timing.json ] || busybox cat /run/rdinit/timing.json
echo "RECORD END"
# What the terminal has not sent yet would be lost by the power going off.
read -r end
exec busybox poweroff -f
`;

/** The whole root. Its init tells what is in /run and prints the record, if there is one. */
export async function recordTree(): Promise<Tree> {
  return [...ROOT_FOLDERS, ...(await recordInit())];
}

/** The init alone, with what it needs. */
export async function recordInit(): Promise<Tree> {
  return [
    { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
    { path: "/sbin/init", kind: "text", text: INIT, mode: 0o755 },
  ];
}

/** What the init of `recordTree` told. Throws Error with the console's end when it did not come to its end. */
export async function readBootRecord(
  machine: Machine,
  timeout_ms: number,
): Promise<{ readonly run: readonly string[]; readonly record: BootRecord | undefined }> {
  const [, run = "", json = ""] = await machine.console.expect(
    /^RUN ([^\n]*)\n([^]*?)RECORD END$/m,
    timeout_ms,
  );
  machine.console.send("end\n");
  await machine.expectEnd("powered off");
  return {
    run: run.trim().split(" "),
    record: json === "" ? undefined : parseRecord(Buffer.from(json, "latin1").toString("utf8"), "the record"),
  };
}
