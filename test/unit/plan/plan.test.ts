import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { initWords } from "../../../src/boot/cmdline/initwords.ts";
import { isKernelParameter } from "../../../src/boot/cmdline/kernelwords.ts";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { parameters } from "../../../src/boot/cmdline/parameters.ts";
import { planBoot } from "../../../src/plan/plan.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

/** The words of the line that the init gets, but for the two variables that it always has. */
function given(line: string): { args: readonly string[]; env: readonly string[] } {
  const { args, env } = initWords(line);
  return { args, env: env.slice(2) };
}

function repeated(count: number, word: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => word(at)).join(" ");
}

describe("what the init gets", () => {
  test("unknown words: bare ones as arguments, those with a value in its environment", () => {
    expect(given('single x=1 quiet splash y="a b" "z=c d" "e f" =g')).toEqual({
      args: ["single", "splash", "e f", "=g"],
      env: ["x=1", "y=a b", "z=c d"],
    });
  });

  test("what has a dot in its name is for modules, what the kernel knows for the kernel", () => {
    expect(
      given(
        "a.b a.b=c v=a.b rd.debug root=/dev/vda ro console=tty0 panic=1 BOOT_IMAGE=/x module-blacklist=x",
      ),
    ).toEqual({
      args: [],
      env: ["v=a.b"],
    });
    expect(initWords("quiet x init=/a").taken).toEqual(["quiet", "init=/a"]);
  });

  test("all behind -- as arguments, known or not, up to another --", () => {
    expect(given("x -- quiet root=a a.b -- lost")).toEqual({
      args: ["x", "quiet", "root=a", "a.b"],
      env: [],
    });
    expect(given("x --")).toEqual({ args: ["x"], env: [] });
  });

  test("init= and rdinit= drop the arguments in front of them, not the variables", () => {
    expect(given("auto a=1 init=/x b")).toEqual({ args: ["b"], env: ["a=1"] });
    expect(given("auto rdinit=/x b -- c")).toEqual({ args: ["b", "c"], env: [] });
  });

  test("a variable takes the place of its elder", () => {
    expect(initWords("TERM=vt100 a=1 b=2 a=3 HOME=/root").env).toEqual([
      "HOME=/root",
      "TERM=vt100",
      "a=3",
      "b=2",
    ]);
  });

  test("too many are a panic", () => {
    expect(initWords(repeated(32, (i) => `a${i}`)).overflow).toBeUndefined();
    expect(initWords(repeated(33, (i) => `a${i}`)).overflow).toContain(
      "more arguments (33) for the init than the 32",
    );
    expect(initWords(repeated(31, (i) => `a${i}=1`)).overflow).toBeUndefined();
    expect(initWords(repeated(32, (i) => `a${i}=1`)).overflow).toContain("more variables (34)");
  });

  test("every parameter without a dot that rdinit shares with the kernel is the kernel's", () => {
    for (const { name, usage } of parameters.filter((one) => !one.name.includes("."))) {
      const [word] = parseCommandLine(usage.replace(/\[.*\]/, "").replace(/=.*/, "=x"));
      expect([name, word && isKernelParameter(word)]).toEqual([name, true]);
    }
  });
});

const STORAGE = [
  "Meanwhile put together arrays of md as their members appear; degraded after 30 s without the missing ones.",
  "Meanwhile open the encrypted volumes that crypttab names or the root needs: by token, key file, or a passphrase " +
    "that is asked for on the console.",
  "Meanwhile activate the logical volumes that the root needs, once their disks are there.",
];
const CHECK = "Check it by its own tool, if the image holds that, and mend what is safe to mend.";
const FSTAB = "Mount of its fstab, where it is there: /usr, what is marked x-initrd.mount.";

