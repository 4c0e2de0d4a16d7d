import type { Arena } from "./arena.ts";

/** One way to hurt a server. */
export interface Attack {
  name: string;
  /** What it does. */
  does: string;
  /** What must hold, beside what is checked after every attack. */
  holds: string;
  run(arena: Arena): Promise<void>;
}

/** Attacks are found by their files. */
export const defineAttack = (attack: Attack): Attack => attack;
