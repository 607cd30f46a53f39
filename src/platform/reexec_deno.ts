/** Deno is told as it starts all that it needs to know; see `reexec_bun.ts` for who is not. */
export function reexec(): void {}
