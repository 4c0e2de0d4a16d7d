const lengthBytes = 4;

/** Records one behind the other, each after its length (unsigned, 32-bit big-endian). */
export function frameRecords(records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(records.flatMap((record) => {
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32BE(record.length);
    return [length, record];
  }));
}

export function unframeRecords(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + lengthBytes;
    at = from + bytes.readUInt32BE(at);
    if (at > bytes.length) throw new RangeError("a record is cut off");
    records.push(bytes.subarray(from, at));
  }
  return records;
}
