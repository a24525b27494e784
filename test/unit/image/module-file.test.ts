import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "bun";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readModuleInfo } from "../../../src/image/modinfo.ts";
import { readModuleFile } from "../../../src/image/module-file.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { UserError } from "../../../src/lib/errors.ts";
import { makeModule } from "../../fixtures/elf.ts";
import { MemoryTree } from "../../fixtures/memory-tree.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

const INFO = ["name=x", "firmware=a.bin", "depends="];
const module = makeModule(INFO, "code".repeat(100));

describe("readModuleFile", () => {
  const root = new RootTree(
    temporaryTree({
      "plain.ko": module,
      "link.ko": "-> plain.ko",
      "packed.ko.zst": zstdCompressSync(Buffer.from(module)),
      "text.ko": "no module at all, and longer than the header of an ELF file would be, if this were one",
      "short.ko": module.subarray(0, module.length - 8),
      "folder.ko/x": "",
    }),
  );
  test("leaves the contents of a plain file where they are", () => {
    for (const path of ["/plain.ko", "/link.ko"])
      expect(readModuleFile(root, path)).toEqual({
        data: { file: root.outside("/plain.ko"), size: module.length },
        info: [...INFO, ""],
      });
  });
  test("unpacks others, and takes them from any tree", () => {
    const packed = readModuleFile(root, "/packed.ko.zst");
    expect(packed?.info).toEqual([...INFO, ""]);
    expect(Buffer.compare(packed?.data as Uint8Array, module)).toBe(0);
    const memory = new MemoryTree({ "/x.ko": Buffer.from(module).toString("latin1") });
    expect(readModuleFile(memory, "/x.ko")).toEqual({ data: Buffer.from(module), info: [...INFO, ""] });
  });
  test("what is wrong is a sentence", () => {
    expect(readModuleFile(root, "/gone.ko")).toBeUndefined();
    expect(readModuleFile(root, "/folder.ko")).toBeUndefined();
    expect(() => readModuleFile(root, "/text.ko")).toThrow(
      "/text.ko is no kernel module: it is no ELF file.",
    );
    expect(() => readModuleFile(root, "/short.ko")).toThrow("it is cut short or damaged.");
  });
});

function orRefused(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return "refused";
  }
}

test("a damaged module is refused, or read as if it were read whole", () => {
  const dir = temporaryDirectory();
  const change = fc.tuple(fc.nat(module.length - 1), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat(module.length), (changes, length) => {
      const bytes = module.slice(0, length);
      for (const [at, value] of changes) if (at < length) bytes[at] = value;
      writeFileSync(join(dir, "x.ko"), bytes);
      const whole = orRefused(() => readModuleInfo("/x.ko", bytes));
      const parts = orRefused(() => readModuleFile(new RootTree(dir), "/x.ko")?.info);
      // What is of no use to us may be damaged unseen.
      if (whole !== "refused") expect(parts).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});
