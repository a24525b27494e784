import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";
import { readVolumeOptions } from "../../../../src/boot/storage/luks-options.ts";
import {
  type LuksSettings,
  luksParameters,
  readLuksSettings,
} from "../../../../src/boot/storage/luks-settings.ts";
import {
  type Container,
  containersForRoot,
  describeWanted,
  isWantedBy,
  makeVolume,
  planWanted,
} from "../../../../src/boot/storage/luks-volumes.ts";
import { parseCrypttab } from "../../../../src/storage/crypttab.ts";

const ROOT = "2f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f";
const HOME = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const digits = ROOT.replaceAll("-", "");
const root: Container = { device: "vda2", node: "/dev/vda2", uuid: ROOT };
const home: Container = { device: "vdb", node: "/dev/vdb", uuid: HOME };

function optionsOf(list: string): ReturnType<typeof readVolumeOptions> {
  return readVolumeOptions(list, "x");
}

function read(line: string): ReturnType<typeof readLuksSettings> {
  return readLuksSettings(parseCommandLine(line));
}

function settings(line: string): LuksSettings {
  const result = read(line);
  expect(result.complaints).toEqual([]);
  return result.settings;
}

function volumeOf(line: string, container = root, crypttab = "") {
  const all = settings(line);
  const { wanted } = planWanted(all, parseCrypttab(crypttab).entries);
  const own = wanted.find((one) => one.device !== undefined || isWantedBy(one, container));
  const { volume, complaints } = makeVolume(container, all, own);
  expect(complaints).toEqual([]);
  return volume;
}

function keyOf(value: string) {
  return settings(`rd.luks.key=${value}`).keys[0];
}

function refOf(written: string) {
  const ref = parseDeviceRef(written);
  return typeof ref === "string" ? undefined : ref;
}

describe("the command line", () => {
  test("names volumes by their UUID or its beginning", () => {
    expect(settings(`rd.luks.uuid=luks-${ROOT} rd.luks.uuid=7A1B rd.luks.name=${HOME}=home`)).toMatchObject({
      uuids: [digits, "7a1b", HOME.replaceAll("-", "")],
      names: [{ value: "home" }],
    });
    expect(settings(`luks.uuid=${ROOT}`).uuids).toEqual([digits]);
  });

  test("switches all of it off, or crypttab alone", () => {
    expect(settings("").enabled).toBe(true);
    expect(settings("rd.luks=0").enabled).toBe(false);
    expect(settings("rd.luks=0 rd.luks").enabled).toBe(true);
    expect(settings("rd.luks.crypttab=no")).toMatchObject({ enabled: true, crypttab: false });
    expect(settings("rd.luks.timeout=30").timeout_ms).toBe(30_000);
    expect(settings("rd.luks.timeout=30 rd.luks.timeout=0").timeout_ms).toBeUndefined();
  });

  test("tells where keys are, in the forms of dracut and of systemd", () => {
    expect(keyOf("/key")).toEqual({ uuid: undefined, value: { path: "/key", device: undefined } });
    expect(keyOf(`${ROOT}=/key:LABEL=keys`)).toEqual({
      uuid: digits,
      value: { path: "/key", device: "LABEL=keys" },
    });
    expect(keyOf("/key:UUID=0badcafe-1234-4567-89ab-cdef01234567")?.value.device).toBe(
      "UUID=0badcafe-1234-4567-89ab-cdef01234567",
    );
    expect(keyOf(`/a:b:/dev/vdb:UUID=${ROOT}`)).toEqual({
      uuid: digits,
      value: { path: "/a:b", device: "/dev/vdb" },
    });
    expect(keyOf(`/key:LABEL=keys:luks-${ROOT}`)).toMatchObject({ uuid: digits });
  });

  test("is told what makes no sense in it", () => {
    const { settings: left, complaints } = read(
      "rd.luks.uuid=xyz rd.luks.name=root rd.luks.key=key rd.luks=maybe rd.luks.timeout=soon " +
        `rd.luks.name=${ROOT}=a/b rd.luks.data=/dev/vda rd.luks.header=none`,
    );
    expect(left).toEqual(settings(""));
    expect(complaints).toHaveLength(8);
    expect(complaints[0]).toBe(
      "rd.luks.uuid=xyz is ignored: it does not begin with a UUID. Usage: rd.luks.uuid=UUID.",
    );
  });

  test("is described", () => {
    expect(luksParameters.map(({ name }) => name)).toContain("rd.luks.key");
    for (const { name, usage } of luksParameters)
      expect(usage.replace("[", "").startsWith(`${name}=`)).toBe(true);
  });
});

