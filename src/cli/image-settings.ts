/** What `rdinit image` is to do: its options, and under them what rdinit.ini says. */

import { existsSync, readFileSync } from "node:fs";
import { bootWords, checkBootWords } from "../config/boot-section.ts";
import { type IniEntry, readIni, readSwitch } from "../config/ini-file.ts";
import { SELECTIONS, type ImageSettings } from "../image/settings.ts";
import { COMPRESSIONS, type ImageCompression } from "../image/write.ts";
import { hostPath } from "../image/root-tree.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { didYouMean } from "../lib/nearest.ts";
import type { Call } from "./command.ts";
import { IMAGE_OPTIONS, NOT_IN_CONFIG } from "./image-options.ts";

/**
 * Reads the settings. What an option says replaces what rdinit.ini says of the same.
 * @throws UserError for a file that can't be read, keys that do not exist, and values that make no sense
 */
export function readSettings(call: Call): ImageSettings {
  const rootOption = call.value("root");
  const entries = readConfig(call.value("config"), rootOption ?? "/");
  const image = entries.filter(({ section }) => section === "image");
  const boot = entries.filter(({ section }) => section === "boot");
  refuseUnknown(entries);

  const values = (name: string): string[] => {
    const given = call.values(name);
    return given.length > 0 ? [...given] : image.filter(({ key }) => key === name).map(valueOf);
  };
  const value = (name: string) => values(name).at(-1);
  const isOn = (name: string) => call.has(name) || isYes(image.findLast(({ key }) => key === name));

  for (const name of ["authorized-keys", "ssh-host-keys"])
    if (call.has(name) && !isOn("ssh"))
      throw new UserError(`--${name} is for remote unlock, which was not asked for.`, "Say --ssh, too.");
  const root = value("root") ?? "/";
  // Scripts among the tools bring a /bin/sh, which is not for people then.
  const shell = isOn("without-shell") ? ["rd.shell=0"] : [];
  const exitrd = isOn("exitrd") ? ["rd.exitrd"] : [];
  const words = [...shell, ...exitrd, ...bootWords(boot), ...values("cmdline")].join(" ");
  checkBootWords(words, "--cmdline");
  return {
    root,
    kernel: value("kernel"),
    modules: value("modules"),
    selection: readSelection(call, image, root),
    drivers: list(values("drivers")).filter((name) => name !== "none"),
    network: isOn("network") || isOn("ssh"),
    ssh: isOn("ssh"),
    authorizedKeys: values("authorized-keys"),
    hostKeys: values("ssh-host-keys"),
    keyFiles: isOn("key-files"),
    tools: list(values("tools")),
    includes: values("include"),
    bootWords: words,
    microcode: oneOf("microcode", value("microcode") ?? "none", ["host", "all", "none"]),
    shell: !isOn("without-shell"),
    init: value("init"),
    compression: oneOf("compress", value("compress") ?? DEFAULT_COMPRESSION, COMPRESSION_NAMES),
    level: readLevel(value("level")),
  };
}

const DEFAULT_COMPRESSION: ImageCompression = "none";
const COMPRESSION_NAMES = Object.keys(COMPRESSIONS) as readonly ImageCompression[];
const CONFIG = "etc/rdinit.ini";
const SECTIONS: ReadonlySet<string> = new Set(["image", "boot"]);

function readConfig(file: string | undefined, root: string): IniEntry[] {
  const path = file ?? `${root.replace(/\/+$/, "")}/${CONFIG}`;
  if (file === undefined && !existsSync(hostPath(path))) return [];
  try {
    return readIni(fromBytes(readFileSync(hostPath(path))), path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`The configuration ${text(path)} can't be read: ${describe(error)}.`);
  }
}

function refuseUnknown(entries: readonly IniEntry[]): void {
  const keys = IMAGE_OPTIONS.map(({ name }) => name).filter((name) => !NOT_IN_CONFIG.includes(name));
  for (const { section, key, place } of entries) {
    if (!SECTIONS.has(section))
      throw new UserError(
        `${place}: ${section === "" ? "a key stands above the first section" : `there is no section [${text(section)}]`}.`,
        "The sections are [image] and [boot].",
      );
    if (section === "image" && !keys.includes(key))
      throw new UserError(
        `${place}: [image] has no key ${text(key)}.`,
        didYouMean(key, keys, `Its keys are the long options of rdinit image: ${keys.join(", ")}.`),
      );
  }
}

function valueOf({ key, value, place }: IniEntry): string {
  if (value === undefined || value === "") throw new UserError(`${place}: ${text(key)} needs a value.`);
  return value;
}

function isYes(entry: IniEntry | undefined): boolean {
  return entry !== undefined && readSwitch(entry);
}

// The options choose among themselves before rdinit.ini is asked.
function readSelection(call: Call, image: readonly IniEntry[], root: string): ImageSettings["selection"] {
  const given = SELECTIONS.filter((name) => call.has(name));
  const written = SELECTIONS.filter((name) => {
    const entry = image.findLast(({ key }) => key === name);
    return name === "drivers" ? entry !== undefined : isYes(entry);
  });
  const chosen = given.length > 0 ? given : written;
  if (chosen.length > 1)
    throw new UserError(
      `${chosen.map((name) => `--${name}`).join(" and ")} exclude each other.`,
      "Each says which kernel modules go in: choose one.",
    );
  return chosen[0] ?? (root === "/" ? "host" : "generic");
}

function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new UserError(`--${option} is one of ${choices.join(", ")}, not '${text(value)}'.`);
}

function readLevel(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,2}$/.test(value)) throw new UserError(`--level is a number, not '${text(value)}'.`);
  return Number(value);
}

function list(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(/[\s,]+/)).filter((name) => name !== "");
}
