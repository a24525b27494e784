/** Our lists against the kernel's own program that reads them, usr/gen_init_cpio.c. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readCpio, type CpioMember } from "../../src/image/cpio-reader.ts";
import type { CpioEntry } from "../../src/image/cpio.ts";
import { writeInitramfsList } from "../../src/image/write-list.ts";
import { run } from "../../qemu/host.ts";
import { genInitCpio } from "../../qemu/kernel.ts";
import { temporaryTree } from "../fixtures/temporary.ts";

const RUNS = 150;
const dir = temporaryTree({ "plain-file": "from a file", "odd ${HOME} file": "from an odd one" });

const name = fc.string({ unit: fc.constantFrom(..."ab#$\\\"'.:-_{}\x01\xff"), minLength: 1, maxLength: 6 });
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const common = {
  path: fc.oneof(
    path,
    fc.nat(200).map((more) => "x".repeat(4095 - more)),
  ),
  mode: fc.nat(0o7777),
  uid: fc.nat(2 ** 32 - 1),
  gid: fc.nat(2 ** 32 - 1),
};
const data = fc.oneof(
  fc.uint8Array({ maxLength: 70_000 }),
  fc.constantFrom("plain-file", "odd ${HOME} file").map((file) => ({
    file: join(dir, file),
    size: readFileSync(join(dir, file)).length,
  })),
);
const device = fc.nat(2 ** 32 - 1);
const rdev = fc.tuple(device, device).map(([major, minor]) => `${major}:${minor}`);
const target = fc.oneof(
  path,
  path.map((one) => `/${one}`),
  fc.constant("y".repeat(4095)),
);
const entry: fc.Arbitrary<Exclude<CpioEntry, { type: "link" }>> = fc.oneof(
  fc.record({ ...common, type: fc.constant("file" as const), data }),
  fc.record({ ...common, type: fc.constant("symlink" as const), target }),
  fc.record({ ...common, type: fc.constantFrom("block" as const, "char" as const), rdev }),
  fc.record({ ...common, type: fc.constantFrom("directory" as const, "fifo" as const, "socket" as const) }),
);

// Up to three more names for each file, at the end or in front.
const entries = fc
  .tuple(
    fc.uniqueArray(entry, { maxLength: 8, selector: (one) => one.path }),
    fc.array(fc.nat(7), { maxLength: 6 }),
    fc.boolean(),
  )
  .map(([some, linked, front]): CpioEntry[] => {
    const links = linked.flatMap((at, number): CpioEntry[] => {
      const to = some[at];
      return to?.type === "file" ? [{ type: "link", path: `link-${number}`, target: to.path }] : [];
    });
    return front ? [...links, ...some] : [...some, ...links];
  });

test("a list makes the archive that we would have written", async () => {
  const program = await genInitCpio();
  const [list, archive] = [join(dir, "list"), join(dir, "archive.cpio")];
  await fc.assert(
    fc.asyncProperty(entries, async (wanted) => {
      await writeInitramfsList(list, wanted);
      rmSync(archive, { force: true });
      await run([program, "-t", "5", list], { log: archive, env: { HOME: "/wrong" } });
      const members = new Map([...readCpio(readFileSync(archive))].map((member) => [member.path, member]));
      expect([...members.keys()].sort()).toEqual(wanted.map((one) => one.path).sort());
      for (const one of wanted) expectSame(members, one);
    }),
    { numRuns: RUNS },
  );
}, 60_000);

function expectSame(members: ReadonlyMap<string, CpioMember>, wanted: CpioEntry): void {
  const member = members.get(wanted.path);
  if (member === undefined) throw new Error(`${wanted.path} is not in the archive`);
  if (wanted.type === "link") {
    const file = members.get(wanted.target);
    expect(member.type).toBe("file");
    expect(member.nlink).toBeGreaterThan(1);
    expect([member.ino, member.nlink]).toEqual([file?.ino ?? 0, file?.nlink ?? 0]);
    return;
  }
  const { type, mode, uid, gid } = wanted;
  const nodes = "rdev" in wanted ? wanted.rdev : "0:0";
  expect(member).toMatchObject({ type, mode, uid, gid, rdev: nodes });
  // A link's target has a NUL behind it there, which the kernel does not mind.
  if (type === "symlink") expect(textOf(member)).toBe(`${wanted.target}\0`);
  if (type === "file") {
    const same = [...members.values()].filter(({ ino }) => ino === member.ino);
    expect(textOf(same.at(-1) ?? member)).toBe(
      wanted.data instanceof Uint8Array
        ? Buffer.from(wanted.data).toString("latin1")
        : readFileSync(wanted.data.file, "latin1"),
    );
  }
}

function textOf({ data: bytes }: CpioMember): string {
  return Buffer.from(bytes).toString("latin1");
}
