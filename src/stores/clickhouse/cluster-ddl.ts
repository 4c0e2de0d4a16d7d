import { quoted } from "./quoted.ts";

/** A cluster of ClickHouse and how its servers name themselves. */
export interface Cluster {
  name: string;
  /** Path of a table in Keeper; `{shard}`, `{database}` and `{table}` stand for what they say. */
  replicaPath: string;
  /** Name of a replica among those of its shard. */
  replicaName: string;
}

export const defaultReplicaPath = "/clickhouse/tables/{shard}/{database}/{table}";
export const defaultReplicaName = "{replica}";

/** Longer than anybody tries to bring a batch into history. */
const deduplicationSeconds = 7 * 86_400;
/** The most inserts that are remembered for that time: more than one a second. */
const deduplicationInserts = 1_000_000;

/**
 * A statement of a migration in the form for a cluster. Each table becomes a replicated one of its rows' shard, `NAME_local`, and
 * one over all shards under its own name, that is read and inserted into. Rows are sharded by the first two columns of their
 * order (tenant and identity, or tenant and event): those that replace one another lie together. Throws on what it does not know.
 */
export function clusterForm(statement: string, cluster: Cluster, database: string): string[] {
  const create = /^create\s+table\s+if\s+not\s+exists\s+(\w+)\s*\(([^]*)\)\s*engine\s*=\s*(\w*MergeTree)\s*(?:\(([^)]*)\))?\s+([^]*)$/i.exec(statement);
  if (create) return createForms(create, cluster, database);
  const alter = /^alter\s+table\s+(\w+)\s+([^]*)$/i.exec(statement);
  if (alter) return alterForms(alter, cluster, database);
  throw new Error(`There is no form of this statement for a cluster: ${statement}`);
}

const localName = (table: string, database: string): string => `${database}.${table}_local`;
const onCluster = ({ name }: Cluster): string => `on cluster ${quoted(name)}`;

function createForms([, table = "", columns = "", engine = "", ofEngine = "", rest = ""]: readonly string[], cluster: Cluster, database: string): string[] {
  const [, order = ""] = /\border\s+by\s+(\([^)]*\)|\w+\b(?!\())/i.exec(rest) ?? [];
  const key = order.replace(/[()]/g, "").split(",").map((column) => column.trim()).filter(Boolean).slice(0, 2);
  if (key.length === 0) throw new Error(`The table ${table} has no order to be sharded by`);
  const place = [quoted(cluster.replicaPath), quoted(cluster.replicaName), ...(ofEngine.trim() === "" ? [] : [ofEngine.trim()])].join(", ");
  const remembers = `replicated_deduplication_window = ${deduplicationInserts}, replicated_deduplication_window_seconds = ${deduplicationSeconds}`;
  const [before = "", settings] = rest.split(/\bsettings\b/i);
  return [
    `create table if not exists ${localName(table, database)} ${onCluster(cluster)}\n(${columns})\nengine = Replicated${engine}(${place})\n` +
      `${before.trim()}\nsettings ${settings === undefined ? "" : `${settings.trim()}, `}${remembers}`,
    `create table if not exists ${database}.${table} ${onCluster(cluster)} as ${localName(table, database)}\n` +
      `engine = Distributed(${quoted(cluster.name)}, ${quoted(database)}, ${quoted(`${table}_local`)}, sipHash64(${key.join(", ")}))`,
  ];
}

const ofColumns = /\b(add|drop|modify|rename|clear|comment|alter)\s+column\b/gi;
const ofTheRest = /\b(add|drop|modify|materialize|clear)\s+(index|projection|setting|ttl|order|statistics)\b|\breset\s+setting\b/gi;

/** Columns are those of both tables; indices, projections and settings are of the one that has the rows. */
function alterForms([, table = "", change = ""]: readonly string[], cluster: Cluster, database: string): string[] {
  const [columns, rest] = [ofColumns, ofTheRest].map((kind) => [...change.matchAll(kind)].length > 0);
  if (columns === rest) throw new Error(`This change of ${table} has no form for a cluster; columns are changed apart from the rest: ${change}`);
  const local = `alter table ${localName(table, database)} ${onCluster(cluster)} ${change}`;
  return columns ? [local, `alter table ${database}.${table} ${onCluster(cluster)} ${change}`] : [local];
}

/** Begins a statement that deletes rows where they lie. */
export const deleteFromCluster = (table: string, cluster: Cluster, database: string): string => `delete from ${localName(table, database)} ${onCluster(cluster)}`;
