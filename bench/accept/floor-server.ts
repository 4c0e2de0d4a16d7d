import Fastify from "fastify";
import { open } from "lmdb";

/**
 * The floor: a Fastify route that parses and puts into LMDB, answered once it is flushed, and nothing else: no key, no check,
 * no translation, no time. Takes one event or `{"events":[…]}` and answers with a count.
 * Run: node floor-server.ts <directory> <port>
 */
const [dir = "", port = "0"] = process.argv.slice(2);
const db = open<Buffer, number>({ path: dir, encoding: "binary", noSubdir: false, mapSize: 16_000_000_000 });
const app = Fastify({ bodyLimit: 5 * 1024 * 1024 });
let next = 1;

const put = (event: unknown): Promise<boolean> => db.put(next++, Buffer.from(JSON.stringify(event)));

app.post("/event", async (request, reply) => {
  void put(request.body);
  await db.flushed;
  reply.code(202);
  return { accepted: 1 };
});
app.post<{ Body: { events: unknown[] } }>("/batch", async (request, reply) => {
  const { events } = request.body;
  void db.batch(() => {
    for (const event of events) void put(event);
  });
  await db.flushed;
  reply.code(202);
  return { accepted: events.length };
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
process.once("SIGTERM", () => process.exit());
