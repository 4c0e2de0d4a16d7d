const slabBytes = 1_000_000;

/**
 * Copies records into shared memory, a megabyte at a time: an allocation for each would cost the garbage collector more than the
 * copy. What is read together is let go together; a record that is kept keeps its megabyte.
 */
export function createRecordKeeper(): (record: Uint8Array) => Uint8Array {
  let slab = Buffer.alloc(0);
  let used = 0;
  return function keep(record) {
    const { length } = record;
    if (length > slab.length - used) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, length));
      used = 0;
    }
    Buffer.prototype.copy.call(record, slab, used, 0, length);
    const kept = slab.subarray(used, used + length);
    used += length;
    return kept;
  };
}
