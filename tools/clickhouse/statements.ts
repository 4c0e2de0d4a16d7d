/** What a server does that the engine in a process does not, as far as Tributary asks for it. */

/** The ids in a `kill query where initial_query_id in (…) sync`, or its prefix; undefined for other statements. */
export function killedBy(sql: string): ((queryId: string) => boolean) | undefined {
  const [, condition = ""] = /^\s*kill\s+query\b.*?\bwhere\b(.*)$/is.exec(sql) ?? [];
  if (condition === "") return undefined;
  const [, prefix] = /startsWith\s*\(\s*initial_query_id\s*,\s*'([^']*)'\s*\)/i.exec(condition) ?? [];
  const ids = new Set([...(/initial_query_id\s+in\s*\(([^)]*)\)/i.exec(condition)?.[1] ?? "").matchAll(/'([^']*)'/g)].map(([, id = ""]) => id));
  return (queryId) => ids.has(queryId) || (prefix !== undefined && queryId.startsWith(prefix));
}

/**
 * A statement of a cluster for the one process that plays it: nobody else is told of it, and there is no Keeper by which copies
 * would follow. `Distributed` tables stay: the process is the one shard of its cluster.
 */
export function alone(sql: string): string {
  if (!/^\s*(create|alter|drop|delete)\b/i.test(sql)) return sql;
  return sql
    .replace(/\bon\s+cluster\s+('[^']*'|`[^`]*`|"[^"]*"|[\w{}]+)/i, "")
    .replace(/\bReplicated(\w*MergeTree)\s*\(\s*'[^']*'\s*,\s*'[^']*'\s*(?:,\s*)?/g, "$1(")
    .replace(/(,\s*|\bsettings\s+)replicated_deduplication_window = \d+, replicated_deduplication_window_seconds = \d+$/, "");
}

/** Settings that mean something only between replicas. */
export const ofReplicas = new Set(["insert_quorum", "insert_quorum_parallel", "insert_quorum_timeout", "select_sequential_consistency"]);

export const isRead = (sql: string): boolean => /^[\s(]*(select|with)\b/i.test(sql);

/** An insert whose rows lie in a file. */
export function fromFile(sql: string, file: string): string {
  const [, head, format] = /^([^]*?)\s+format\s+(\w+)\s*;?\s*$/i.exec(sql) ?? [];
  if (head === undefined) throw new Error("Code: 62. DB::Exception: Syntax error: an insert with rows in the body needs FORMAT at its end. (SYNTAX_ERROR)");
  return `${head} from infile '${file}' format ${format}`;
}
