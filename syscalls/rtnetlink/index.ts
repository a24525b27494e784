/** The kernel's network, on any Syscalls: rtnetlink(7). */

export { Rtnetlink } from "./conversation.ts";
export {
  type LinkAddress,
  type NewAddress,
  addAddress,
  parseAddress,
  readAddresses,
  removeAddress,
} from "./addresses.ts";
export {
  type Link,
  type LinkChange,
  type NewLink,
  addLink,
  changeLink,
  parseLink,
  readLinks,
  removeLink,
} from "./links.ts";
export { parseAttributes, parseMessages } from "./messages.ts";
export { NetworkMonitor } from "./monitor.ts";
export { type RouterOptions, parseRouterOptions } from "./router-options.ts";
export { type LinkRoute, type NewRoute, addRoute, parseRoute, readRoutes, removeRoute } from "./routes.ts";