describe("the plan", () => {
  test("of a whole boot, in its order", () => {
    const line =
      "root=LABEL=root rw rootflags=noatime,data=journal rootfstype=ext4,xfs rootdelay=1.5 rd.timeout=0 quiet single A=b " +
      "modprobe.blacklist=floppy module_blacklist=pcspkr rd.driver.pre=nvme rd.driver.post=zfs nvme.poll=1 rd.shell=0";
    expect(planBoot(line)).toEqual({
      steps: [
        "Mount /proc, /sys, /dev and /run.",
        "Load the modules nvme before all others.",
        "Load the kernel modules that the devices ask for, but not floppy, pcspkr.",
        "Give parameters to the modules that are loaded: nvme (poll=1).",
        "Load the modules zfs after all others.",
        "Pause 1.5 s.",
        "Wait for ever until LABEL=root is there.",
        ...STORAGE,
        CHECK,
        "Mount it on /sysroot as ext4 or xfs, read-write, with the options noatime,data=journal.",
        FSTAB,
        "Wait until no module is being loaded any more.",
        "End all processes, and hand over to the first of /sbin/init, /etc/init, /bin/init, /bin/sh that can be started, with the arguments 'single'.",
        "Its environment is 'HOME=/' 'TERM=linux' 'A=b'.",
        "The kernel keeps for itself: 'root=LABEL=root' 'rw' 'rootflags=noatime,data=journal' 'rootfstype=ext4,xfs' " +
          "'rootdelay=1.5' 'quiet' 'module_blacklist=pcspkr'. " +
          "(A kernel that was built without one of them hands it on; the list is of Linux 6.1.)",
        "Where something fails: start no rescue shell.",
      ],
      obstacle: undefined,
    });
  });

  test("of the least there can be", () => {
    const { steps, obstacle } = planBoot("root=/dev/vda init=/bin/bash");
    expect(obstacle).toBeUndefined();
    expect(steps).toContain("Wait for at most 30 s until /dev/vda is there.");
    expect(steps).toContain("Mount it on /sysroot as the filesystem that its superblock names, read-only.");
    expect(steps).toContain("End all processes, and hand over to /bin/bash, with no arguments.");
  });

  for (const [line, obstacle, last] of [
    [
      "quiet",
      "The kernel command line names no root filesystem.",
      "Load the kernel modules that the devices ask for.",
    ],
    [
      "root=vda",
      "root= makes no sense: vda is neither a path below /dev",
      "Load the kernel modules that the devices ask for.",
    ],
    ["root=/dev/vda init=sh", "sh is not an absolute path. Correct init=", "Wait until no module"],
    [`root=/dev/vda ${"x ".repeat(33)}`, "and it panics.", "Wait until no module"],
  ] as const)
    test(`that leads nowhere: ${line.slice(0, 24)}`, () => {
      const plan = planBoot(line);
      expect(plan.obstacle).toContain(obstacle);
      expect(plan.steps.at(-1)).toStartWith(last);
    });

  test("what process 1 would complain about comes first, and that it may be another program", () => {
    expect(planBoot("rd.nonsense rd.timeout=x rdinit=/bin/sh root=/dev/vda").steps.slice(0, 3)).toEqual([
      "The kernel starts /bin/sh in place of /init. If that is rdinit too:",
      "Warn: rd.nonsense on the command line is ignored: this rdinit does not know it.",
      "Warn: rd.timeout=x on the command line is ignored: it is not a number of seconds. Usage: rd.timeout=SECONDS.",
    ]);
    expect(planBoot("rdinit=/init root=/dev/vda").steps[0]).toBe("Mount /proc, /sys, /dev and /run.");
  });

  test("of an image: its parameters, its hooks, its blacklists", () => {
    const hook = "#!/bin/sh\n";
    const image = new RootTree(
      temporaryTree({
        "etc/rdinit/cmdline": "root=zfs:tank rd.odd rw\n",
        "etc/rdinit.d/cmdline/10-a": hook,
        "etc/rdinit.d/pre-trigger/x": hook,
        "etc/rdinit.d/pre-mount/b~": hook,
        "etc/rdinit.d/mount/20-zfs": hook,
        "etc/rdinit.d/mount/10-import": hook,
        "etc/rdinit.d/mount/b c": hook,
        "etc/rdinit.d/pre-pivot/1": hook,
        "etc/rdinit.d/cleanup/2": hook,
        "etc/rdinit.d/emergency/3": hook,
        "etc/rdinit.d/initqueue/x": hook,
        "etc/modprobe.d/a.conf": "blacklist floppy\n",
      }),
    );
    const { steps, obstacle } = planBoot("quiet", image);
    expect(obstacle).toBeUndefined();
    expect(steps).toEqual([
      "Warn: rd.odd in the image is ignored: this rdinit does not know it.",
      "Warn: /etc/rdinit.d/initqueue is no point of the boot, and nothing in it is run.",
      "Mount /proc, /sys, /dev and /run.",
      "Run the hooks of cmdline: 10-a.",
      "Run the hooks of pre-trigger: x.",
      "Load the kernel modules that the devices ask for, but not floppy.",
      "Leave the root to the hooks of mount: root= names no block device.",
      ...STORAGE,
      "Warn: /etc/rdinit.d/mount/b c is not run: its name may only hold letters, digits, _, - and . (no spaces).",
      "Run the hooks of mount: 10-import, 20-zfs.",
      "Go on if /sysroot is a mount now.",
      FSTAB,
      "Run the hooks of pre-pivot: 1.",
      "Wait until no module is being loaded any more.",
      "Run the hooks of cleanup: 2.",
      "End all processes, and hand over to the first of /sbin/init, /etc/init, /bin/init, /bin/sh that can be started, with no arguments.",
      "Its environment is 'HOME=/' 'TERM=linux'.",
      "The kernel keeps for itself: 'quiet'. (A kernel that was built without one of them hands it on; the list is of Linux 6.1.)",
      "Where something fails: run the hooks of emergency, then start a rescue shell, if the image holds /bin/sh.",
    ]);
    // The kernel's words win over the image's here as well.
    expect(planBoot("root=UUID=1234 ro", image).steps).toContain(
      "Mount it on /sysroot as the filesystem that its superblock names, read-only.",
    );
  });

  test("no command line breaks it, and every sentence is one line", () => {
    const word = fc.constantFrom(
      "root=",
      "/dev/vda",
      "rd.",
      "=",
      '"',
      "--",
      " ",
      "init",
      "rootflags",
      ",",
      "\xff",
      "\n",
      "\x1b",
      ".",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const { steps, obstacle } = planBoot(words.join(""));
        for (const sentence of [...steps, obstacle ?? ""])
          expect(sentence).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 500 },
    );
  });
});

