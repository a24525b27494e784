/** A Syscalls that tells what goes through it. */

import { text } from "../src/lib/bytes.ts";
import { SysError } from "./error.ts";
import { type Call, intercept } from "./intercept.ts";
import type { Syscalls } from "./types.ts";

/**
 * The same Syscalls, with a line to `log` for each call when it is over:
 * `mount("none", "/proc", "proc", 0xe, "") = EBUSY`. Buffers are shown by their length alone, since
 * they may hold secrets.
 */
export function traced(sys: Syscalls, log: (line: string) => void): Syscalls {
  return intercept(sys, (call, proceed) => {
    const head = showCall(call);
    try {
      const result = proceed();
      if (!(result instanceof Promise)) {
        log(`${head} = ${show(result)}`);
        return result;
      }
      return result.then(
        (value: unknown) => {
          log(`${head} = ${show(value)}`);
          return value;
        },
        (error: unknown) => {
          log(`${head} = ${showError(error)}`);
          throw error;
        },
      );
    } catch (error) {
      log(`${head} = ${showError(error)}`);
      throw error;
    }
  });
}

/** A call as one line: `open("/etc/fstab", 0x80000)`. */
export function showCall(call: Call): string {
  return `${call.name}(${call.args.map(show).join(", ")})`;
}

function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `"${text(value)}"`;
    case "number":
      return value < 10 ? String(value) : `0x${value.toString(16)}`;
    case "object":
      return showObject(value);
    default:
      return value === undefined ? "ok" : String(value);
  }
}

function showObject(value: object | null): string {
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (Array.isArray(value)) return showArray(value);
  const fields = Object.entries(value ?? {}).map(([name, field]) => `${name}: ${show(field)}`);
  return `{${fields.join(", ")}}`;
}

function showArray(values: readonly unknown[]): string {
  if (typeof values[0] === "object") return `[${values.length} entries]`;
  return `[${values.map(show).join(", ")}]`;
}

function showError(error: unknown): string {
  return error instanceof SysError ? error.code : String(error);
}
