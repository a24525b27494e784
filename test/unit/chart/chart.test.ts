import { describe, expect, test } from "bun:test";
import { layOut } from "../../../src/chart/layout.ts";
import { pack } from "../../../src/chart/pack.ts";
import type { BootRecord, Entry } from "../../../src/chart/record.ts";
import { fitting, lengthWords, placeOf, tickWords, ticksOf, widthOf } from "../../../src/chart/scale.ts";
import { totalsOf } from "../../../src/chart/totals.ts";
import { drawSvg, escape } from "../../../src/chart/svg.ts";
import { elements, parseXml } from "../../fixtures/svg.ts";

const RECORD: BootRecord = {
  format: "rdinit-timing",
  version: 1,
  kernel: "6.1.0",
  command_line: 'root=LABEL="a<b" quiet',
  outcome: "handing over to /sbin/init",
  init_us: 1_000_000,
  end_us: 2_000_000,
  left_out: 0,
  entries: [
    { lane: "step", name: "mounting the root", from_us: 1_200_000, to_us: 1_900_000 },
    { lane: "module", name: "jbd2", from_us: 1_300_000, to_us: 1_400_000 },
    { lane: "module", name: "ext4", asked_us: 1_300_000, from_us: 1_350_000, to_us: 1_500_000 },
    { lane: "device", name: "vda\\n", note: "was there", from_us: 1_250_000, to_us: 1_250_000 },
    { lane: "child", name: "fsck.ext4 -p /dev/vda", note: "status 1", from_us: 1_300_000, to_us: 1_350_000 },
    { lane: "wait", name: "the root", from_us: 1_200_000, to_us: 1_450_000 },
    { lane: "person", name: "Passphrase for vda2:", from_us: 1_600_000 },
  ],
};

const SCALE = { from_us: 0, to_us: 1_000_000, left: 0, right: 1000 };

describe("the axis", () => {
  test("has round times on it, as many as fit", () => {
    expect(ticksOf({ ...SCALE, to_us: 2_500_000 }, 16)).toEqual(
      Array.from({ length: 13 }, (_, at) => at * 200_000),
    );
    expect(ticksOf({ ...SCALE, from_us: 1_910_000, to_us: 2_530_000 }, 8)[0]).toBe(2_000_000);
    expect(ticksOf({ ...SCALE, to_us: 1 }, 16)).toEqual([0, 1]);
    expect(ticksOf({ ...SCALE, to_us: 8.64e12 }, 16).length).toBeLessThanOrEqual(16);
  });

  test("says them with the digits that they need", () => {
    expect([1_000_000, 200_000, 50_000, 10].map((step) => tickWords(1_200_000, step))).toEqual([
      "1 s",
      "1.2 s",
      "1.20 s",
      "1.20000 s",
    ]);
  });

  test("says lengths in three digits or so", () => {
    expect([3, 95, 9949, 9950, 45_300, 999_499, 999_500, 61_000_000].map(lengthWords)).toEqual([
      "0.00 ms",
      "0.1 ms",
      "9.9 ms",
      "10 ms",
      "45 ms",
      "999 ms",
      "1.00 s",
      "61.00 s",
    ]);
  });

  test("has a place for each time on it, and its ends for others", () => {
    expect([-5, 0, 250_000, 1_000_000, 9_000_000].map((time_us) => placeOf(SCALE, time_us))).toEqual([
      0, 0, 250, 1000, 1000,
    ]);
  });

  test("words that are too wide end in …", () => {
    expect(fitting("short", 11, 100)).toBe("short");
    const cut = fitting("a name that is far too long", 11, 80);
    expect(cut).toMatch(/^a name.*…$/);
    expect(widthOf(cut, 11)).toBeLessThanOrEqual(80);
  });
});

function bar(name: string, from_us: number, to_us: number): Entry {
  return { lane: "module", name, from_us, to_us };
}

