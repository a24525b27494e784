import { describe, expect, test } from "bun:test";
import { Qmp } from "../../../qemu/qmp.ts";

/** A client, what it has written, and QEMU's side of the line. */
function open(): { qmp: Qmp; written: Record<string, unknown>[]; say: (message: unknown) => void } {
  const written: Record<string, unknown>[] = [];
  const qmp = new Qmp((text) => written.push(JSON.parse(text) as Record<string, unknown>));
  return { qmp, written, say: (message) => qmp.feed(Buffer.from(`${JSON.stringify(message)}\r\n`)) };
}

/** As open(), with the greeting behind it. */
async function greeted(): Promise<ReturnType<typeof open>> {
  const line = open();
  line.say({ QMP: { version: {}, capabilities: [] } });
  await Promise.resolve();
  line.say({ return: {}, id: 1 });
  await Promise.resolve();
  expect(line.written.shift()).toMatchObject({ execute: "qmp_capabilities", id: 1 });
  return line;
}

describe("Qmp", () => {
  test("waits for the greeting before its first command", async () => {
    const { qmp, written, say } = open();
    const status = qmp.queryStatus();
    await Promise.resolve();
    expect(written).toEqual([]);
    say({ QMP: {} });
    await Bun.sleep(0);
    say({ return: {}, id: 1 });
    await Bun.sleep(0);
    expect(written.at(-1)).toMatchObject({ execute: "query-status", id: 2 });
    say({ return: { status: "running" }, id: 2 });
    expect(await status).toBe("running");
  });

  test("gives each command its own answer, whichever comes first", async () => {
    const { qmp, written, say } = await greeted();
    const answers = [qmp.execute("a", { x: 1 }), qmp.execute("b")];
    await Bun.sleep(0);
    expect(written.map((command) => command["execute"])).toEqual(["a", "b"]);
    say({ return: "second", id: 3 });
    say({ return: "first", id: 2 });
    expect(await Promise.all(answers)).toEqual(["first", "second"]);
  });

  test("turns a refusal into an error with QEMU's words", async () => {
    const { qmp, say } = await greeted();
    const answer = qmp.execute("device_add", {});
    await Bun.sleep(0);
    say({ error: { class: "GenericError", desc: "Bus 'none' not found" }, id: 2 });
    expect(answer).rejects.toThrow("QEMU refused: Bus 'none' not found");
  });

  test("finds the event that fits, in lines that come in pieces", async () => {
    const { qmp } = await greeted();
    const event = qmp.waitFor("DEVICE_DELETED", 1000, (data) => data["device"] === "b");
    const lines =
      '{"event":"DEVICE_DELETED","data":{"device":"a"}}\n{"event":"DEVICE_DELETED","data":{"device":"b"}}\n';
    qmp.feed(Buffer.from(lines.slice(0, 60)));
    qmp.feed(Buffer.from(lines.slice(60)));
    expect((await event).data).toEqual({ device: "b" });
    expect(qmp.events).toHaveLength(2);
  });

  test("lets nobody wait past the deadline, or past QEMU's end", async () => {
    const { qmp } = await greeted();
    expect(qmp.waitFor("SHUTDOWN", 5)).rejects.toThrow("QEMU sent no SHUTDOWN within 5 ms");
    const [event, answer] = [qmp.waitFor("SHUTDOWN", 1000), qmp.execute("quit")];
    await Bun.sleep(0);
    qmp.close();
    expect(event).rejects.toThrow("ended before it sent SHUTDOWN");
    expect(answer).rejects.toThrow("ended before it answered");
    expect(qmp.execute("quit")).rejects.toThrow("came too late");
    expect(qmp.waitFor("SHUTDOWN", 1000)).rejects.toThrow("ended before");
  });

  test("lets nobody wait for a QEMU that ended before it greeted", async () => {
    const { qmp, written } = open();
    const early = qmp.execute("quit").catch(String);
    qmp.close();
    const late = qmp.execute("quit").catch(String);
    const outcomes = Promise.all([early, late]);
    expect(await Promise.race([outcomes, Bun.sleep(1000)])).toEqual([
      "Error: QEMU ended before it greeted.",
      "Error: QEMU ended before it greeted.",
    ]);
    expect(written).toEqual([]);
  });
});
