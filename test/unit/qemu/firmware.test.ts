import { describe, expect, test } from "bun:test";
import { ovmf } from "../../../qemu/firmware.ts";
import { machineArguments } from "../../../qemu/machine.ts";

describe("a machine with a firmware", () => {
  test("loads no kernel, reads the firmware's code and throws away what is written to its settings", () => {
    const argv = machineArguments({ name: "unit", firmware: ovmf() });
    expect(argv).not.toContain("-kernel");
    expect(argv).not.toContain("-append");
    expect(argv.filter((word) => word.startsWith("if=pflash"))).toEqual([
      "if=pflash,unit=0,format=raw,file=/usr/share/OVMF/OVMF_CODE_4M.fd,readonly=on",
      "if=pflash,unit=1,format=raw,file=/usr/share/OVMF/OVMF_VARS_4M.fd,snapshot=on",
    ]);
    expect(argv).toContain("q35");
  });

  test("keeps its settings from all but the firmware under Secure Boot", () => {
    const argv = machineArguments({ name: "unit", firmware: ovmf(true) });
    expect(argv).toContain("q35,smm=on");
    expect(argv).toContain("driver=cfi.pflash01,property=secure,value=on");
    expect(argv.join(" ")).toContain("OVMF_VARS_4M.snakeoil.fd");
  });
});
