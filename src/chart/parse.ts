/** Reads the record of a boot, strictly: what is drawn from it is then whole. */

import { UserError } from "../lib/errors.ts";
import { type BootRecord, type Entry, LANES, type Lane, RECORD_FORMAT, RECORD_VERSION } from "./record.ts";

/** What bounds a chart: more than a boot writes (boot/timing/recorder.ts). */
const MOST_ENTRIES = 100_000;

/** A hundred days, up to which a double tells every microsecond. */
const LATEST_US = 100 * 86_400 * 1e6;

/**
 * The record that a text holds.
 * @param source what the text is, for sentences: the name of its file
 * @throws UserError for anything but a record of this version whose times make sense
 */
export function parseRecord(json: string, source: string): BootRecord {
  const refuse = (why: string): never => {
    throw new UserError(
      `${source} ${why}`,
      "A boot with rd.timing writes such a file, /run/rdinit/timing.json.",
    );
  };
  const root = parseJson(json);
  if (root === undefined) return refuse("is not JSON.");
  const head = new Fields(root, "it", refuse);
  if (head.object["format"] !== RECORD_FORMAT)
    refuse("is no record of a boot: its 'format' is not 'rdinit-timing'.");
  if (head.object["version"] !== RECORD_VERSION)
    refuse(`has a version other than ${RECORD_VERSION}, which this rdinit reads.`);
  const init_us = head.time("init_us");
  const end_us = head.time("end_us");
  if (init_us > end_us) refuse("is wrong: it ends before /init began.");
  const entries = head.object["entries"];
  if (!Array.isArray(entries)) return refuse("is wrong: 'entries' is no list.");
  if (entries.length > MOST_ENTRIES) refuse(`is too long: it has more than ${MOST_ENTRIES} entries.`);
  return {
    format: RECORD_FORMAT,
    version: RECORD_VERSION,
    kernel: head.words("kernel"),
    command_line: head.words("command_line"),
    outcome: head.words("outcome"),
    init_us,
    end_us,
    left_out: head.count("left_out"),
    entries: entries.map((entry: unknown, at) =>
      readEntry(new Fields(entry, `entry ${at + 1}`, refuse), end_us),
    ),
  };
}

function readEntry(fields: Fields, end_us: number): Entry {
  const from_us = fields.time("from_us");
  const asked_us = fields.optional("asked_us", () => fields.time("asked_us"));
  const to_us = fields.optional("to_us", () => fields.time("to_us"));
  const note = fields.optional("note", () => fields.words("note"));
  if ((asked_us ?? from_us) > from_us) fields.refuse("was asked for after it began.");
  if (from_us > (to_us ?? end_us) || (to_us ?? 0) > end_us)
    fields.refuse("ends before it begins, or after the record.");
  return {
    lane: fields.lane("lane"),
    name: fields.words("name"),
    ...(note === undefined ? {} : { note }),
    ...(asked_us === undefined ? {} : { asked_us }),
    from_us,
    ...(to_us === undefined ? {} : { to_us }),
  };
}

/** The fields of one object, each of the type that it must have. */
class Fields {
  readonly object: Readonly<Record<string, unknown>>;
  readonly refuse: (why: string) => never;

  constructor(value: unknown, what: string, refuse: (why: string) => never) {
    this.refuse = (why) => refuse(`is wrong: ${what} ${why}`);
    if (!isObject(value)) this.refuse("is no object.");
    this.object = isObject(value) ? value : {};
  }

  words(name: string): string {
    const value = this.object[name];
    return typeof value === "string" ? value : this.refuse(`has no text '${name}'.`);
  }

  count(name: string): number {
    const value = this.object[name];
    return typeof value === "number" && Number.isInteger(value) && value >= 0
      ? value
      : this.refuse(`has no number '${name}'.`);
  }

  time(name: string): number {
    const value = this.count(name);
    return value <= LATEST_US ? value : this.refuse(`has a '${name}' of more than a hundred days.`);
  }

  lane(name: string): Lane {
    const value = this.object[name];
    return (
      LANES.find((lane) => lane === value) ??
      this.refuse(`has a '${name}' that is none of ${LANES.join(", ")}.`)
    );
  }

  optional<T>(name: string, read: () => T): T | undefined {
    return Object.hasOwn(this.object, name) ? read() : undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
