/** What stands behind the name of a benchmark on the command line: `--profiles 20000` is `profiles: "20000"`, `--quick` is `quick: "yes"`. */
export type Options = Record<string, string | undefined>;

/** Reads `--name value` and `--name=value`. Throws on anything else. */
export function readOptions(words: readonly string[]): Options {
  const options: Options = {};
  for (let at = 0; at < words.length; at++) {
    const [, name, given] = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(words[at] as string) ?? [];
    if (name === undefined) throw new Error(`"${words[at]}" is no option; expected --name value`);
    const next = words[at + 1];
    if (given !== undefined) options[name] = given;
    else if (next !== undefined && !next.startsWith("--")) options[name] = words[++at];
    else options[name] = "yes";
  }
  return options;
}

/** A positive number, such as `200000`, `200k` or `2M`. */
export function numberOption(options: Options, name: string, fallback: number): number {
  const text = options[name];
  if (text === undefined) return fallback;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text) ?? [];
  const value = Number(digits) * ({ k: 1e3, M: 1e6 }[unit] ?? 1);
  if (!(value > 0)) throw new Error(`--${name}: found "${text}", expected a positive number such as 200000 or 200k`);
  return value;
}

/** Environment of the measured server: `--env LOG_LEVEL=debug,NODE_OPTIONS=--cpu-prof`. */
export function environmentOption(options: Options): Record<string, string> {
  const pairs = (options["env"] ?? "").split(",").filter(Boolean).map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw new Error(`--env: found "${pair}", expected NAME=value`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}
