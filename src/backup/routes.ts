import type { Readable } from "node:stream";
import Type, { type Static } from "typebox";
import type { Base } from "../contracts/backup.ts";
import type { Routes } from "../contracts/http.ts";

const Mark = Type.Object({
  partition: Type.Integer({ minimum: 0 }),
  lowWater: Type.Integer({ minimum: 1 }),
  doneAbove: Type.String({ pattern: "^[A-Za-z0-9+/]*={0,2}$", description: "base64" }),
});

const Request = Type.Object({
  base: Type.Optional(Type.Object(
    { id: Type.String({ minLength: 1, maxLength: 100 }), place: Type.String({ minLength: 1, maxLength: 100 }), marks: Type.Array(Mark) },
    { description: "An earlier backup, by `id`, `place` and `marks` of its manifest: of history the answer then holds only what came after it." },
  )),
});

/** `begin` resolves once the backup is under way. */
export function createRoutes(begin: (base: Base | undefined) => Promise<Readable>): Routes {
  return function backupRoutes(app) {
    app.post<{ Body: Static<typeof Request> }>("/api/cdp/backup", {
      config: { access: "admin" },
      schema: {
        tags: ["Service"],
        summary: "A backup, as a tar archive",
        description: "What `npx tributary backup` stores. An archive whose last entry is not `manifest.json` is not finished and worth nothing; `error.json` says why.",
        produces: ["application/x-tar"],
        body: Request,
        response: { 200: Type.Unsafe<Readable>({ type: "string", description: "The archive" }) },
      },
    }, async ({ body: { base } }, reply) => {
      const stream = await begin(base);
      return reply.type("application/x-tar").header("cache-control", "no-store").send(stream);
    });
  };
}
