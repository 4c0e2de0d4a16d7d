/** What a backup is about, before its files; the CLI shows it and forgets it. */
export const planPath = "plan.json";
/** Written last: a backup without it is not finished. */
export const manifestPath = "manifest.json";
/** In place of the manifest, when the server could not go on. */
export const errorPath = "error.json";
/** Checksums of all files, the manifest's too, as `sha256sum -c` reads them. */
export const sumsPath = "SHA256SUMS";
/** Ending of the directory of a backup that is being made. */
export const unfinished = ".unfinished";
