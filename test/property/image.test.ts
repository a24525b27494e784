import { expect, test } from "bun:test";
import fc from "fast-check";
import { UserError } from "../../src/lib/errors.ts";
import { readCpio } from "../../src/image/cpio-reader.ts";
import { writeCpio, type CpioEntry } from "../../src/image/cpio.ts";
import { ElfError, elfSection, parseElf } from "../../src/image/elf.ts";
import { makeElf, makeModule } from "../fixtures/elf.ts";

const path = fc
  .array(fc.string({ unit: fc.constantFrom(..."abc.\xff "), minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join("/"));
const common = {
  path,
  mode: fc.nat(0o7777),
  uid: fc.nat(70_000),
  gid: fc.nat(70_000),
  mtime: fc.nat(2 ** 32 - 1),
};
const rdev = fc.tuple(fc.nat(4095), fc.nat(1_000_000)).map(([major, minor]) => `${major}:${minor}`);
const entry: fc.Arbitrary<Exclude<CpioEntry, { type: "link" }>> = fc.oneof(
  fc.record({ ...common, type: fc.constant("file" as const), data: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ ...common, type: fc.constant("symlink" as const), target: path }),
  fc.record({ ...common, type: fc.constantFrom("block" as const, "char" as const), rdev }),
  fc.record({ ...common, type: fc.constantFrom("directory" as const, "fifo" as const, "socket" as const) }),
);
const archive = fc.array(entry, { maxLength: 8 });

function bytesOf(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat([...writeCpio(entries)]);
}

test("a cpio archive is read as it was written, also one behind the other", () => {
  fc.assert(
    fc.property(archive, archive, (one, two) => {
      const members = [...readCpio(Buffer.concat([bytesOf(one), bytesOf(two)]))];
      const expected = [...one, ...two].map(({ type, path: name, mode, uid, gid, mtime, ...rest }) => ({
        ...{ type, path: name, mode, uid, gid, mtime },
        rdev: "rdev" in rest ? rest.rdev : "0:0",
        data: "data" in rest ? rest.data : "target" in rest ? rest.target : "",
      }));
      expect(members.length).toBe(expected.length);
      for (const [at, member] of members.entries()) {
        const { data, ...other } = expected[at] ?? { data: "" };
        expect(member).toMatchObject(other);
        expect(Buffer.compare(member.data, Buffer.from(data as string, "latin1"))).toBe(0);
      }
    }),
    { numRuns: 500 },
  );
});

test("a damaged archive is a sentence, or is read", () => {
  const change = fc.tuple(fc.nat(2000), fc.nat(255));
  fc.assert(
    fc.property(archive, fc.array(change, { maxLength: 4 }), fc.nat(2000), (entries, changes, length) => {
      const bytes = bytesOf(entries).subarray(0, length);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      try {
        for (const member of readCpio(bytes)) expect(member.data.length).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 2000 },
  );
});

const elves = [
  makeElf({ interpreter: "/lib/ld.so", needed: ["a", "b"], soname: "c", rpath: "d" }),
  makeElf({ bits: 32, littleEndian: false, needed: ["a"], runpath: "e" }),
  makeModule(["name=x", "depends=a,b"]),
];

test("a damaged ELF file is refused or read, and never anything else", () => {
  const change = fc.tuple(fc.nat(600), fc.constantFrom(0, 1, 2, 7, 0x7f, 0x80, 0xff));
  fc.assert(
    fc.property(fc.nat(2), fc.array(change, { maxLength: 6 }), fc.nat(600), (which, changes, length) => {
      const bytes = Uint8Array.from(elves[which] ?? []).subarray(0, length);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      for (const parse of [() => parseElf(bytes), () => elfSection(bytes, ".modinfo")])
        try {
          parse();
        } catch (error) {
          expect(error).toBeInstanceOf(ElfError);
        }
    }),
    { numRuns: 5000 },
  );
});
