/**
 * The numbers of DHCPv6: RFC 8415, RFC 3646 for nameservers, RFC 5908 and RFC 4075 for time servers, RFC 4704 for host
 * names.
 */

/** Types of messages. The first is 1. */
export const TYPES = [
  "solicit",
  "advertise",
  "request",
  "confirm",
  "renew",
  "rebind",
  "reply",
  "release",
  "decline",
  "reconfigure",
  "information-request",
] as const;

export const CLIENT_ID = 1;
export const SERVER_ID = 2;
export const ASSOCIATION = 3;
export const ADDRESS = 5;
export const REQUESTED = 6;
export const PREFERENCE = 7;
export const ELAPSED = 8;
export const STATUS = 13;
export const RAPID_COMMIT = 14;
export const HOST_NAME = 39;
/** In front of a host name: the server shall register its address. */
export const REGISTER = 1;
export const NTP_ADDRESS = 1;
