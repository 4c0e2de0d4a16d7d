import fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "./split-lines.ts";

test("text in chunks of any size becomes pieces of whole lines, counted, and nothing is lost", async () => {
  const line = fc.string({ unit: fc.constantFrom("a", "ü", "\t", "\\"), maxLength: 12 });
  await fc.assert(fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), fc.integer({ min: 1, max: 30 }), async (lines, sizes, bytesMax) => {
    const text = Buffer.from(lines.map((one) => `${one}\n`).join(""));
    const chunks = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0, n = 0; at < text.length; n++) {
        const size = sizes[n % sizes.length] as number;
        yield text.subarray(at, at + size);
        at += size;
      }
    };
    const pieces = await Array.fromAsync(splitLines(chunks(), bytesMax));
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(text);
    expect(pieces.every(({ bytes, rows }) => bytes.at(-1) === 10 && bytes.toString().split("\n").length - 1 === rows)).toBe(true);
  }));
});
