import { describe, expect, test } from "bun:test";
import { planOpen, readAnswer } from "../../../../src/boot/storage/luks-command.ts";
import { parseLuksHeader, readLuksHeader } from "../../../../src/boot/storage/luks-header.ts";
import { lackOfMemory } from "../../../../src/boot/storage/luks-machine.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { luks1, luks2 } from "../../../fixtures/luks-headers.ts";

const JSON_HEADER = {
  keyslots: {
    0: {
      kdf: { type: "argon2id", memory: 1_048_576 },
      area: { encryption: "aes-xts-plain64" },
      af: { hash: "sha256" },
    },
    1: { kdf: { type: "pbkdf2", hash: "sha512" }, area: { encryption: "serpent-cbc-essiv:sha256" } },
  },
  segments: { 0: { encryption: "capi:xts(aes)-plain64", integrity: { type: "hmac(sha256)" } } },
  tokens: { 0: { type: "systemd-tpm2", "tpm2-pin": true }, 1: { type: 5 }, 2: { type: "systemd-fido2" } },
  digests: { 0: { hash: "sha256" } },
};

describe("a header", () => {
  test("of LUKS 1 tells its ciphers", () => {
    expect(parseLuksHeader(luks1(), new Uint8Array(0))).toEqual({
      version: 1,
      modules: ["crypto-aes", "crypto-cbc", "crypto-essiv", "crypto-sha256", "crypto-sha1"],
      memory_kib: 0,
      tokens: [],
      pins: [],
    });
  });

  test("of LUKS 2 tells memory and tokens too, read from a device", async () => {
    const { sys } = fakeKernel({ rootfs: { device: luks2(JSON.stringify(JSON_HEADER)) } });
    const header = await readLuksHeader(sys, "/device");
    expect({ ...header, modules: header?.modules.toSorted() }).toEqual({
      version: 2,
      modules: [
        ...["crypto-xts", "crypto-aes", "crypto-serpent", "crypto-cbc", "crypto-essiv", "crypto-sha256"],
        ...["crypto-sha512", "dm_integrity", "crypto-hmac"],
      ].toSorted(),
      memory_kib: 1_048_576,
      tokens: ["systemd-tpm2", "systemd-fido2"],
      pins: ["systemd-tpm2"],
    });
  });

  test("that is damaged tells nothing, and is no error", async () => {
    const { sys } = fakeKernel({
      rootfs: { a: luks2("{"), b: luks2("[1,2").slice(0, 4100), c: "", d: "LUKS" },
    });
    const nothing = { version: 2, modules: [], memory_kib: 0, tokens: [], pins: [] } as const;
    expect(await readLuksHeader(sys, "/a")).toEqual(nothing);
    expect(await readLuksHeader(sys, "/b")).toEqual(nothing);
    expect(await readLuksHeader(sys, "/c")).toBeUndefined();
    expect(await readLuksHeader(sys, "/d")).toBeUndefined();
  });
});

test("memory that is missing is told", () => {
  const { sys } = fakeKernel({
    rootfs: { proc: { meminfo: "MemFree: 1 kB\nMemAvailable:     307200 kB\n" } },
  });
  expect(lackOfMemory(sys, 1_048_576)).toBe(
    "takes up to 1024 MiB of memory to be opened, and 300 MiB is there",
  );
  expect(lackOfMemory(sys, 1000)).toBeUndefined();
  expect(lackOfMemory(fakeKernel({ rootfs: {} }).sys, 1_048_576)).toBeUndefined();
});

function answer(status: number, output = "") {
  return readAnswer({ end: { kind: "exited", status }, output });
}

describe("cryptsetup", () => {
  const volume = { node: "/dev/vda", name: "-root", flags: ["--allow-discards"], header: undefined };
  const common = [
    "cryptsetup",
    "open",
    "--type",
    "luks",
    "--batch-mode",
    "--disable-locks",
    "--allow-discards",
  ];

  test("is called without a secret", () => {
    const end = ["--", "/dev/vda", "-root"];
    expect(planOpen({ ...volume, key: { kind: "passphrase" } })).toEqual([
      ...common,
      "--key-file",
      "-",
      ...end,
    ]);
    expect(planOpen({ ...volume, header: "/h", key: { kind: "tokens" } })).toEqual([
      ...[...common, "--header", "/h", "--token-only"],
      ...end,
    ]);
    expect(
      planOpen({ ...volume, key: { kind: "file", path: "/k", flags: ["--keyfile-size", "1"] } }),
    ).toEqual([...[...common, "--key-file", "/k", "--keyfile-size", "1"], ...end]);
  });

  test("answers in numbers", () => {
    expect(answer(0)).toEqual({ kind: "opened" });
    expect(answer(2, "No key available with this passphrase.\n")).toEqual({ kind: "wrong key" });
    expect(answer(3, "Not enough available memory.\n")).toEqual({
      kind: "failed",
      why: "can't be opened: there is too little memory (it said: Not enough available memory)",
      said: "Not enough available memory",
    });
    expect(answer(9)).toEqual({ kind: "failed", why: "can't be opened: cryptsetup ended with status 9" });
    expect(readAnswer({ end: { kind: "killed", signal: "SIGKILL" }, output: "" })).toMatchObject({
      why: expect.stringContaining(
        "was killed by SIGKILL, as the kernel does it when there is no memory left",
      ),
    });
    expect(readAnswer({ end: { kind: "timed out" }, output: "" })).toEqual({
      kind: "failed",
      why: "can't be opened: cryptsetup took too long",
    });
  });
});
