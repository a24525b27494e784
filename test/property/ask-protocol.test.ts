/** The protocol of the socket at which questions are answered: whatever is sent, in whatever pieces. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  BOOT_WORDS,
  RequestReader,
  answerHeader,
  blank,
  bootLine,
  readBootLine,
} from "../../src/boot/prompt/protocol.ts";

/** The bytes cut at these places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

test("answers come through byte for byte, however they are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), cuts, (answers, places) => {
      const sent = Buffer.concat(
        answers.flatMap((answer) => [
          Buffer.from(`shell\n${answerHeader(answer.length)}`),
          answer,
          blank(answer.length),
        ]),
      );
      const reader = new RequestReader();
      const got = pieces(sent, places).flatMap((piece) => reader.push(piece));
      expect(got.filter(({ kind }) => kind === "shell")).toHaveLength(answers.length);
      const bytes = got.flatMap((request) => (request.kind === "answer" ? [Buffer.from(request.bytes)] : []));
      expect(bytes).toEqual(answers.map((answer) => Buffer.from(answer)));
    }),
  );
});

test("any bytes are requests, or end in one refusal", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (chunks) => {
      const reader = new RequestReader();
      const got = chunks.flatMap((chunk) => reader.push(chunk));
      const refused = got.findIndex(({ kind }) => kind === "nonsense");
      if (refused >= 0) expect(refused).toBe(got.length - 1);
      reader.erase();
    }),
  );
});

test("what the boot says is one line, and is understood", () => {
  fc.assert(
    fc.property(fc.constantFrom(...BOOT_WORDS), fc.string({ unit: "grapheme" }), (word, rest) => {
      const line = bootLine(word, rest);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      const read = readBootLine(line.slice(0, -1));
      expect(read?.word).toBe(word);
      expect(read?.rest).toBe(rest.replace(/[\u0000-\u001f\u007f]+/g, " ").trim());
    }),
  );
  fc.assert(fc.property(fc.string(), (line) => void readBootLine(line)));
});
