import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import {
  packedLimit_bytes,
  parsePacked,
  readPacked,
  readParameters,
} from "../../../../src/boot/cmdline/packed.ts";
import { readConfig } from "../../../../src/modules/config.ts";
import { type Tree, fakeKernel } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";

describe("the words of an image", () => {
  test("are cut as the kernel cuts, over several lines, without comments", () => {
    const content = '# made by hand\nroot=UUID=1\n\trootflags="a b"\r\n  # root=UUID=2\nrw#not a comment\n';
    expect(parsePacked(content)).toEqual({
      words: parseCommandLine('root=UUID=1 rootflags="a b" rw#not a comment'),
      complaints: [],
    });
    expect(parsePacked("")).toEqual({ words: [], complaints: [] });
  });

  test("what stands behind -- is for nobody", () => {
    expect(parsePacked("quiet -- single root=/dev/x")).toEqual({
      words: parseCommandLine("quiet"),
      complaints: [
        "what stands behind -- in /etc/rdinit/cmdline is left out: the real init gets the kernel's words alone.",
      ],
    });
  });

  test("of a damaged file none is used", () => {
    for (const [content, why] of [
      ["root=/dev/a\0\0\0", "it holds zero bytes, so it was damaged"],
      ["\0", "it holds zero bytes, so it was damaged"],
      ["x".repeat(packedLimit_bytes + 1), "it is longer than 65536 bytes"],
    ] as const)
      expect(parsePacked(content)).toEqual({
        words: [],
        complaints: [`/etc/rdinit/cmdline of the image is not used: ${why}.`],
      });
    expect(parsePacked(`${" ".repeat(packedLimit_bytes - 5)}quiet`).words).toHaveLength(1);
  });

  test("quotes that the kernel does not know are told", () => {
    const { complaints } = readParameters("root=/dev/vda rootflags='subvol=@' x='y' quiet", undefined);
    expect(complaints).toEqual([
      "the value of rootflags= begins with ', which belongs to it: the kernel knows no quotes but \".",
    ]);
  });

  test("any bytes are taken without an exception, and cost no more than a moment", () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 });
    fc.assert(
      fc.property(bytes, (codes) => {
        const content = String.fromCharCode(...codes);
        const { words, options } = readParameters("root=/dev/vda", content);
        expect(options.root).toBe("/dev/vda");
        expect(words.length).toBe(parsePacked(content).words.length + 1);
      }),
    );
    for (const hard of [
      '"'.repeat(packedLimit_bytes),
      "#".repeat(packedLimit_bytes),
      " #\n".repeat(20_000),
    ]) {
      const began = performance.now();
      readParameters("", hard);
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });
});

describe("image and kernel command line together", () => {
  test("the kernel's words win, the image's fill in", () => {
    const packed = "root=UUID=1 rw rd.timeout=5 rd.shell=0 quiet";
    const { options, complaints } = readParameters("root=/dev/vda ro rd.shell", packed);
    expect(options).toMatchObject({
      root: "/dev/vda",
      readOnly: true,
      shell: true,
      deviceTimeout_ms: 5000,
      quiet: true,
    });
    expect(complaints).toEqual([]);
  });

  test("without a file all is as the command line says", () => {
    const line = "root=/dev/vda quiet rd.timeout=7 -- x";
    expect(readParameters(line, undefined)).toEqual({
      words: parseCommandLine(line),
      ...readOptions(parseCommandLine(line)),
    });
  });

  test("the kernel's parameters of a module come last, where the kernel heeds them; blacklists add up", () => {
    const { words } = readParameters(
      "nvme.poll=2 modprobe.blacklist=b",
      "nvme.poll=1 module_blacklist=c modprobe.blacklist=a",
    );
    const { options, blacklist, never } = readConfig([], words);
    expect(options.get("nvme")).toBe("poll=1 poll=2");
    expect([...blacklist]).toEqual(["a", "b"]);
    expect([...never.keys()]).toEqual(["c"]);
  });

  test("what only others would read is told, by its place", () => {
    const packed =
      "console=ttyS0 single rd.nonsense=1 rd.timeout=soon nvme.poll=1 rd.driver.pre=x module-blacklist=y";
    const useless =
      "in the image is ignored: the kernel and the real init read nothing but the kernel command line, " +
      "and rdinit has no use for it.";
    expect(readParameters("console=ttyS0 single rd.nope", packed).complaints).toEqual([
      `console=ttyS0 ${useless}`,
      `single ${useless}`,
      "rd.nonsense=1 in the image is ignored: this rdinit does not know it.",
      "rd.timeout=soon in the image is ignored: it is not a number of seconds. Usage: rd.timeout=SECONDS.",
      "rd.nope on the command line is ignored: this rdinit does not know it.",
    ]);
  });
});

function read(etc: Tree): ReturnType<typeof readPacked> {
  return readPacked(fakeKernel({ rootfs: { etc } }).sys);
}

describe("reading the file", () => {
  test("no file, no directory", () => {
    expect(read({})).toEqual({ content: undefined, problem: undefined });
    expect(read({ rdinit: "a file" })).toEqual({ content: undefined, problem: undefined });
  });

  test("its bytes, in as many reads as it takes", () => {
    const { sys } = fakeKernel({ rootfs: { etc: { rdinit: { cmdline: "root=LABEL=\xe4\n" } } } });
    const slow = intercept(sys, (call, proceed) => {
      if (call.name !== "read") return proceed();
      const [fd, buffer] = call.args as [number, Uint8Array];
      return sys.read(fd, buffer.subarray(0, 3));
    });
    expect(readPacked(slow)).toEqual({ content: "root=LABEL=\xe4\n", problem: undefined });
  });

  test("of a file that is too long no more than shows that it is", () => {
    const { content = "" } = read({ rdinit: { cmdline: "x ".repeat(packedLimit_bytes) } });
    expect(content).toHaveLength(packedLimit_bytes + 1);
    expect(parsePacked(content).words).toEqual([]);
  });

  test("an error is a sentence", () => {
    expect(read({ rdinit: { cmdline: {} } }).problem).toStartWith(
      "the image's own parameters are not used: read: ",
    );
    const { sys } = fakeKernel({ rootfs: { etc: { rdinit: { cmdline: "quiet" } } } });
    const broken = intercept(sys, (call, proceed) => {
      if (call.name === "read") throw refusalOf("read", call.args, "EIO");
      return proceed();
    });
    expect(readPacked(broken)).toEqual({ content: undefined, problem: expect.stringContaining("(EIO)") });
  });
});
