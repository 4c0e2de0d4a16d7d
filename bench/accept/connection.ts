import { once } from "node:events";
import { connect } from "node:net";

export interface Connection {
  /** Sends one request, waits for the whole answer and resolves with its status. One at a time. */
  send(body: Buffer): Promise<number>;
  close(): void;
}

const headEnd = "\r\n\r\n";

/** Status and full length of the answer in `bytes`, or undefined while its head is not there yet. */
function readHead(bytes: Buffer): { status: number; length: number } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  if (!Number.isSafeInteger(length)) throw new Error(`an answer without content-length: ${head}`);
  return { status: Number(head.slice(9, 12)), length: end + headEnd.length + length };
}

/**
 * A keep-alive connection that costs the generator as little as possible: no HTTP client, no pipelining, and of the answer
 * only status and length are read.
 */
export async function openConnection(port: number, path: string, key: string): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: `;
  let waiting: { resolve(status: number): void; reject(error: Error): void } | undefined;
  let answer: { status: number; length: number } | undefined;
  let start: Buffer = Buffer.alloc(0);
  let got = 0;

  socket.on("data", (chunk: Buffer) => {
    got += chunk.length;
    if (!answer) {
      start = Buffer.concat([start, chunk]);
      answer = readHead(start);
    }
    if (!answer || got < answer.length) return;
    const { status } = answer;
    const done = waiting;
    [answer, start, got, waiting] = [undefined, Buffer.alloc(0), 0, undefined];
    done?.resolve(status);
  });
  const fail = (error: Error): void => waiting?.reject(error);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));

  return {
    send: (body) => new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      socket.cork();
      socket.write(`${head}${body.length}${headEnd}`, "latin1");
      socket.write(body);
      socket.uncork();
    }),
    close: () => socket.destroy(),
  };
}
