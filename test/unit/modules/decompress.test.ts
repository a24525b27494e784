import { describe, expect, test } from "bun:test";
import { compressionOfName, decompress, uncompressedName } from "../../../src/modules/decompress.ts";
import { unxz } from "../../../src/modules/xz/xz.ts";

/** What the program makes of `data`; xz is among the packages that the tests are set up with. */
function pipe(argv: string[], data: Uint8Array): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync(argv, { stdin: data });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  return new Uint8Array(stdout);
}

/** Bytes that look like a program's: strings, tables, and calls with targets that the x86 filter rewrites. */
function likeCode(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let seed = 0x2545f491;
  const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
  for (let at = 0; at < length; at++) {
    const kind = (next() >>> 24) & 15;
    if (kind < 3) bytes[at] = 0xe8 + (kind & 1);
    else if (kind < 6) bytes[at] = kind & 1 ? 0xff : 0;
    else if (kind < 12) bytes[at] = bytes[Math.max(0, at - 100 - kind)] ?? 0;
    else bytes[at] = next() >>> 24;
  }
  return bytes;
}

const code = likeCode(300_000);

describe("unxz", () => {
  const ways: string[][] = [
    ["--check=crc32", "--lzma2=dict=1MiB"],
    ["--check=crc32", "--x86", "--lzma2=dict=1MiB"],
    ["--check=crc64"],
    ["--check=sha256", "-9e"],
    ["--check=none", "--lzma2=dict=4KiB,lc=1,lp=3,pb=0"],
    ["--check=crc32", "--lzma2=mode=fast,nice=5,pb=4,lc=0"],
    ["-T2", "--block-size=40000"],
  ];
  for (const way of ways)
    test(`reads what xz ${way.join(" ")} writes`, () => {
      const packed = pipe(["xz", "-c", ...way], code);
      expect(Buffer.compare(unxz(packed), code)).toBe(0);
    });

  test("reads random bytes, which are stored, and nothing", () => {
    const random = crypto.getRandomValues(new Uint8Array(60_000));
    expect(Buffer.compare(unxz(pipe(["xz", "-c"], random)), random)).toBe(0);
    expect(unxz(pipe(["xz", "-c"], new Uint8Array(0))).length).toBe(0);
  });

  test("reads several streams with padding between and behind", () => {
    const one = pipe(["xz", "-c", "--check=crc32"], code.subarray(0, 1000));
    const two = pipe(["xz", "-c", "--check=sha256"], code.subarray(1000, 5000));
    const joined = Buffer.concat([one, new Uint8Array(8), two, new Uint8Array(4)]);
    expect(Buffer.compare(unxz(joined), code.subarray(0, 5000))).toBe(0);
  });

  const small = pipe(["xz", "-c", "--check=crc32"], code.subarray(0, 3000));
  test("says so when it is cut short, anywhere", () => {
    for (let length = 0; length < small.length; length += 7)
      expect(() => unxz(small.subarray(0, length))).toThrow(/^(it|its|a|the) /);
  });
  test("says so when a bit is turned, anywhere", () => {
    for (let at = 0; at < small.length; at++) {
      const turned = Uint8Array.from(small);
      turned[at] = (turned[at] ?? 0) ^ (1 << (at & 7));
      expect(() => unxz(turned)).toThrow(/^(it|its|a|the) /);
    }
  });
  test("says so when a filter is unknown", () => {
    const packed = pipe(["xz", "-c", "--arm", "--lzma2"], code.subarray(0, 3000));
    expect(() => unxz(packed)).toThrow("it was made with filters other than LZMA2 and x86");
  });
});

describe("decompress", () => {
  test("knows the three formats by their first bytes, and leaves others alone", () => {
    const plain = code.subarray(0, 5000);
    for (const argv of [
      ["gzip", "-c"],
      ["zstd", "-c"],
      ["xz", "-c"],
    ])
      expect(Buffer.compare(decompress("x", pipe(argv, plain)), plain)).toBe(0);
    expect(decompress("x", plain)).toBe(plain);
    expect(decompress("x", new Uint8Array(0)).length).toBe(0);
  });
  test("damaged data are a sentence with the file's name", () => {
    for (const argv of [
      ["gzip", "-c"],
      ["zstd", "-c"],
      ["xz", "-c"],
    ])
      expect(() => decompress("kernel/x.ko", pipe(argv, code).subarray(0, 100))).toThrow(
        /^kernel\/x\.ko can't be unpacked as /,
      );
  });
  test("names tell the format, too", () => {
    expect(compressionOfName("a/x.ko.zst")).toBe("zstd");
    expect(compressionOfName("a/x.ko")).toBeUndefined();
    expect(uncompressedName("a/x.ko.xz")).toBe("a/x.ko");
    expect(uncompressedName("a/x.ko")).toBe("a/x.ko");
  });
});
