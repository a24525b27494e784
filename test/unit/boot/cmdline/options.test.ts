import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";
import { parameters } from "../../../../src/boot/cmdline/parameters.ts";

const read = (line: string) => readOptions(parseCommandLine(line));

describe("what the command line asks", () => {
  test("nothing: the documented defaults", () => {
    expect(read("BOOT_IMAGE=/vmlinuz console=ttyS0")).toEqual({
      options: {
        root: undefined,
        rootTypes: [],
        rootFlags: "",
        readOnly: true,
        deviceTimeout_ms: 30_000,
        rootDelay_ms: 0,
        hookTimeout_ms: 90_000,
        init: undefined,
        quiet: false,
        debug: false,
        info: false,
        trace: false,
        shell: undefined,
        breakAt: [],
        emergency: undefined,
      },
      complaints: [],
    });
  });

  test("the last of two wins", () => {
    expect(read("root=/dev/a ro rw root=/dev/b").options).toMatchObject({ root: "/dev/b", readOnly: false });
  });

  test("rootwait waits for ever, or as long as it says", () => {
    expect(read("rootwait").options.deviceTimeout_ms).toBeUndefined();
    expect(read("rootwait=5").options.deviceTimeout_ms).toBe(5000);
    expect(read("rd.timeout=0").options.deviceTimeout_ms).toBeUndefined();
    expect(read("rd.timeout=1.5").options.deviceTimeout_ms).toBe(1500);
  });

  test("rd.debug says everything and traces; rd.debug=0 does not", () => {
    expect(read("rd.debug").options).toMatchObject({ debug: true, trace: true });
    expect(read("debug").options).toMatchObject({ debug: true, trace: false });
    expect(read("rd.debug rd.debug=0").options).toMatchObject({ debug: false, trace: false });
  });

  test("rootfstype=auto leaves the type to the superblock", () => {
    for (const list of ["auto", "ext4,auto"])
      expect(read(`rootfstype=${list}`).options.rootTypes).toEqual([]);
    expect(read("rootfstype=,ext4,").options.rootTypes).toEqual(["ext4"]);
  });

  test("the rest", () => {
    expect(
      read(
        "rootfstype=ext4,xfs rootflags=noatime,data=journal init=/bin/sh quiet debug rd.shell=0 rootdelay=2",
      ).options,
    ).toMatchObject({
      rootTypes: ["ext4", "xfs"],
      rootFlags: "noatime,data=journal",
      init: "/bin/sh",
      quiet: true,
      debug: true,
      shell: false,
      rootDelay_ms: 2000,
    });
  });
});

describe("what makes no sense is named and skipped", () => {
  for (const [line, word] of [
    ["root", "root"],
    ["root=", "root="],
    ["rd.timeout=soon", "rd.timeout=soon"],
    ["rootdelay=-1", "rootdelay=-1"],
    ["rd.shell=perhaps", "rd.shell=perhaps"],
    ["rd.no.such=1", "rd.no.such=1"],
  ] as const)
    test(line, () => {
      const { options, complaints } = read(`${line} ro`);
      expect(options).toEqual(read("").options);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toStartWith(`${word} on the command line is ignored: `);
    });

  test("a line break in a word can't break the console", () => {
    expect(read('"rd.x=a\nb"').complaints[0]).toStartWith("rd.x=a\\nb on the command line");
  });

  test("no command line throws, and all its complaints are one line", () => {
    const name = fc.constantFrom(...parameters.map((parameter) => parameter.name), "rd.x", "other");
    const word = fc.tuple(name, fc.option(fc.string())).map(([n, v]) => (v === null ? n : `${n}="${v}"`));
    fc.assert(
      fc.property(fc.array(word), (line) => {
        for (const complaint of read(line.join(" ")).complaints) expect(complaint).not.toContain("\n");
      }),
    );
  });
});
