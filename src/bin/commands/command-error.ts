/** Something the person at the terminal is told in a sentence, without a stack. Exit code 1. */
export class CommandError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "CommandError";
  }
}
