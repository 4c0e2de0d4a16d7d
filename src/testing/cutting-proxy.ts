import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A connection between two parties that can be cut where it hurts. */
export interface CuttingProxy {
  readonly port: number;
  /** Of so many answers to come nothing reaches who asked: the connection is cut when they begin. */
  swallow(answers: number): void;
  /** Whether none is left to be swallowed. */
  swallowed(): boolean;
  /** Cuts all connections on the side of who asks; what was sent goes its way. */
  cut(): void;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: () => number): Promise<CuttingProxy> {
  const clients = new Set<Socket>();
  const all = new Set<Socket>();
  let toSwallow = 0;
  const server = createServer((client) => {
    const upstream = connect(target(), "127.0.0.1");
    for (const socket of [client, upstream]) {
      all.add(socket);
      socket.on("error", () => undefined).on("close", () => all.delete(socket));
    }
    clients.add(client);
    client.on("close", () => clients.delete(client)).on("data", (bytes) => void upstream.write(bytes)).on("end", () => upstream.end());
    upstream.on("close", () => client.destroy()).on("data", (bytes) => {
      if (toSwallow > 0 && !client.destroyed) {
        toSwallow--;
        client.destroy();
      }
      if (!client.destroyed) client.write(bytes);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    swallow: (answers) => void (toSwallow = answers),
    swallowed: () => toSwallow === 0,
    cut: () => clients.forEach((client) => client.destroy()),
    async close() {
      for (const socket of all) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
