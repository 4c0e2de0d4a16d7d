import { connect, type Socket } from "node:net";

/** What a run of readers saw. Times in milliseconds. */
export interface Seen {
  answers: number;
  perSecond: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  /** Of the answers, on average. */
  bytes: number;
}

export interface Load {
  port: number;
  key: string;
  /** Path of request number i; with the text of the answer before it on the same connection, for cursors. */
  path(i: number, before: string): string;
  readers: number;
  forMs: number;
}

/** Readers on connections of their own, each asking again as soon as it was answered. An answer other than 200 ends the run with an error. */
export async function load({ port, key, path, readers, forMs }: Load): Promise<Seen> {
  const times: number[] = [];
  let bytes = 0;
  let number = 0;
  const began = performance.now();
  async function readAgainAndAgain(): Promise<void> {
    const connection = await openConnection(port, key);
    let before = "";
    while (performance.now() - began < forMs) {
      const sent = performance.now();
      before = await connection.get(path(number++, before));
      times.push(performance.now() - sent);
      bytes += before.length;
    }
    connection.close();
  }
  await Promise.all(Array.from({ length: readers }, readAgainAndAgain));
  return summary(times, bytes, performance.now() - began);
}

export function summary(times: number[], bytes: number, tookMs: number): Seen {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
  return {
    answers: times.length, perSecond: Math.round((times.length / tookMs) * 1000), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1),
    bytes: Math.round(bytes / Math.max(1, times.length)),
  };
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

interface Connection {
  /** The body of a 200. */
  get(path: string): Promise<string>;
  close(): void;
}

/** One keep-alive connection with the least that HTTP takes, so that the client costs little of what is measured. */
async function openConnection(port: number, key: string): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return {
    get(path) {
      const answer = readAnswer(socket);
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n\r\n`);
      return answer;
    },
    close: () => socket.destroy(),
  };
}

function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let head: string | undefined;
    let body: Buffer[] = [];
    let missing = 0;
    const end = (error?: Error): void => {
      socket.off("data", take).off("error", end).off("close", lost);
      if (error) reject(error);
      else if (head?.startsWith("HTTP/1.1 200")) resolve(Buffer.concat(body).toString());
      else reject(new Error(`answered ${head?.split("\r\n")[0]}: ${Buffer.concat(body).toString().slice(0, 300)}`));
    };
    const lost = (): void => end(new Error("the connection was closed"));
    const take = (chunk: Buffer): void => {
      body.push(chunk);
      missing -= chunk.length;
      if (head === undefined) {
        const all = Buffer.concat(body);
        const at = all.indexOf("\r\n\r\n");
        if (at < 0) return;
        head = all.toString("latin1", 0, at);
        body = [all.subarray(at + 4)];
        missing = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? NaN) - (all.length - at - 4);
      }
      if (missing <= 0) end();
    };
    socket.on("data", take).once("error", end).once("close", lost);
  });
}
