import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { lookElsewhere } from "../../../../src/boot/netroot/elsewhere.ts";
import { readOptions } from "../../../../src/boot/cmdline/options.ts";

/** A network that has these, and is told to have others. */
function networkWith(...first: string[]) {
  let assets = first;
  let next = Promise.withResolvers<void>();
  return {
    view: { report: () => ["  eth0"], assets: () => assets, changed: () => next.promise },
    have(...others: string[]) {
      assets = others;
      const { resolve } = next;
      next = Promise.withResolvers();
      resolve();
    },
  };
}

function bootOf(line: string): Pick<Boot, "words" | "options"> {
  const words = parseCommandLine(line);
  return { words, options: readOptions(words).options };
}

async function valueOf<T>(promise: Promise<T>): Promise<T | "waits"> {
  return Promise.race([promise, Bun.sleep(1).then(() => "waits" as const)]);
}

test.each([
  ["root=nfs:10.0.0.1:/srv", "root=nfs:10.0.0.1:/srv", true],
  ["root=dhcp", "root=dhcp", true],
  ["root=LABEL=x netroot=nbd:server:disk", "netroot=nbd:server:disk", true],
  ["root=virtiofs:tag", "root=virtiofs:tag", false],
  ["root=/dev/vda1 ip=dhcp", undefined, false],
])("what leads to the root: %s", (line, root, byNetwork) => {
  expect(lookElsewhere(bootOf(line), networkWith().view)).toMatchObject({ root, byNetwork });
});

test("a gain is what was not there before, and what was lost and came again", async () => {
  const network = networkWith("carrier", "address");
  const { gained } = lookElsewhere(bootOf("root=dhcp"), network.view);
  const { signal } = new AbortController();
  const gain = gained(signal);
  expect(await valueOf(gain)).toBe("waits");
  network.have("carrier");
  expect(await valueOf(gain)).toBe("waits");
  network.have("carrier", "address");
  expect(await gain).toBe("address");
});

test("what came since the boot failed is a gain at once; an end of the wait is one", async () => {
  const network = networkWith();
  const { gained } = lookElsewhere(bootOf("root=dhcp"), network.view);
  network.have("carrier");
  const over = new AbortController();
  expect(await gained(over.signal)).toBe("carrier");
  const late = lookElsewhere(bootOf("root=dhcp"), network.view).gained(over.signal);
  over.abort();
  network.have("carrier", "address");
  expect(await late).toBe("");
});
