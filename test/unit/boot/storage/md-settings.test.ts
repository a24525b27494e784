import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readMdSettings } from "../../../../src/boot/storage/md-settings.ts";

const UUID = "6a1c0de5-11aa-22bb-33cc-44dd55ee66ff";

function read(line: string) {
  return readMdSettings(parseCommandLine(line));
}

const timeout = (line: string) => read(line).settings.timeout_ms;

describe("parameters of arrays", () => {
  test("without any, whatever appears is put together", () => {
    const settings = { enabled: true, uuids: [], conf: true, timeout_ms: 30_000, optional: [] };
    expect(read("root=/dev/md0 quiet rd.lvm=0")).toEqual({ settings, complaints: [] });
  });

  test("a UUID in any spelling, as often as it is given", () => {
    for (const spelling of [UUID, UUID.replaceAll("-", ""), "6A1C0DE5:11aa22bb:33cc44dd:55ee66ff"])
      expect(read(`rd.md.uuid=${spelling} rd_md.uuid=x`).settings.uuids).toEqual([UUID]);
    const other = "00000000-0000-0000-0000-000000000001";
    expect(read(`rd.md.uuid=${UUID} rd.md.uuid=${other},${UUID}`).settings.uuids).toEqual([UUID, other]);
    expect(read(`rd.md.optional=${UUID},${other}`).settings.optional).toEqual([UUID, other]);
  });

  test("switches and the timeout; the last one counts", () => {
    expect(read("rd.md=0").settings.enabled).toBe(false);
    expect(read("rd.md=0 rd.md").settings.enabled).toBe(true);
    expect(read("rd.md.conf=no").settings.conf).toBe(false);
    expect(read("rd.md.timeout=2.5").settings.timeout_ms).toBe(2500);
    expect(read("rd.md.timeout=0").settings.timeout_ms).toBeUndefined();
    expect(read("rd.md.timeout=999999999").settings.timeout_ms).toBe(86_400_000);
  });

  test("what makes no sense is told and left out", () => {
    expect(read("rd.md=perhaps rd.md.uuid=sda rd.md.timeout=-1 rd.md.optional").complaints).toEqual([
      "rd.md=perhaps is ignored: it is neither 0 nor 1. Usage: rd.md=0|1.",
      "rd.md.uuid=sda is ignored: it is not the UUID of an array. Usage: rd.md.uuid=UUID.",
      "rd.md.timeout=-1 is ignored: it is not a number of seconds. Usage: rd.md.timeout=SECONDS.",
      "rd.md.optional is ignored: it is not the UUID of an array. Usage: rd.md.optional=UUID[,UUID].",
    ]);
    expect(read(`rd.md.uuid=${UUID},x`).settings.uuids).toEqual([]);
  });
});

test("without rd.md.timeout=, missing members have two thirds of rd.retry=", () => {
  expect([timeout(""), timeout("rd.retry=180"), timeout("rd.retry=10")]).toEqual([30_000, 120_000, 6667]);
  expect(timeout("rd.md.timeout=5 rd.retry=180")).toBe(5000);
  expect([timeout("rd.retry=0"), timeout("rd.retry=soon"), timeout("rd.retry")]).toEqual([
    30_000, 30_000, 30_000,
  ]);
});
