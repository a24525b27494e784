import { expect, test } from "bun:test";
import fc from "fast-check";
import { Lines, lastLines } from "../../../../src/boot/children/output.ts";

function cut(...chunks: string[]): string[] {
  const lines = new Lines();
  return [...chunks.flatMap((chunk) => lines.push(chunk)), ...lines.end()];
}

test("a line feed ends a line, a carriage return too, both together once; empty lines are left out", () => {
  expect(cut("a\nb\r\nc\rd\r\r\n\n\n\re")).toEqual(["a", "b", "c", "d", "e"]);
  expect(cut("")).toEqual([]);
  expect(cut("x\r")).toEqual(["x"]);
});

test("a line is complete when its end has come, and a character that came in two halves is whole", () => {
  const lines = new Lines();
  expect(lines.push("one\ntw")).toEqual(["one"]);
  expect(lines.push("o \xc3")).toEqual([]);
  expect(lines.push("\xa4\n")).toEqual(["two ä"]);
  expect(lines.end()).toEqual([]);
});

test("where the stream was cut makes no difference", () => {
  const byte = fc.constantFrom("a", "\n", "\r", "\xc3", "\xa4", "\0", " ");
  fc.assert(
    fc.property(fc.array(fc.string({ unit: byte, maxLength: 8 })), (chunks) => {
      expect(cut(...chunks)).toEqual(cut(chunks.join("")));
    }),
  );
});

test("nothing but line ends is lost, however long a line is", () => {
  const long = "x".repeat(10_000);
  expect(cut(`${long}\n${long}`).join("")).toBe(long + long);
  for (const line of cut(long, long)) expect(line.length).toBeLessThan(5000);
});

test("the last lines, the open one among them", () => {
  expect(lastLines("1\n2\n3\n4", 2)).toEqual(["3", "4"]);
  expect(lastLines("1\n", 2)).toEqual(["1"]);
});

test("no stream takes more than a moment", () => {
  for (const hard of [
    "\r".repeat(200_000),
    "\r\r\r\n".repeat(50_000),
    "\n".repeat(200_000),
    `${"\r".repeat(9_999)}x`.repeat(20),
  ]) {
    const began = performance.now();
    cut(hard);
    expect(performance.now() - began).toBeLessThan(1000);
  }
});
