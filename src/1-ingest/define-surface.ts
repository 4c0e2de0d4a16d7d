import type { Static, TObject } from "typebox";
import type { FieldError } from "../contracts/field-error.ts";
import type { Draft, Surface } from "../contracts/surface.ts";
import { createSchemaCheck } from "../core/check-schema.ts";

interface SurfaceDefinition<S extends TObject> extends Omit<Surface, "schema" | "translate"> {
  schema: S;
  /** Reads a row whose JSON types the schema has already checked. */
  read(row: Static<S>): Draft | FieldError[];
}

/** A surface from its schema and its reading. */
export function defineSurface<S extends TObject>(definition: SurfaceDefinition<S>): Surface {
  const { read, ...surface } = definition;
  const check = createSchemaCheck(definition.schema, "event");
  return { ...surface, translate: (row) => check(row) ?? read(row as Static<S>) };
}
