import { expect, test } from "bun:test";
import { Undo } from "../../../../src/boot/network/undo.ts";
import { addressFor } from "../../../../src/boot/network/link-local.ts";
import { sysError } from "../../../../syscalls/errno.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";

test("what was changed last is taken back first; what is gone need not be, and what can't be is told", () => {
  const { log, lines } = collectLog();
  const undo = new Undo();
  const order: string[] = [];
  const step = (name: string, errno = 0): void =>
    undo.add(`undo ${name}`, () => {
      order.push(name);
      if (errno !== 0) throw sysError("rtnetlink", errno);
    });
  step("one");
  step("two", 19);
  step("three", 16);
  undo.run(log);
  undo.run(log);
  expect(order).toEqual(["three", "two", "one"]);
  expect(lines).toEqual(["warning: rdinit could not undo three: rtnetlink: in use (EBUSY)."]);
});

test("a link-local address is the same at each boot and never one of the reserved", () => {
  expect(addressFor("52:54:00:12:34:56")).toBe(addressFor("52:54:00:12:34:56"));
  for (let last = 0; last < 256; last++)
    expect(addressFor(`52:54:00:12:34:${last.toString(16)}`)).toMatch(/^169\.254\.(?!0\.|255\.)\d+\.\d+$/);
});
