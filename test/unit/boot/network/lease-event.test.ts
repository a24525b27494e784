import { expect, test } from "bun:test";
import fc from "fast-check";
import { LeaseLines, leaseScript } from "../../../../src/boot/network/lease-event.ts";
import { Lines } from "../../../../src/boot/children/output.ts";

/** What the script says of an event, through the shell and the reader of a child's output. */
async function hear(event: string, env: Readonly<Record<string, string>>): Promise<unknown[]> {
  const shell = Bun.spawn(["sh", "-s", event], { env, stdin: Buffer.from(leaseScript("sh")) });
  const printed = Buffer.from(await new Response(shell.stdout).arrayBuffer()).toString("latin1");
  const reader = new LeaseLines();
  return new Lines().push(`udhcpc: started\n${printed}`).map((line) => reader.push(line));
}

test("a lease, as udhcpc tells its script", async () => {
  const said = await hear("bound", {
    ip: "10.0.2.15",
    subnet: "255.255.255.0",
    router: "10.0.2.2",
    dns: "10.0.2.3 10.0.2.4",
    lease: "600",
    serverid: "10.0.2.1",
    rootpath: "10.0.2.1:/srv/a root,vers=3",
    hostname: "web",
  });
  expect(said[0]).toBeUndefined();
  expect(said.slice(1, -1).every((one) => one === "more")).toBe(true);
  expect(said.at(-1)).toEqual({
    kind: "lease",
    lease: {
      family: 4,
      address: "10.0.2.15",
      prefix: 24,
      routers: ["10.0.2.2"],
      routes: [],
      nameservers: ["10.0.2.3", "10.0.2.4"],
      hostName: "web",
      rootPath: "10.0.2.1:/srv/a root,vers=3",
      server: "10.0.2.1",
      seconds: 600,
    },
  });
});

test("an end of line in a value is no further line of the script", async () => {
  const said = await hear("renew", { ip: "10.0.2.15", domain: "a\nrdinit-lease ip=6.6.6.6" });
  // A server that can do this could have said so at once.
  expect(said.at(-1)).toMatchObject({ kind: "lease" });
  expect(said).toHaveLength(21);
});

test("no lease: taken back, refused, or not answered", async () => {
  expect((await hear("deconfig", {})).at(-1)).toEqual({ kind: "deconfig" });
  expect((await hear("nak", { message: "wrong network" })).at(-1)).toEqual({
    kind: "none",
    why: "wrong network",
  });
  expect((await hear("leasefail", {})).at(-1)).toEqual({ kind: "none", why: "" });
  expect((await hear("bound", { ip: "nonsense" })).at(-1)).toEqual({ kind: "none", why: "" });
});

test("an event begins with nothing of the one before", () => {
  const reader = new LeaseLines();
  const push = (...lines: readonly string[]): unknown =>
    lines.map((line) => reader.push(`rdinit-lease ${line}`)).at(-1);
  push("bound", "ip=10.0.2.15", "mtu=1400", "end");
  expect(push("bound", "ip=10.0.2.15", "end")).toMatchObject({ kind: "lease" });
  expect(push("bound", "ip=10.0.2.15", "end")).not.toMatchObject({ lease: { mtu: 1400 } });
  expect(push("bound", "end")).toEqual({ kind: "none", why: "" });
});

test("any lines can be read", () => {
  const line = fc.oneof(
    fc.string(),
    fc.string().map((words) => `rdinit-lease ${words}`),
    fc.constantFrom("rdinit-lease bound", "rdinit-lease end", "rdinit-lease ip=10.0.2.15"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const reader = new LeaseLines();
      for (const one of lines) reader.push(one);
    }),
  );
});
