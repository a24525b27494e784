/**
 * What is spoken at /run/rdinit/ask, between process 1 and those who answer from elsewhere: `rdinit unlock`, a hook.
 *
 * The boot says lines: a word, and mostly a space and a sentence or a name. Whoever connects is told first how things
 * stand (ask, wait or failed), and then each change:
 *
 *     ask WORDS     a question is open
 *     trying        your answer was the first, and is being tried
 *     taken FROM    another's was: FROM is a terminal, or what a client calls itself
 *     ok WORDS      the answer was right
 *     wrong WORDS   it was not; when there is another try the question comes again
 *     closed        the question is withdrawn
 *     wait WORDS    nothing is asked now, and this is what the boot does
 *     failed WORDS  the boot has failed, and why
 *     end WORDS     nothing more will be asked; the connection ends
 *     shell         a shell is allowed
 *     refused WORDS what you sent is not taken, and why
 *
 * A client sends
 *
 *     answer N      and behind the line feed N bytes, whatever they are
 *     from NAME     what it calls itself, for the console: "SSH from 10.0.2.2"
 *     shell         a question: shell or refused comes back
 *     blank N       and N bytes that mean nothing: they overwrite, where the runtime receives, the answer before them
 */

import { text } from "../../lib/bytes.ts";
import { secretBuffer } from "./secret-buffer.ts";

/** The most that cryptsetup(8) reads as a key ("maximum keyfile size" of cryptsetup --help). */
export const largestAnswer_bytes = 8 << 20;

/** The words that the boot says. */
export const BOOT_WORDS = [
  "ask",
  "trying",
  "taken",
  "ok",
  "wrong",
  "closed",
  "wait",
  "failed",
  "end",
  "shell",
  "refused",
] as const;

export type BootWord = (typeof BOOT_WORDS)[number];

/** A line of the boot's. */
export interface BootLine {
  readonly word: BootWord;
  readonly rest: string;
}

/** As it goes over the socket: UTF-8, one line whatever is in `rest`. */
export function bootLine(word: BootWord, rest = ""): string {
  const words = rest.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return words === "" ? `${word}\n` : `${word} ${words}\n`;
}

/** Reads such a line, without its line feed; undefined for a word that is not known. */
export function readBootLine(line: string): BootLine | undefined {
  const [, first = "", rest = ""] = /^(\S*) ?(.*)$/s.exec(line) ?? [];
  const word = BOOT_WORDS.find((known) => known === first);
  return word === undefined ? undefined : { word, rest };
}

/** What a client sends. The bytes of an answer are in a buffer of their own, to be overwritten by who takes them. */
export type Request =
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "from"; readonly name: string }
  | { readonly kind: "shell" }
  /** Nothing behind it can be understood. */
  | { readonly kind: "nonsense"; readonly why: string };

/** The line in front of an answer of so many bytes. */
export function answerHeader(count: number): string {
  return `answer ${count}\n`;
}

/** What follows an answer of so many bytes once it was taken: as long, and of no meaning. */
export function blank(count: number): Uint8Array {
  const line = `blank ${count + answerHeader(count).length}\n`;
  return Buffer.concat([Buffer.from(line), new Uint8Array(count + answerHeader(count).length)]);
}

/** Takes what a client sends apart, in pieces as they come. */
export class RequestReader {
  private line = "";
  private body: { readonly bytes: Uint8Array; filled: number } | undefined;
  private passed = 0;
  private lost = false;

  /** The requests that these bytes complete. No view is made of them, which would leave a copy (secret-buffer.ts). */
  push(chunk: Uint8Array): Request[] {
    const requests: Request[] = [];
    for (const byte of chunk) {
      if (this.lost) break;
      const request = this.take(byte);
      if (request === undefined) continue;
      requests.push(request);
      this.lost = request.kind === "nonsense";
    }
    return requests;
  }

  /** Overwrites an answer that is not complete. */
  erase(): void {
    this.body?.bytes.fill(0);
    this.body = undefined;
  }

  private take(byte: number): Request | undefined {
    const { body } = this;
    if (body !== undefined) {
      body.bytes[body.filled++] = byte;
      return this.whole();
    }
    if (this.passed > 0) return void this.passed--;
    if (byte === LINE_FEED) return this.readLine();
    this.line += String.fromCharCode(byte);
    return this.line.length > longestLine ? TOO_LONG : undefined;
  }

  private whole(): Request | undefined {
    if (this.body === undefined || this.body.filled < this.body.bytes.length) return undefined;
    const { bytes } = this.body;
    this.body = undefined;
    return { kind: "answer", bytes };
  }

  private readLine(): Request | undefined {
    const line = this.line;
    this.line = "";
    if (line === "shell") return { kind: "shell" };
    const [, verb, rest = ""] = /^(answer|blank|from) (.*)$/s.exec(line) ?? [];
    if (verb === "from") return { kind: "from", name: text(rest) };
    if (/^\d{1,8}$/.test(rest)) {
      const count = Number(rest);
      if (verb === "blank") return void (this.passed = count);
      if (count > largestAnswer_bytes) return { kind: "nonsense", why: tooLarge() };
      this.body = { bytes: secretBuffer(count), filled: 0 };
      return this.whole();
    }
    return { kind: "nonsense", why: "this is no request: 'answer N', 'from NAME' and 'shell' are." };
  }
}

/** A sentence for an answer that can't be a key. */
export function tooLarge(): string {
  return `an answer has at most ${largestAnswer_bytes} bytes, as a key of cryptsetup has.`;
}

const LINE_FEED = 0x0a;
// Not with a secret in it: a client that sends the answer alone has made a mistake.
const longestLine = 200;
const TOO_LONG: Request = { kind: "nonsense", why: "no request is as long as this line." };