describe("rows", () => {
  test("what follows each other stays in its row or goes down; what lies before is used when rows are full", () => {
    const { bars, rows } = pack(
      [
        bar("a", 0, 300_000),
        bar("b", 100_000, 400_000),
        bar("c", 500_000, 800_000),
        bar("d", 600_000, 900_000),
      ],
      SCALE,
      10,
    );
    expect(bars.map(({ label, row }) => [label, row])).toEqual([
      ["a 300 ms", 0],
      ["b 300 ms", 1],
      ["c 300 ms", 1],
      ["d 300 ms", 0],
    ]);
    expect(rows).toBe(2);
  });

  test("a label stands inside of its bar, or behind, or before it", () => {
    const { bars } = pack(
      [bar("in", 0, 400_000), bar("behind", 10_000, 11_000), bar("before", 990_000, 995_000)],
      SCALE,
      10,
    );
    expect(bars.map(({ place }) => place)).toEqual(["inside", "behind", "before"]);
  });

  test("of more than there is room for the shortest are left out", () => {
    const entries = Array.from({ length: 500 }, (_, at) => bar(`module ${at}`, 0, (at + 1) * 1000));
    const { bars, rows, left_out } = pack(entries, SCALE, 12);
    expect([bars.length, rows, left_out.length]).toEqual([12, 12, 488]);
    expect(Math.min(...bars.map(({ right }) => right))).toBeGreaterThan(480);
  });
});

describe("the picture", () => {
  test("times in which several were at it count once", () => {
    expect(totalsOf(RECORD, RECORD.end_us)).toEqual([
      { lane: "kernel", length_us: 1_000_000 },
      { lane: "step", length_us: 1_000_000 },
      { lane: "module", length_us: 200_000 },
      { lane: "child", length_us: 50_000 },
      { lane: "person", length_us: 400_000 },
      { lane: "wait", length_us: 250_000, idle_us: 100_000 },
    ]);
  });

  test("has a section for each lane that holds something, and a person's time apart", () => {
    const { sections, bands, title } = layOut(RECORD);
    expect(title).toBe("Linux 6.1.0: 2.00 s – handing over to /sbin/init");
    expect(sections.map((section) => section.title)).toEqual([
      "Kernel",
      "Steps",
      "Modules (2)",
      "Devices",
      "Children",
      "Waits",
      "Questions to a person",
    ]);
    expect(bands.map(({ lane }) => lane)).toEqual(["kernel", "person"]);
    expect(sections.at(-1)?.bars).toMatchObject([{ kind: "open", label: "Passphrase for vda2: 400 ms" }]);
    expect(sections[3]?.bars).toMatchObject([{ kind: "mark", label: "vda\\n (was there)" }]);
    expect(sections[2]?.bars[0]).toMatchObject({
      tip: "ext4\n1.3500 s to 1.5000 s: 150 ms, after 50 ms in the queue",
    });
    expect(sections[4]?.bars).toMatchObject([{ label: "fsck.ext4 -p /dev/vda 50 ms (status 1)" }]);
  });

  test("begins where it is told to", () => {
    const { bands, ticks, sections } = layOut(RECORD, 1_300_000);
    expect(bands.map(({ lane }) => lane)).toEqual(["person"]);
    expect(ticks[0]?.words).toBe("1.30 s");
    expect(sections.map(({ lane }) => lane)).toEqual(["step", "module", "child", "wait", "person"]);
  });

  test("of five hundred devices has a bounded height, and says what it leaves out", () => {
    const entries = Array.from({ length: 500 }, (_, at): Entry => {
      const from_us = 1_000_000 + at * 1000;
      return { lane: "device", name: `sd${at}`, note: "was there", from_us, to_us: from_us };
    });
    const { height, sections } = layOut({ ...RECORD, entries, left_out: 3 });
    expect(height).toBeLessThan(600);
    const [, devices] = sections;
    expect(devices?.title).toMatch(/^Devices \(500\), … and \d+ more that are not shown$/);
    expect(sections.at(-1)?.title).toBe("… and 3 more that the record had no room for");
  });

  test("holds every name escaped", () => {
    expect(escape(`<a href="x">&'\u0001\ud800</a>`)).toBe(
      "&#60;a href=&#34;x&#34;&#62;&#38;&#39;\ufffd\ufffd&#60;/a&#62;",
    );
    const texts = elements(parseXml(drawSvg(layOut(RECORD)))).map((element) => element.text);
    expect(texts).toContain('root=LABEL="a<b" quiet');
  });
});
