import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
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
});
