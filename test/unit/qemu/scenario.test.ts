/** What boot tests take for said: as the kernel's log writes it, and no more than that. */

import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { rmSync } from "node:fs";
import { Console } from "../../../qemu/console.ts";
import type { Machine } from "../../../qemu/machine.ts";
import { expectSaid, kernelTime, said } from "../../../qemu/scenario.ts";
import { kernelLog } from "../../../src/boot/log.ts";
import { device, fakeKernel } from "../../../syscalls/fake.ts";

const logs = new Set<string>();
afterAll(() => logs.forEach((log) => rmSync(log, { force: true })));

/** A machine whose console has shown this (a byte string). */
function showing(text: string): Machine {
  const console = new Console("unit-scenario", () => undefined);
  logs.add(console.logFile);
  console.feed(Buffer.from(text, "latin1"));
  console.end("the test is over");
  return { console } as Machine;
}

/** The lines that the kernel shows of these messages of rdinit's. */
function logged(messages: readonly string[]): string {
  const kernel = fakeKernel({ rootfs: { dev: { kmsg: device("char", "1:11") } } });
  const log = kernelLog(kernel.sys, () => false);
  for (const message of messages) log.info(message);
  return kernel.kmsg.map((line, at) => `[    ${at}.5] ${line.replace(/^<\d>/, "")}`).join("");
}

test("messages are read as they were said, however many lines they took", () => {
  const word = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom(..."ab.:(/ü…") });
  const message = fc.array(word, { minLength: 1, maxLength: 60 }).map((words) => words.join(" "));
  const long = fc.array(word, { minLength: 60, maxLength: 99 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(fc.array(fc.oneof(message, long), { maxLength: 4 }), (messages) => {
      expect(said(showing(logged(messages)))).toEqual(messages);
    }),
    { endOnFailure: true },
  );
});

test("only what stands in rdinit's own lines is said, whole", () => {
  const machine = showing(
    "[    1.0] rdinit: mounted /dev/vda\n[    1.1] EXT4-fs: rdinit: no\nrdinit: a [b]\n",
  );
  expect(said(machine)).toEqual(["mounted /dev/vda", "a [b]"]);
  expectSaid(machine, ["a [b]", /^mounted .*vda$/]);
  for (const wanted of ["mounted /dev/vd", "no", /^no$/, "", /EXT4/])
    expect(() => expectSaid(machine, ["a [b]", wanted])).toThrow("rdinit did not say");
});

test("the kernel's time is that of the first such line; there is none without", () => {
  const text = "[    1.250000] first\nword\n[   12.500000] a word\n";
  expect(kernelTime(text, "first")).toBe(1.25);
  expect(kernelTime(text, "a word")).toBe(12.5);
  expect(kernelTime(text, "word")).toBeNaN();
  expect(kernelTime(text, "none")).toBeNaN();
  expect(kernelTime("init: [    3.000000] told\n", "told")).toBeNaN();
});
