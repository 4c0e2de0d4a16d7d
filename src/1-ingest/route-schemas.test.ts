import { expect, test } from "vitest";
import { createSchemaCheck } from "../core/check-schema.ts";
import { batchRouteSchema, eventRouteSchema, streamRouteSchema } from "./route-schemas.ts";
import aura from "./surfaces/aura.ts";
import stratum from "./surfaces/stratum.ts";
import stream from "./surfaces/stream.ts";

test.each([
  ["/cdp/ingest", streamRouteSchema(stream)],
  ["/api/cdp/events", eventRouteSchema([stratum, aura])],
  ["/api/cdp/events/batch", batchRouteSchema([stratum, aura], 1000)],
])("the documented examples of %s are what its schema describes", (_route, { body }) => {
  const check = createSchemaCheck(body, "body");
  const examples = (body as { examples?: unknown[] }).examples ?? [];
  expect(examples.map((example) => check(example))).toEqual(examples.map(() => undefined));
  expect(examples.length).toBeGreaterThan(0);
});
