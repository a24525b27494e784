import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { chooseInit } from "../../../src/image/init-file.ts";
import { STUB_MAGIC } from "../../../src/stub/identity.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

function linked(build: number, size = 8192): Uint8Array {
  const file = new Uint8Array(8192);
  file.set(Buffer.from(STUB_MAGIC), 4200);
  const words = new DataView(file.buffer, 4200 + STUB_MAGIC.length);
  words.setBigUint64(0, BigInt(size), true);
  words.setBigUint64(8, BigInt(build), true);
  return file;
}

function choose(
  files: Record<string, string | Uint8Array>,
  wish?: string,
  config?: ReadonlyMap<string, string>,
) {
  const tree = temporaryTree(files);
  const chosen = chooseInit(join(tree, "rdinit"), wish === undefined ? undefined : join(tree, wish), config);
  return chosen.slice(tree.length + 1);
}

describe("chooseInit", () => {
  test("the packed form beside the program, when it is of the same build", () => {
    expect(choose({ rdinit: linked(7), init: linked(7) })).toBe("init");
    expect(choose({ rdinit: linked(7), init: linked(8) })).toBe("rdinit");
    expect(choose({ rdinit: linked(7), init: "#!/bin/sh\n" })).toBe("rdinit");
    expect(choose({ rdinit: linked(7), init: linked(7, 9000) })).toBe("rdinit");
    expect(choose({ rdinit: linked(7) })).toBe("rdinit");
  });
  test("the plain form for a kernel without userfaultfd", () => {
    const files = { rdinit: linked(7), init: linked(7) };
    expect(choose(files, undefined, new Map())).toBe("rdinit");
    expect(choose(files, undefined, new Map([["CONFIG_USERFAULTFD", "y"]]))).toBe("init");
  });
  test("what was wished for, when it is a whole rdinit", () => {
    expect(choose({ rdinit: linked(7), other: linked(9) }, "other")).toBe("other");
    expect(() => choose({ rdinit: linked(7), other: "x" }, "other")).toThrow("it is no rdinit");
    expect(() => choose({ rdinit: linked(7), other: linked(9, 9000) }, "other")).toThrow("it was cut short");
    expect(() => choose({ rdinit: "the runtime itself" })).toThrow("it is no rdinit");
    expect(() => choose({ rdinit: linked(7) }, "none")).toThrow("it is no rdinit");
  });
});
