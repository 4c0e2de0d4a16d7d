import type { Command } from "commander";
import { Option } from "commander";
import { printFields } from "./print-fields.ts";
import { readConnection, requestData } from "./server-connection.ts";

export function addKeysCommand(program: Command): void {
  const keys = program.command("keys").description("make tenants and sources, and with them their keys");
  keys
    .command("create-tenant")
    .description("make a tenant (needs the admin key); prints its API key, which is never shown again")
    .requiredOption("--name <name>", "name of the tenant")
    .action(async ({ name }: { name: string }) => {
      printFields(await requestData(readConnection(process.env), "/api/cdp/tenants", { name }));
    });
  keys
    .command("create-source")
    .description("make a source; prints its write key, which is never shown again")
    .requiredOption("--name <name>", "name of the source")
    .addOption(new Option("--late-policy <policy>", "what happens to events that come too late").choices(["apply", "quarantine"]).default("apply"))
    .action(async ({ name, latePolicy }: { name: string; latePolicy: string }) => {
      printFields(await requestData(readConnection(process.env), "/api/cdp/sources", { name, latePolicy }));
    });
}
