/** Marks tests of what only the wire engine can keep; `ENGINE=web` skips them. docs/limits.md says why. */
import process from "node:process";

/** Whether the wire engine carries the bytes of this run. */
export const isWire: boolean = process.env["ENGINE"] !== "web";

/** Options of a test that the web engine cannot pass. */
export const WIRE_ONLY: { readonly skip?: string } = isWire
  ? {}
  : { skip: "needs the wire engine" };
