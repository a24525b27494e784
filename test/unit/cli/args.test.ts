import { describe, expect, test } from "bun:test";
import { parseCall } from "../../../src/cli/args.ts";
import type { Command, Terminal } from "../../../src/cli/command.ts";

const terminal: Terminal = { out: () => {}, say: () => {}, progress: () => {} };

const command: Command = {
  name: "try",
  operands: "FILE [FILE]",
  operandCount: [1, 2],
  summary: "tries",
  options: [
    { name: "output", short: "o", value: "FILE", meaning: "" },
    { name: "verbose", short: "v", meaning: "" },
    { name: "drivers", value: "LIST", meaning: "" },
    { name: "cmdline", value: "WORDS", mayBeEmpty: true, meaning: "" },
  ],
  run: async () => 0,
};

function parse(...args: string[]) {
  return parseCall(command, args, terminal);
}

describe("parseCall", () => {
  test("options stand anywhere, long and short, with = or a space", () => {
    for (const args of [
      ["-o", "out", "in", "-v"],
      ["in", "--output=out", "--verbose"],
      ["--verbose", "--output", "out", "in"],
    ]) {
      const call = parse(...args);
      expect([call.operands, call.value("output"), call.has("verbose"), call.has("drivers")]).toEqual([
        ["in"],
        "out",
        true,
        false,
      ]);
    }
  });
  test("numbers stay words, empty operands stay, and -- ends the options", () => {
    expect(parse("007", "").operands).toEqual(["007", ""]);
    expect(parse("-o", "1e3", "--", "--verbose").value("output")).toBe("1e3");
    expect(parse("--", "--verbose").operands).toEqual(["--verbose"]);
    expect(parse("-").operands).toEqual(["-"]);
  });
  test("an empty value is one where it makes sense", () => {
    expect(parse("x", "--cmdline", "").value("cmdline")).toBe("");
    expect(parse("x", "--cmdline=").value("cmdline")).toBe("");
    expect(parse("x").value("cmdline")).toBeUndefined();
  });
  test("of an option given often, all and the last", () => {
    const call = parse("x", "-o", "a", "--output=b");
    expect(call.values("output")).toEqual(["a", "b"]);
    expect(parse("x", "--output=b", "-o", "a").value("output")).toBe("a");
    expect(parse("x", "--drivers", "a", "--drivers", "b").value("drivers")).toBe("b");
  });
  test("what is unknown, missing or too much is a sentence", () => {
    expect(() => parse("x", "--drivres", "y")).toThrow("'try' has no option --drivres.");
    expect(() => parse("x", "-z")).toThrow("'try' has no option -z.");
    expect(() => parse("x", "--output")).toThrow("--output needs a value: --output FILE.");
    expect(() => parse("x", "--output=")).toThrow("--output needs a value");
    expect(() => parse()).toThrow("'try' needs to be told more.");
    expect(() => parse("a", "b", "c")).toThrow("'try' has no use for 'c'.");
    expect(() => parse("x", "--__proto__=y")).toThrow("has no option");
  });
  test("a switch takes no value and has no opposite: neither may turn on what it was to turn off", () => {
    for (const word of ["--verbose=no", "--verbose=yes", "--verbose=", "-v=0"])
      expect(() => parse("x", word)).toThrow("--verbose takes no value.");
    for (const word of ["--no-verbose", "--no-output", "--no-verbose=1"])
      expect(() => parse("x", word)).toThrow(`'try' has no option ${word}.`);
    expect(parse("x", "--cmdline=--no-verbose", "--", "--verbose=no").operands).toEqual([
      "x",
      "--verbose=no",
    ]);
  });
  test("the nearest option is named", () => {
    try {
      parse("x", "--drivres", "y");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ remedy: "Did you mean --drivers?" });
    }
  });
});