describe("a volume", () => {
  test("passes discards when rd.luks.allow-discards says so, whatever its options are", () => {
    const flags = (line: string): readonly string[] =>
      volumeOf(`rd.luks.uuid=${ROOT} rd.luks.options=readonly ${line}`).options.flags;
    expect(flags("rd.luks.allow-discards")).toEqual(["--readonly", "--allow-discards"]);
    expect(flags(`rd.luks.allow-discards=luks-${ROOT}`)).toEqual(["--readonly", "--allow-discards"]);
    expect(flags("rd.luks.allow-discards=01234567")).toEqual(["--readonly"]);
  });

  test("has its times as systemd writes them", () => {
    expect(optionsOf("timeout=1min 30s,keyfile-timeout=500ms,token-timeout=infinity").options).toMatchObject({
      ...{ timeout_ms: 90_000, keyTimeout_ms: 500, tokenTimeout_ms: undefined },
    });
    expect(optionsOf("timeout=0,keyfile-timeout=infinity,token-timeout=2hours").options).toMatchObject({
      ...{ timeout_ms: undefined, keyTimeout_ms: 86_400_000, tokenTimeout_ms: 7_200_000 },
    });
    expect(optionsOf("timeout=soon,keyfile-timeout=").complaints).toHaveLength(2);
  });

  test("gets what is said for it before what is said for all, and crypttab's in between", () => {
    const line = `rd.luks.uuid=${ROOT} rd.luks.options=discard rd.luks.key=/all`;
    expect(volumeOf(line)).toMatchObject({ name: `luks-${ROOT}`, key: { path: "/all" } });
    expect(volumeOf(line).options.flags).toEqual(["--allow-discards"]);
    const crypttab = `vault UUID=${ROOT} /own read-only`;
    expect(volumeOf(line, root, crypttab)).toMatchObject({ name: "vault", key: { path: "/own" } });
    expect(volumeOf(line, root, crypttab).options.flags).toEqual(["--readonly"]);
    const own = volumeOf(`${line} rd.luks.options=${ROOT}=tries=1 rd.luks.name=${ROOT}=mine`, root, crypttab);
    expect(own).toMatchObject({ name: "mine", key: { path: "/own" }, options: { tries: 1, flags: [] } });
  });

  test("may have its header elsewhere", () => {
    const line =
      `rd.luks.uuid=${ROOT} rd.luks.data=${ROOT}=/dev/vdc ` +
      `rd.luks.options=${ROOT}=header=/header.img:LABEL=keys`;
    const bare: Container = { device: "vdc", node: "/dev/vdc", uuid: undefined };
    expect(volumeOf(line, bare)).toMatchObject({
      name: `luks-${ROOT}`,
      header: { path: "/header.img", device: "LABEL=keys" },
    });
    expect(volumeOf(`rd.luks.header=/h`, bare)).toMatchObject({ name: "luks-vdc", header: { path: "/h" } });
    expect(volumeOf("rd.luks.header=/h").header).toBeUndefined();
  });

  test("is chosen by the command line, else by crypttab, else for the root", () => {
    const crypttab = parseCrypttab(
      `a UUID=${ROOT}\nb /dev/vdb none noauto\nc /dev/vdc /dev/urandom swap\nd gibberish\ne LABEL=x none plain\n`,
    ).entries;
    const both = planWanted(settings(""), crypttab);
    expect(both.wanted.map(describeWanted)).toEqual([`LUKS ${ROOT} (a)`]);
    expect(both.complaints.map((words) => words.slice(0, 30))).toEqual([
      "c of crypttab is not opened: i",
      "d of crypttab is not opened: g",
      "e of crypttab is not opened: i",
    ]);
    const named = planWanted(settings(`rd.luks.uuid=${HOME}`), crypttab).wanted;
    expect([root, home].map((one) => named.some((wanted) => isWantedBy(wanted, one)))).toEqual([false, true]);

    expect(containersForRoot([root, home], refOf(`UUID=${HOME}`), false)).toEqual([home]);
    expect(containersForRoot([root, home], refOf("/dev/vda2"), false)).toEqual([root]);
    expect(containersForRoot([root, home], refOf("LABEL=rootfs"), false)).toEqual([root, home]);
    expect(containersForRoot([root, home], refOf("LABEL=rootfs"), true)).toEqual([]);
  });
});

describe("options", () => {
  test("become cryptsetup's, or what is done with the volume", () => {
    const list =
      "luks,discard,no-read-workqueue,no-write-workqueue,same-cpu-crypt,submit-from-crypt-cpus,read-only," +
      "tries=5,timeout=2min,keyfile-timeout=7s,keyfile-size=64,keyfile-offset=512,key-slot=1,x-initrd.attach";
    const { options, complaints } = readVolumeOptions(list, "a");
    expect(complaints).toEqual([]);
    expect(options).toMatchObject({
      tries: 5,
      timeout_ms: 120_000,
      keyTimeout_ms: 7000,
      keyFlags: ["--keyfile-size", "64", "--keyfile-offset", "512"],
    });
    expect(options.flags).toEqual([
      ...["--allow-discards", "--perf-no_read_workqueue", "--perf-no_write_workqueue"],
      ...["--perf-same_cpu_crypt", "--perf-submit_from_crypt_cpus", "--readonly", "--key-slot", "1"],
    ]);
  });

  test("that make no sense are left out, and told", () => {
    const { options, complaints } = readVolumeOptions(
      "tries=x,timeout=soon,keyfile-size=-1,header=none,constructor,keyscript=/run/me,quux=1",
      "a",
    );
    expect(options).toEqual(readVolumeOptions("", "a").options);
    expect(complaints).toHaveLength(7);
    expect(complaints.at(-1)).toBe("the option quux=1 of a is left out: rdinit does not know it.");
  });
});
