/** Whatever a record holds, its picture is well-formed, and all of it is on the paper. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatRecord } from "../../src/boot/timing/save.ts";
import { layOut } from "../../src/chart/layout.ts";
import { LABEL_SIZE, pack } from "../../src/chart/pack.ts";
import { parseRecord } from "../../src/chart/parse.ts";
import { type BootRecord, type Entry, LANES } from "../../src/chart/record.ts";
import { widthOf } from "../../src/chart/scale.ts";
import { drawSvg } from "../../src/chart/svg.ts";
import { UserError } from "../../src/lib/errors.ts";
import { boxOf, elements, parseXml } from "../fixtures/svg.ts";

const words = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom("<", ">", "&", '"', "'", "]]>", "\0", "\ud800", "W", " "),
    maxLength: 300,
  }),
  fc.constantFrom("ext4", "mdadm --incremental /dev/vda2", "</svg>", "<!--", "&amp;", ""),
);

/** Times below this one, in any distance of each other. */
function timeUpTo(end_us: number): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min: 0, max: end_us }), fc.constantFrom(0, end_us));
}

function entryUpTo(end_us: number): fc.Arbitrary<Entry> {
  return fc
    .record({
      lane: fc.constantFrom(...LANES),
      name: words,
      note: fc.option(words),
      times: fc.tuple(timeUpTo(end_us), timeUpTo(end_us), timeUpTo(end_us)),
      queued: fc.boolean(),
      kind: fc.constantFrom("bar", "mark", "open"),
    })
    .map(({ lane, name, note, times, queued, kind }) => {
      const [asked_us = 0, from_us = 0, to_us = 0] = times.toSorted((a, b) => a - b);
      return {
        lane,
        name,
        ...(note === null ? {} : { note }),
        ...(queued ? { asked_us } : {}),
        from_us,
        ...(kind === "open" ? {} : { to_us: kind === "mark" ? from_us : to_us }),
      };
    });
}

const record: fc.Arbitrary<BootRecord> = fc
  .oneof(fc.integer({ min: 0, max: 10_000_000 }), fc.constantFrom(0, 1, 8.64e12))
  .chain((end_us) =>
    fc.record({
      format: fc.constant("rdinit-timing" as const),
      version: fc.constant(1 as const),
      kernel: words,
      command_line: fc.oneof(
        words,
        fc.array(words, { maxLength: 200 }).map((all) => all.join(" ")),
      ),
      outcome: words,
      init_us: timeUpTo(end_us),
      end_us: fc.constant(end_us),
      left_out: fc.constantFrom(0, 7),
      entries: fc.array(entryUpTo(end_us), { maxLength: 60 }),
    }),
  );

test("what is written is read back", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(parseRecord(formatRecord(one), "it")).toEqual(JSON.parse(JSON.stringify(one)));
    }),
  );
});

test("a picture is well-formed, all texts unharmed in it, and nothing is outside of the paper", () => {
  fc.assert(
    fc.property(record, fc.double({ min: 0, max: 1, noNaN: true }), (one, share) => {
      const chart = layOut(one, Math.floor(one.end_us * share * 0.99));
      const svg = parseXml(drawSvg(chart));
      expect(svg.attributes.get("viewBox")).toBe(`0 0 ${chart.width} ${chart.height}`);
      expect(svg.children[0]?.text).toBe(visible(chart.title));
      for (const element of elements(svg)) {
        const box = boxOf(element);
        if (box === undefined) continue;
        const sides = [box.left, box.top, chart.width - box.right, chart.height - box.bottom];
        // NaN would be false, too.
        if (!sides.every((side) => side >= -0.2))
          throw new Error(
            `outside: ${element.name} ${JSON.stringify([...element.attributes])} ${element.text}`,
          );
      }
    }),
  );
});

test("no bar or label lies on another, and what is not shown is told", () => {
  fc.assert(
    fc.property(
      fc.array(entryUpTo(1_000_000), { maxLength: 150 }),
      fc.integer({ min: 1, max: 20 }),
      (entries, most_rows) => {
        const { bars, rows, left_out } = pack(
          entries,
          { from_us: 0, to_us: 1_000_000, left: 20, right: 1000 },
          most_rows,
        );
        expect(rows).toBeLessThanOrEqual(most_rows);
        expect(bars.length + left_out.length).toBe(entries.length);
        const extents = bars.map(({ left, right, queue, label, label_at, place, row }) => {
          const first = place === "before" ? label_at - widthOf(label, LABEL_SIZE) : label_at;
          const last = first + widthOf(label, LABEL_SIZE);
          return { row, from: Math.min(left, queue ?? left, first), to: Math.max(right, last) };
        });
        for (const [at, a] of extents.entries())
          for (const b of extents.slice(at + 1))
            if (a.row === b.row && a.from < b.to && b.from < a.to) throw new Error("two lie on each other");
      },
    ),
  );
});

test("no text is taken for a record, or makes reading it fail otherwise than by a sentence", () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.nat({ max: 5 }), fc.string({ maxLength: 3 }), (one, at, count, put) => {
      const json = formatRecord(one);
      const place = at % json.length;
      try {
        parseRecord(json.slice(0, place) + put + json.slice(place + count), "it");
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
  );
});

/** As XML can hold it. */
function visible(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}
