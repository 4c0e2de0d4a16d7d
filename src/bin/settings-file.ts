import { parseDocument } from "yaml";

/** What a settings file says: dotted keys and their values as written, and what is wrong with it. */
interface FileValues {
  values: Map<string, string>;
  problems: string[];
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** STREAM prints its Kafka keys below `spring`; both spellings are one key. */
const keyOf = (parts: string[]): string => parts.join(".").replace(/^spring\.kafka\./, "kafka.");

function collect(into: FileValues, parts: string[], value: unknown): void {
  const key = keyOf(parts);
  if (value === null || value === undefined) return;
  if (isMapping(value)) {
    for (const [name, inner] of Object.entries(value)) collect(into, [...parts, name], inner);
  } else if (Array.isArray(value)) {
    into.problems.push(`${key} in tributary.yaml: found a list, expected one value`);
  } else if (into.values.has(key)) {
    into.problems.push(`${key} in tributary.yaml: given twice`);
  } else {
    into.values.set(key, String(value));
  }
}

/** Reads `tributary.yaml`: nested keys and dotted keys mean the same. Never throws. */
export function parseSettingsFile(yamlText: string): FileValues {
  const found: FileValues = { values: new Map(), problems: [] };
  const document = parseDocument(yamlText, { prettyErrors: true });
  if (document.errors.length > 0) {
    return { ...found, problems: document.errors.map((error) => `tributary.yaml is not valid YAML: ${error.message.split("\n")[0]}`) };
  }
  const content: unknown = document.toJS();
  if (content === null || content === undefined) return found;
  if (!isMapping(content)) return { ...found, problems: ["tributary.yaml: found one value, expected keys such as event-processor.window-size"] };
  collect(found, [], content);
  return found;
}
