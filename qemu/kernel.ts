/**
 * The kernels that boot tests run.
 *
 *   bun qemu/kernel.ts stock      the distribution's, with its modules; looks for a newer one
 *   bun qemu/kernel.ts builtin    a small one with all drivers built in; minutes at the first time
 *
 * prints where it lies as JSON. Both are kept in the cache (qemu/host.ts) and need no root.
 */

import { describe } from "../src/lib/errors.ts";
import { builtinKernel } from "./builtin.ts";
import type { Kernel } from "./installed.ts";
import { stockKernel } from "./stock.ts";

export { builtinKernel, builtinKernelWith, genInitCpio } from "./builtin.ts";
export type { Kernel } from "./installed.ts";
export { stockKernel } from "./stock.ts";

if (import.meta.main) {
  const which = process.argv[2] ?? "";
  const fetchers: Readonly<Record<string, () => Promise<Kernel>>> = {
    stock: () => stockKernel(true),
    builtin: builtinKernel,
  };
  const fetchKernel = Object.hasOwn(fetchers, which) ? fetchers[which] : undefined;
  if (fetchKernel === undefined) {
    console.error("usage: bun qemu/kernel.ts stock|builtin");
    process.exit(2);
  }
  try {
    console.log(JSON.stringify(await fetchKernel(), null, 2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
