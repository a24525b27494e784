/** Names of roots elsewhere: whatever they hold. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { describeNetRoot, parseNetRoot, parseRootPath } from "../../src/boot/netroot/forms.ts";
import { bracketed, cutHost, isIpv4, isIpv6 } from "../../src/boot/netroot/host.ts";
import { decodeAnswer, encodeQuestion } from "../../src/boot/netroot/dns-message.ts";
import { nbdArguments } from "../../src/boot/netroot/nbd-form.ts";
import { planNfs } from "../../src/boot/netroot/nfs-plan.ts";
import { netRootParameters } from "../../src/boot/netroot/parameters.ts";
import { readNetRootSettings } from "../../src/boot/netroot/settings.ts";

const iscsi = {
  group: undefined,
  login: { user: undefined, password: undefined, userIn: undefined, passwordIn: undefined },
};
const context = { type: undefined, nfsroot: undefined, iscsi };
const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
const piece = fc.constantFrom(
  ...[
    "nfs",
    "nfs4",
    "nbd",
    "iscsi",
    "virtiofs",
    "virtfs",
    "9p",
    "dhcp",
    ":",
    ":/",
    "/",
    "//",
    ",",
    "=",
    "%s",
    "[",
    "]",
  ],
  ...["@", "::1", "10.0.2.2", "server", "iqn.2009-06.x:y", "vers=3", "10809", "live", "/dev/nfs", "a"],
);
const written = fc.oneof(
  fc.string({ unit: byte, maxLength: 30 }),
  fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join("")),
);
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9](?:\.[a-z]{2,4})?$/);
const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const host = fc.oneof(name, ipv4, ipv6);
const path = fc.stringMatching(/^(?:\/[a-z0-9._-]{1,8}){1,4}$/).filter((one) => !one.startsWith("/dev/"));

test("anything is read, or refused by a sentence", () => {
  fc.assert(
    fc.property(
      written,
      fc.option(fc.constantFrom("nfs", "nfs4", "9p", "virtiofs", "ext4"), { nil: undefined }),
      (word, type) => {
        for (const root of [parseNetRoot(word, { ...context, type }), parseRootPath(word, iscsi)]) {
          if (typeof root === "string") expect(root).toMatch(/[.)]$/);
          if (typeof root !== "object") continue;
          expect(describeNetRoot(root)).not.toMatch(/[\0-\x1f]/);
          if (root.kind === "nfs" && root.path !== undefined) expect(root.path).toMatch(/^\//);
          if (root.kind === "nfs" || root.kind === "nbd" || root.kind === "iscsi")
            expect(root.server).not.toBe("");
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test("a server and a path come out as they went in, in every form", () => {
  fc.assert(
    fc.property(host, path, fc.constantFrom("", ",", ":"), (server, directory, separator) => {
      const options = separator === "" ? "" : "vers=3,soft";
      const place = `${bracketed(server)}:${directory}${separator}${options}`;
      const wanted = { kind: "nfs", mayBe3: true, server, path: directory, options };
      for (const word of [place, `nfs:${place}`])
        expect(parseNetRoot(word, context)).toEqual(wanted as never);
      expect(parseNetRoot(`nfs4:${place}`, context)).toEqual({ ...wanted, mayBe3: false } as never);
      if (separator !== ":")
        expect(parseNetRoot("/dev/nfs", { ...context, nfsroot: place })).toEqual(wanted as never);
    }),
  );
});

test("a host in brackets is what stood in them", () => {
  fc.assert(
    fc.property(host, written, (server, rest) => {
      expect(cutHost(`${bracketed(server)}:${rest}`)).toEqual({ host: server, rest });
    }),
  );
  fc.assert(fc.property(ipv4, (address) => isIpv4(address) && !isIpv6(address)));
  fc.assert(fc.property(ipv6, (address) => isIpv6(address) && !isIpv4(address)));
  fc.assert(fc.property(name, (one) => !isIpv4(one) && !isIpv6(one)));
});

test("an iSCSI disk comes out as it went in", () => {
  fc.assert(
    fc.property(
      host,
      fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      fc.nat({ max: 255 }),
      fc.stringMatching(/^[a-z0-9.:-]{1,20}$/),
      (server, port, lun, behind) => {
        const target = `iqn.2009-06.${behind}`;
        const disk = parseNetRoot(`iscsi:u:p@${bracketed(server)}::${port ?? ""}:${lun}:${target}`, context);
        expect(disk).toMatchObject({ server, port: port ?? 3260, lun, target });
      },
    ),
  );
});

test("no argument of nbd-client is empty or an option that nobody wrote", () => {
  fc.assert(
    fc.property(written, (word) => {
      const disk = parseNetRoot(`nbd:server:${word}`, context);
      if (typeof disk !== "object" || disk.kind !== "nbd") return;
      const argv = nbdArguments(disk, "10.0.2.2", "/dev/nbd0");
      expect(argv.slice(0, 1)).toEqual(["10.0.2.2"]);
      expect(argv.filter((one) => one.startsWith("-")).length).toBeLessThanOrEqual(4 + disk.client.length);
    }),
  );
});

test("any options of NFS make attempts that name one version and one address", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'verso=4.321,adlck"\\'), maxLength: 30 }),
      fc.boolean(),
      (options, mayBe3) => {
        const { attempts } = planNfs("10.0.2.2", options, mayBe3);
        expect(attempts.length).toBeGreaterThan(0);
        for (const { version, data } of attempts) {
          expect(data.startsWith(`vers=${version},`)).toBe(true);
          expect(data.endsWith("addr=10.0.2.2")).toBe(true);
        }
      },
    ),
  );
});

test("any words are read or told of", () => {
  const word = fc.record({
    name: fc.constantFrom(...netRootParameters.map(({ name: one }) => one), "rd.root", "rootfstype"),
    value: fc.option(written, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const { settings, complaints } = readNetRootSettings(words);
      for (const complaint of complaints) expect(complaint).toMatch(/ is ignored: .*\.$/s);
      expect(settings.root === undefined || settings.problem === undefined).toBe(true);
    }),
  );
});

test("whatever a name server sends is an answer or none", () => {
  const question = encodeQuestion(7, "server.test", 6) as Uint8Array;
  const start = Array.from(question, (value, at) => (at === 2 ? 0x81 : at === 7 ? 3 : value));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, isClose) => {
      const all = isClose ? Uint8Array.from([...start, ...bytes]) : bytes;
      for (const address of decodeAnswer(all, question)?.addresses ?? [])
        expect(isIpv4(address) || isIpv6(address)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
