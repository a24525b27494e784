/** Which processors a machine has, by /proc/cpuinfo (arch/x86/kernel/cpu/proc.c). */

/** A processor as microcode names it. */
export interface Processor {
  /** "GenuineIntel", "AuthenticAMD" and others. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  /** The three in one number, as CPUID leaf 1 returns them in EAX. */
  readonly signature: number;
}

/** What /proc/cpuinfo says of all processors together. */
export interface ProcessorInfo {
  /** Each kind once. */
  readonly processors: readonly Processor[];
  /** True in a virtual machine, where the host's kernel loads microcode. */
  readonly isVirtual: boolean;
}

/** Reads the text of /proc/cpuinfo; what is no x86 processor is left out. */
export function parseCpuinfo(cpuinfo: string): ProcessorInfo {
  const kinds = new Map<string, Processor>();
  let isVirtual = false;
  for (const block of cpuinfo.split(/\n[ \t]*\n/)) {
    const value = (key: string) => new RegExp(`^${key}[ \\t]*:[ \\t]*(.*)$`, "m").exec(block)?.[1] ?? "";
    const [family, model, stepping] = [value("cpu family"), value("model"), value("stepping")].map(
      smallNumber,
    );
    isVirtual ||= value("flags").split(" ").includes("hypervisor");
    if (family === undefined || model === undefined || stepping === undefined) continue;
    const processor = { vendor: value("vendor_id"), family, model, stepping };
    kinds.set(Object.values(processor).join(" "), { ...processor, signature: signatureOf(processor) });
  }
  return { processors: [...kinds.values()], isVirtual };
}

function smallNumber(digits: string): number | undefined {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : undefined;
}

// Families above 15 and models above 15 go on in fields of their own (Intel SDM, CPUID).
function signatureOf({ family, model, stepping }: Omit<Processor, "vendor" | "signature">): number {
  const [base, extended] = family < 15 ? [family, 0] : [15, family - 15];
  return (extended << 20) | ((model >> 4) << 16) | (base << 8) | ((model & 15) << 4) | stepping;
}
