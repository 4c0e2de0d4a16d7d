import Fastify from "fastify";
import { connectPostgres } from "../../src/stores/postgres/pool.ts";
import { databaseOf } from "../../src/testing/server-process.ts";

/**
 * The floor of a profile read: one indexed read through the product's own pool, answered by a bare Fastify route. Started as a
 * process of its own on the database of a running server. Run: node bench/read/floor-server.ts DATA_DIR PORT
 */
const [dataDir = "", port = ""] = process.argv.slice(2);
const db = connectPostgres(databaseOf(dataDir));
const app = Fastify({ logger: false });
app.get<{ Params: { id: string } }>("/floor/:id", async (request) => {
  const [row] = await db.query("select * from profile_hot where tenant_id = $1 and profile_id = $2", [1, Number(request.params.id)]);
  return row;
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
process.stdout.write("ready\n");
