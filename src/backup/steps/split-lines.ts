export interface Lines {
  bytes: Buffer;
  rows: number;
}

const newline = 10;

/** Cuts text into pieces of whole lines, each of about `bytesMax`. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Lines> {
  let kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const end = size + bytes.length < bytesMax ? -1 : bytes.lastIndexOf(newline);
    if (end < 0) {
      kept.push(bytes);
      size += bytes.length;
      continue;
    }
    yield toLines([...kept, bytes.subarray(0, end + 1)]);
    kept = [bytes.subarray(end + 1)];
    size = bytes.length - end - 1;
  }
  if (size > 0) yield toLines(kept);
}

function toLines(pieces: Buffer[]): Lines {
  const bytes = Buffer.concat(pieces);
  let rows = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) rows++;
  return { bytes, rows };
}
