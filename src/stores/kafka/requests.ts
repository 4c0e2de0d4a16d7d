import { createAPI, produceV9, ProtocolError, Writer } from "@platformatic/kafka";
import type { Reader } from "@platformatic/kafka";

// The two requests that carry records, each for one partition and with the records as bytes. The versions are those of Kafka 2.7
// and later.

interface ProduceOne {
  topic: string;
  partition: number;
  batch: Buffer;
  /** How long the broker may wait for its replicas. */
  timeoutMs: number;
}

const acksOfAll = -1;

function writeProduce({ topic, partition, batch, timeoutMs }: ProduceOne): Writer {
  return Writer.create().appendString(null).appendInt16(acksOfAll).appendInt32(timeoutMs)
    .appendArray([topic], (w, name) => {
      w.appendString(name).appendArray([partition], (inner, index) => {
        inner.appendInt32(index).appendUnsignedVarInt(batch.length + 1).append(batch);
      });
    })
    .appendTaggedFields();
}

/** Brings one batch to its partition and answers once all replicas in sync have it. */
export const produceOne = createAPI<[ProduceOne], ReturnType<typeof produceV9.parseResponse>>(0, 9, writeProduce, produceV9.parseResponse);

interface FetchOne {
  topic: string;
  partition: number;
  offset: number;
  /** About: the first batch comes whole, however large. */
  bytesMax: number;
}

export interface Fetched {
  /** Zero when all is well. */
  errorCode: number;
  /** Offset after the last record that all replicas in sync have. */
  highWatermark: number;
  /** Offset of the oldest record. */
  logStart: number;
  /** Batches; the first may begin before the offset asked for, the last may be cut off. */
  bytes: Buffer;
}

function writeFetch({ topic, partition, offset, bytesMax }: FetchOne): Writer {
  return Writer.create()
    .appendInt32(-1).appendInt32(0).appendInt32(0).appendInt32(bytesMax).appendInt8(0)
    // No session: each request stands for itself.
    .appendInt32(0).appendInt32(-1)
    .appendArray([topic], (w, name) => {
      w.appendString(name).appendArray([partition], (inner, index) => {
        inner.appendInt32(index).appendInt32(-1).appendInt64(BigInt(offset)).appendInt32(-1).appendInt64(-1n).appendInt32(bytesMax);
      });
    })
    .appendArray([], () => undefined).appendString("").appendTaggedFields();
}

function readPartition(r: Reader): Fetched {
  r.skip(4);
  const errorCode = r.readInt16();
  const highWatermark = Number(r.readInt64());
  r.skip(8);
  const logStart = Number(r.readInt64());
  r.readNullableArray((inner) => inner.skip(16));
  r.skip(4);
  const size = Math.max(0, r.readUnsignedVarInt() - 1);
  const bytes = r.buffer.slice(r.position, r.position + size);
  r.skip(size);
  return { errorCode, highWatermark, logStart, bytes };
}

function readFetch(_correlationId: number, _apiKey: number, _apiVersion: number, reader: Reader): Fetched {
  reader.skip(4);
  const errorCode = reader.readInt16();
  if (errorCode !== 0) throw new ProtocolError(errorCode);
  reader.skip(4);
  const [partitions = []] = reader.readArray((r) => {
    r.readString();
    return r.readArray(readPartition);
  });
  const [fetched] = partitions;
  if (fetched === undefined) throw new Error("a fetch answered without its partition");
  return fetched;
}

/** What the partition holds from an offset on, at once. */
export const fetchOne = createAPI<[FetchOne], Fetched>(1, 12, writeFetch, readFetch);
