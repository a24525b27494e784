import { expect, test } from "bun:test";
import fc from "fast-check";
import { bothManifests, fingerprint, formatManifest, parseManifest } from "../../../src/install/manifest.ts";
import { toBytes } from "../../../src/lib/bytes.ts";

test("what is written is read again, whatever bytes the names hold", () => {
  const name = fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 12 })
    .map((codes) => String.fromCharCode(...codes).replaceAll("/", "_"))
    .filter((one) => one !== "." && one !== "..");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          path,
          fc.string({ maxLength: 5 }).map((s) => s.replace(/[^\0-\xff]/g, "")),
        ),
      ),
      (pairs) => {
        const manifest = new Map(pairs.map(([at, value]) => [at, [value]]));
        expect(parseManifest(formatManifest(manifest), "x")).toEqual(manifest);
        expect(formatManifest(new Map([...manifest].toReversed()))).toEqual(formatManifest(manifest));
      },
    ),
  );
});

test("between two installs a path may be either", () => {
  const [old, next] = [
    new Map([
      ["a", ["1"]],
      ["b", ["2"]],
    ]),
    new Map([
      ["b", ["3"]],
      ["c", ["4"]],
    ]),
  ];
  const both = new Map([
    ["a", ["1"]],
    ["b", ["2", "3"]],
    ["c", ["4"]],
  ]);
  expect(bothManifests(old, next)).toEqual(both);
  expect(parseManifest(formatManifest(both), "x")).toEqual(both);
  expect(bothManifests(next, next)).toEqual(next);
});

test("none is an empty one", () => {
  expect(parseManifest(undefined, "x")).toEqual(new Map());
});

test.each([
  "",
  "{",
  "[]",
  "null",
  '{"a":1}',
  '{"../a":"directory"}',
  '{"/a":"directory"}',
  '{"":"directory"}',
])("%p is refused", (content) => {
  expect(() => parseManifest(toBytes(content), "/b/etc/rdinit/installed")).toThrow(
    "/b/etc/rdinit/installed, the list of what rdinit has installed there, is damaged.",
  );
});

test("a fingerprint tells contents, modes of files and targets, and nothing else", () => {
  const file = { path: "a", type: "file", mode: 0o644, data: toBytes("x") } as const;
  expect(fingerprint(file)).toMatch(/^file 644 [0-9a-f]{64}$/);
  expect(fingerprint({ ...file, path: "b", mtime: 9 })).toBe(fingerprint(file));
  expect(fingerprint({ ...file, mode: 0o755 })).not.toBe(fingerprint(file));
  expect(fingerprint({ ...file, data: toBytes("y") })).not.toBe(fingerprint(file));
  expect(fingerprint({ path: "a", type: "symlink", mode: 0o777, target: "b" })).toBe("symlink b");
  expect(fingerprint({ path: "a", type: "char", mode: 0o600, rdev: "5:1" })).toBe("char 5:1");
  expect(fingerprint({ path: "a", type: "directory", mode: 0o700 })).toBe("directory");
});
