/** Deno is told as it starts all that it needs to know; see `renewal_bun.ts` for who is not. */
export function renew(): void {}
