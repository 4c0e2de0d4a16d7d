/** History on a ClickHouse server. */
export interface ClickhouseSettings {
  /** Without a path. */
  url: string;
  database: string;
  user: string | undefined;
  password: string | undefined;
  /** Certificates to trust instead of the system's. */
  caFile: string | undefined;
  /** The tables lie on all servers of this cluster. */
  cluster: { name: string; replicaPath: string; replicaName: string } | undefined;
}

/** The settings that are about ClickHouse, each valid for itself. */
interface Values {
  clickhouseUrl: string | undefined;
  clickhouseUser: string | undefined;
  clickhousePassword: string | undefined;
  clickhouseTlsCaFile: string | undefined;
  clickhouseCluster: string | undefined;
  clickhouseReplicaPath: string;
  clickhouseReplicaName: string;
}

const usualDatabase = "tributary";

/** Puts the settings about ClickHouse together; what does not fit together goes to `problems`. Undefined: it runs in this process. */
export function clickhouseSettings(values: Values, problems: string[]): ClickhouseSettings | undefined {
  const { clickhouseUrl, clickhouseUser: user, clickhousePassword: password, clickhouseTlsCaFile: caFile, clickhouseCluster: name } = values;
  if (clickhouseUrl === undefined) {
    const beside = { CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_TLS_CA_FILE: caFile, CLICKHOUSE_CLUSTER: name };
    for (const [env, value] of Object.entries(beside)) if (value !== undefined) problems.push(`${env}: expected CLICKHOUSE_URL beside it`);
    return undefined;
  }
  const url = new URL(clickhouseUrl);
  if (caFile !== undefined && url.protocol !== "https:") problems.push("CLICKHOUSE_TLS_CA_FILE: expected a CLICKHOUSE_URL that starts with https://");
  const database = url.pathname.slice(1) || usualDatabase;
  if (!/^[a-z_][a-z0-9_]{0,62}$/i.test(database)) problems.push("CLICKHOUSE_URL: expected nothing behind the port, or the name of a database: letters, digits and _");
  url.pathname = "/";
  return {
    url: url.href, database, user, password, caFile,
    cluster: name === undefined ? undefined : { name, replicaPath: values.clickhouseReplicaPath, replicaName: values.clickhouseReplicaName },
  };
}
