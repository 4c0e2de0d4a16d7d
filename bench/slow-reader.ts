import { connect, type Socket } from "node:net";
import { adminKey } from "./start-server.ts";

export interface SlowReader {
  /** Bytes taken so far, and answers that came to their end or were cut off by the server. */
  progress(): { bytes: number; answers: number };
  stop(): void;
}

const pauseMs = 1;

/** Asks for long pages of events, one after the other, and takes each answer byte by byte: about a kilobyte a second. */
export function startSlowReader(url: string): SlowReader {
  const { hostname, port } = new URL(url);
  const seen = { bytes: 0, answers: 0 };
  let stopped = false;
  let current: Socket | undefined;

  async function readOne(): Promise<void> {
    const socket: Socket = connect({
      host: hostname, port: Number(port),
      // One byte a system call: what is not taken stays with the kernel, and then with the server.
      onread: {
        buffer: Buffer.alloc(1),
        callback(count) {
          seen.bytes += count;
          setTimeout(() => socket.resume(), pauseMs);
          return false;
        },
      },
    });
    current = socket;
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => socket.destroy());
    socket.write(`GET /api/cdp/events?limit=1000 HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${adminKey}\r\nconnection: close\r\n\r\n`);
    await ended;
    seen.answers++;
  }
  void (async () => {
    while (!stopped) await readOne();
  })();
  return {
    progress: () => ({ ...seen }),
    stop() {
      stopped = true;
      current?.destroy();
    },
  };
}
