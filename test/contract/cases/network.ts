/** The kernel's network: read by anybody, changed by root, who has one of his own (contract.test.ts). */

import {
  Rtnetlink,
  addAddress,
  addLink,
  addRoute,
  changeLink,
  readAddresses,
  readLinks,
  readRoutes,
  removeAddress,
  removeLink,
  removeRoute,
} from "../../../syscalls/rtnetlink/index.ts";
import type { Case } from "../contract.ts";

const notFaked = "it has no network";

export const networkCases: readonly Case[] = [
  {
    name: "links are read",
    notFaked,
    run(t) {
      const kernel = t.works("a conversation", () => new Rtnetlink(t.sys));
      const loopback = () => readLinks(kernel).find(({ type }) => type === "loopback");
      t.returns("the loopback", { name: "lo", mac: "00:00:00:00:00:00", kind: "" }, () => {
        const { name, mac, kind } = loopback() ?? {};
        return { name, mac, kind };
      });
      t.returns("addresses are of links", true, () => {
        const known = new Set(readLinks(kernel).map(({ index }) => index));
        return readAddresses(kernel).every(({ link }) => known.has(link));
      });
      t.works("routes", () => readRoutes(kernel));
      const noLink = 2 ** 30;
      t.fails("one that is not there", ["ENODEV", "EPERM"], () => changeLink(kernel, noLink, { isUp: true }));
      t.fails("its removal", ["ENODEV", "EPERM"], () => removeLink(kernel, noLink));
      kernel.close();
    },
  },
  {
    name: "links are changed",
    role: "root",
    notFaked,
    run(t) {
      const kernel = new Rtnetlink(t.sys);
      const loopback = () => readLinks(kernel).find(({ type }) => type === "loopback");
      const index = loopback()?.index ?? 0;
      changeLink(kernel, index, { isUp: false });
      t.returns("down", false, () => loopback()?.isUp);
      t.works("up", () => changeLink(kernel, index, { isUp: true, mtu: 9000 }));
      t.returns("as it is then", [true, true, true, 9000], () => {
        const { isUp, hasCarrier, isOperational, mtu } = loopback() ?? {};
        return [isUp, hasCarrier, isOperational, mtu];
      });
      t.fails("a name that can not be", "EINVAL", () => changeLink(kernel, index, { name: "lo/x" }));
      t.fails("a kind that there is not", "EOPNOTSUPP", () =>
        addLink(kernel, { kind: "nonesuch" as "bridge", name: "x0" }),
      );
      kernel.close();
    },
  },
  {
    name: "addresses and routes are changed",
    role: "root",
    notFaked,
    run(t) {
      const kernel = new Rtnetlink(t.sys);
      const link = readLinks(kernel).find(({ type }) => type === "loopback")?.index ?? 0;
      changeLink(kernel, link, { isUp: true });
      const address = Uint8Array.of(192, 0, 2, 7);
      const own = () => readAddresses(kernel).find(({ address: [first] }) => first === 192);
      t.works("an address", () => addAddress(kernel, { link, address, prefix: 24 }));
      t.works("again", () => addAddress(kernel, { link, address, prefix: 24 }));
      t.returns("as it is then", [[192, 0, 2, 7], 24, false, false, true], () => {
        const { address: bytes = [], prefix, isTentative, isDuplicate, isPermanent } = own() ?? {};
        return [[...bytes], prefix, isTentative, isDuplicate, isPermanent];
      });
      const away = Uint8Array.of(203, 0, 113, 0);
      const outside = Uint8Array.of(198, 51, 100, 1);
      const route = { link, destination: away, prefix: 24, gateway: outside, origin: "dhcp" } as const;
      t.fails("a gateway that nothing leads to", ["ENETUNREACH", "EINVAL"], () => addRoute(kernel, route));
      t.works("a route on the link", () =>
        addRoute(kernel, { link, destination: away, prefix: 24, origin: "static" }),
      );
      const ways = () => readRoutes(kernel).filter(({ destination }) => destination?.[0] === 203);
      t.returns("as it is then", [[4, [203, 0, 113, 0], 24, "other"]], () =>
        ways().map(({ family, destination = [], prefix, origin }) => [
          family,
          [...destination],
          prefix,
          origin,
        ]),
      );
      t.works("its end", () => ways().forEach((way) => removeRoute(kernel, way)));
      t.returns("none left", 0, () => ways().length);
      t.works("the end of the address", () => {
        const found = own();
        if (found !== undefined) removeAddress(kernel, found);
      });
      t.returns("gone", undefined, own);
      kernel.close();
    },
  },
];
