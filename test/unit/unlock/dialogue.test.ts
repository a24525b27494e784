/** What a login says and does, line after line of the boot's. */

import { expect, test } from "bun:test";
import { type BootWord, readBootLine } from "../../../src/boot/prompt/protocol.ts";
import { Dialogue, type Source } from "../../../src/unlock/dialogue.ts";
import { isLoginShell, readWish, whoAmI } from "../../../src/unlock/login.ts";

function play(source: Source, ...lines: readonly `${BootWord}${string}`[]) {
  const dialogue = new Dialogue(source);
  return lines.map((line) => {
    const read = readBootLine(line);
    if (read === undefined) throw new Error(`no line of the boot's: ${line}`);
    return dialogue.take(read);
  });
}

function wish(args: readonly string[], original?: string) {
  return readWish(args, original === undefined ? {} : { SSH_ORIGINAL_COMMAND: original });
}

test("typed: wrong, right, and a second volume, to the end", () => {
  expect(
    play(
      "terminal",
      "wait the root is not there",
      "ask Passphrase for vda:",
      "trying",
      "wrong this passphrase does not open vda (1 of 3 tries).",
      "ask Passphrase for vda:",
      "trying",
      "ok vda",
      "ask Passphrase for vdb:",
      "taken on ttyS0",
      "ok vdb",
      "end the root is mounted.",
    ),
  ).toEqual([
    { say: "No passphrase is asked for at the moment: The root is not there. Waiting for what comes." },
    { ask: "Passphrase for vda: " },
    { say: "Trying it …" },
    { say: "This passphrase does not open vda (1 of 3 tries)." },
    { ask: "Passphrase for vda: " },
    { say: "Trying it …" },
    { say: "Unlocked: vda; the system goes on." },
    { ask: "Passphrase for vdb: " },
    { say: "(answered on ttyS0)" },
    { say: "Unlocked: vdb; the system goes on." },
    { say: "The root is mounted.", exit: 0 },
  ]);
});

test("piped: sent when it is asked for, and once", () => {
  expect(play("pipe", "ask Passphrase for vda:", "trying", "wrong it opens nothing")).toEqual([
    { send: true },
    { say: "Trying it …" },
    { say: "It opens nothing.", exit: 1 },
  ]);
  expect(play("pipe", "ask P:", "trying", "ok vda", "end it starts").at(-1)).toEqual({
    say: "It starts.",
    exit: 0,
  });
  expect(play("pipe", "ask P:", "trying", "ok vda", "ask Passphrase for vdb:").at(-1)).toEqual({
    say: "Another passphrase is needed. Passphrase for vdb: Connect again to give it.",
    exit: 1,
  });
  // Somebody else was first, and wrong: it is not judged yet.
  expect(play("pipe", "ask P:", "taken on tty1", "wrong no", "ask P:").at(-1)).toEqual({ send: true });
});

test("a boot that fails, or ends without a word, is no success", () => {
  expect(play("terminal", "failed The root is not there.")).toEqual([
    { say: "The boot has failed. The root is not there.", exit: 1 },
  ]);
  expect(new Dialogue("pipe").lost().exit).toBe(1);
});

test("a login unlocks, or asks for a shell", () => {
  for (const [args, original] of [
    [[]],
    [["-c", "/init unlock"]],
    [["-c", "/init unlock"], "unlock"],
    [["-c", "cryptroot-unlock"]],
    [["-c", "/init unlock"], "/bin/cryptroot-unlock"],
  ] as const)
    expect(wish(args, original)).toEqual({ kind: "unlock" });
  expect(wish(["-c", "/init unlock"], "sh")).toEqual({ kind: "shell", command: undefined });
  expect(wish(["-c", "/init unlock"], "/bin/bash -l")).toEqual({ kind: "shell", command: undefined });
  expect(wish(["-c", "/init unlock"], "cat /proc/mdstat")).toEqual({
    kind: "shell",
    command: "cat /proc/mdstat",
  });
  expect(wish(["-c", "/init unlock"], "sh; unlock").kind).toBe("shell");
});

test("the login shell is known by its name, and the person by the address", () => {
  expect(["-unlock", "unlock", "/bin/unlock"].map(isLoginShell)).toEqual([true, true, true]);
  expect(["/init", "rdinit", "/unlock/init", "/bin/unlocked", ""].map(isLoginShell)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(whoAmI({ SSH_CONNECTION: "192.0.2.7 50022 192.0.2.1 22" })).toBe("SSH from 192.0.2.7");
  expect(whoAmI({})).toBeUndefined();
});
