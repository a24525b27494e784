import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { replaceFile } from "../../../src/image/atomic.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";

describe("replaceFile", () => {
  test("the new file takes the place of the old one", async () => {
    const directory = temporaryDirectory();
    writeFileSync(`${directory}/x`, "old");
    await replaceFile(`${directory}/x`, "image", (fd) => {
      expect(readFileSync(`${directory}/x`, "utf8")).toBe("old");
      writeSync(fd, "new");
    });
    expect(readFileSync(`${directory}/x`, "utf8")).toBe("new");
    expect(statSync(`${directory}/x`).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["x"]);
  });
  test("what a killed run left is deleted, and what a running one writes is not", async () => {
    const directory = temporaryDirectory();
    const ended = Bun.spawnSync(["true"]).pid;
    for (const name of [`x.new-${ended}`, `x.new-${process.ppid}`, "x.new-old", `y.new-${ended}`])
      writeFileSync(`${directory}/${name}`, "half");
    await replaceFile(`${directory}/x`, "image", () => {});
    expect(readdirSync(directory).sort()).toEqual(
      ["x", "x.new-old", `x.new-${process.ppid}`, `y.new-${ended}`].sort(),
    );
  });
  test("a failure leaves the old file and nothing else", async () => {
    const directory = temporaryDirectory();
    writeFileSync(`${directory}/x`, "old");
    const failing = replaceFile(`${directory}/x`, "image", () => {
      throw new Error("no space");
    });
    await expect(failing).rejects.toThrow(`The image ${directory}/x can't be written: no space.`);
    expect(readdirSync(directory)).toEqual(["x"]);
  });
  test("of a symlink the file is replaced that it leads to", async () => {
    const directory = temporaryDirectory();
    mkdirSync(`${directory}/below`);
    writeFileSync(`${directory}/below/x`, "old");
    symlinkSync("below/x", `${directory}/link`);
    await replaceFile(`${directory}/link`, "image", (fd) => void writeSync(fd, "new"));
    expect(lstatSync(`${directory}/link`).isSymbolicLink()).toBe(true);
    expect(readFileSync(`${directory}/below/x`, "utf8")).toBe("new");
    expect(readdirSync(`${directory}/below`)).toEqual(["x"]);
  });
  test("what is no file is never replaced", async () => {
    const directory = temporaryDirectory();
    Bun.spawnSync(["mkfifo", `${directory}/pipe`]);
    mkdirSync(`${directory}/below`);
    symlinkSync("nowhere", `${directory}/link`);
    const before = readdirSync(directory);
    for (const [name, why] of [
      ["pipe", "it is no file but a device, a pipe or a socket. Name a file."],
      ["below", "it is a directory. Name a file in it."],
      ["link", "it is a symlink that leads nowhere. Delete it, or name another file."],
      ["none/x", `there is no directory ${directory}/none/. Make it first.`],
    ]) {
      const path = `${directory}/${name}`;
      const writing = replaceFile(path, "image", () => expect.unreachable());
      await expect(writing).rejects.toThrow(why?.split(". ")[0]);
      await expect(writing).rejects.toThrow(`The image ${path} can't be written: `);
    }
    expect(readdirSync(directory)).toEqual(before);
  });
});