function stepsFor(words: string): readonly string[] {
  return planBoot(`root=LABEL=x ${words}`).steps;
}

describe("what stands under the root", () => {
  test("is named as it was asked for", () => {
    const said = stepsFor(
      "rd.md.uuid=6a1c0de5:11aa22bb:33cc44dd:55ee66ff rd.md.timeout=0 rd.lvm.lv=a/b rd.luks.uuid=2f9e",
    );
    expect(said).toContain(
      "Meanwhile put together the arrays 6a1c0de5-11aa-22bb-33cc-44dd55ee66ff as their members appear; never degraded.",
    );
    expect(said).toContain("Meanwhile activate the logical volumes of a/b, once their disks are there.");
    expect(said.find((step) => step.startsWith("Meanwhile open"))).toContain("the encrypted volumes 2f9e:");
  });
  test("is left alone when it is turned off", () => {
    const said = stepsFor("rd.md=0 rd.lvm=0 rd.luks=0 fsck.mode=skip rd.fstab=0").join("\n");
    expect(said).toContain(
      "Leave arrays of md alone.\nLeave encrypted volumes closed.\nLeave logical volumes inactive.",
    );
    expect(said).not.toMatch(/Check it|fstab/);
  });
  test("a hibernated system comes first", () => {
    const said = stepsFor("resume=/dev/vg/swap");
    const wake = said.findIndex((step) => step.startsWith("Wake a hibernated system from /dev/vg/swap"));
    expect(wake).toBeGreaterThan(0);
    expect(wake).toBeLessThan(said.findIndex((step) => step.startsWith("Wait for at most")));
  });
});

test("a command line counts as far as the kernel takes it", () => {
  const long = `root=/dev/vda quiet x=${"y".repeat(2047)} init=/lost`;
  const [first] = stepsFor(long);
  expect(first).toMatch(/^Warn: the kernel command line ends at the 2047 bytes .*"…y+": what stood behind/);
  expect(stepsFor(long).join("\n")).not.toContain("/lost");
  expect(stepsFor(`root=/dev/vda x=${"y".repeat(2000)}`)[0]).toStartWith("Mount");
});
