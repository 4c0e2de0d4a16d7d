import type { Command } from "commander";

export function addStartCommand(program: Command): void {
  program
    .command("start")
    .description("run the server in this process")
    .action(async () => {
      const { main } = await import("../server.ts");
      await main();
    });
}
