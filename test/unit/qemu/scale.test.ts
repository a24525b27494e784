import { describe, expect, test } from "bun:test";
import { harmlessModules } from "../../../qemu/scale/dimensions.ts";
import { manyDisks } from "../../../qemu/scale/disks.ts";
import { cost_ms, steeper } from "../../../qemu/scale/growth.ts";
import { type Panel, plot, ticks } from "../../../qemu/scale/plot.ts";
import { panelsOf, scaleCells } from "../../../qemu/scale/table.ts";
import { volumesRecipe } from "../../../qemu/scale/volumes.ts";

const points = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([x, seconds]) => ({ x, seconds }));

const curve = (name: string, last: number) => ({ name, points: points([4, 0.5], [512, last]) });

describe("growth", () => {
  test("a straight line is as steep at its end as before", () => {
    expect(steeper(points([4, 1.04], [64, 1.64], [512, 6.12]))).toBeCloseTo(1, 6);
    expect(cost_ms(points([4, 1.04], [64, 1.64], [512, 6.12]))).toBeCloseTo(10, 6);
  });

  test("a square is steeper, a curve that levels off is not", () => {
    expect(steeper(points([1, 1], [10, 100], [100, 10_000]))).toBeCloseTo(10, 6);
    expect(steeper(points([1, 1], [10, 2], [100, 2.5]))).toBeLessThan(0.1);
  });

  test("two points, or nothing that grows, tell nothing", () => {
    expect(steeper(points([1, 1], [2, 2]))).toBeUndefined();
    expect(steeper(points([1, 1], [2, 1], [3, 9]))).toBeUndefined();
    expect(scaleCells({ who: "x", points: points([1, 1], [2, 2]) })).toEqual([
      ...["x", "1.000", "2.000"],
      ...["1000.000", "-"],
    ]);
  });
});

describe("the picture", () => {
  test("ticks are round, begin at 0, and end at the most or above", () => {
    expect(ticks(512)).toEqual([0, 200, 400, 600]);
    expect(ticks(1000)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(ticks(0.31)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
    expect(ticks(100_000)).toEqual([0, 20_000, 40_000, 60_000, 80_000, 100_000]);
    for (let most = 0.013; most < 1e6; most *= 1.37) {
      const all = ticks(most);
      expect(all.at(-1)).toBeGreaterThanOrEqual(most * 0.999999);
      expect(all.length).toBeLessThanOrEqual(7);
      expect(all.length).toBeGreaterThanOrEqual(3);
    }
  });

  test("all points lie in their panel, and names stand apart", () => {
    const panel: Panel = {
      title: "a < b & c",
      unit: "disks",
      curves: [curve("one", 5), curve("two", 5.01), curve("three", 20)],
    };
    const svg = plot([panel, panel, panel]);
    expect(svg).toContain('viewBox="0 0 940 600"');
    expect(svg).toContain("a &lt; b &amp; c");
    for (const [, x, y] of svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)) {
      expect(Number(x)).toBeWithin(52, 351);
      expect(Number(y)).toBeWithin(40, 257);
    }
    const heights = [...svg.matchAll(/<text x="358" y="([\d.]+)"/g)].slice(0, 3).map(([, y]) => Number(y));
    const sorted = heights.toSorted((a, b) => a - b);
    expect(heights).toHaveLength(3);
    for (const [at, y] of sorted.entries())
      if (at > 0) expect(y - (sorted[at - 1] ?? 0)).toBeGreaterThanOrEqual(15);
  });

  test("is drawn from the record: what was not measured has no panel", () => {
    const panels = panelsOf({
      disks: {
        rdinit: [
          [4, 1],
          [64, 2],
        ],
      },
    });
    expect(panels.map(({ unit }) => unit)).toEqual(["disks"]);
    expect(panels[0]?.curves).toEqual([{ name: "rdinit", points: points([4, 1], [64, 2]) }]);
  });
});

test("each of many disks has a place of its own, and the file is the last", () => {
  const argv = manyDisks(300, "/a,b/root.img");
  const places = argv
    .filter((word) => word.startsWith("scsi-hd,"))
    .map((word) => /scsi-id=\d+,lun=\d+/.exec(word)?.[0]);
  expect(new Set(places).size).toBe(300);
  const drives = argv.filter((word) => word.startsWith("if=none,"));
  expect(drives.filter((word) => word.includes("null-co"))).toHaveLength(299);
  expect(drives.at(-1)).toEndWith("file=/a,,b/root.img");
});

test("modules that touch no device, as many as were asked for", () => {
  const order = [
    "kernel/lib/a.ko",
    "kernel/drivers/scsi/b.ko",
    "kernel/fs/nls/c-d.ko.xz",
    "kernel/lib/test_bpf.ko.xz",
    "kernel/lib/raid6/raid6_pq.ko",
    "kernel/net/e/f.ko",
    "",
  ];
  expect(harmlessModules(order.join("\n"), 10)).toEqual(["c-d", "a", "f"]);
  expect(harmlessModules(order.join("\n"), 2)).toEqual(["c-d", "a"]);
});

test("the script that makes many volumes is one, and has room for them", () => {
  const { script, disks } = volumesRecipe(1000, []);
  expect(Bun.spawnSync(["sh", "-n", "-c", script]).exitCode).toBe(0);
  expect(disks[0]?.size_mb).toBeGreaterThanOrEqual(64 + 8 + 1000 / 16);
});
