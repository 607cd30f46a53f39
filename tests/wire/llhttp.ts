/**
 * Asks llhttp, the parser of Node, what it makes of the same bytes, and says where ours went further. Node runs
 * as a child for each batch: the `node:http` of the runtimes under test is not llhttp.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mayBeTrailer } from "../../src/wire/names.ts";
import type { Kind, Message, Transcript } from "./transcript.ts";

export interface Input {
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

interface Reading {
  readonly messages: readonly (Message & { readonly upgrade: boolean })[];
  readonly error: string | null;
}

const CHILD = fileURLToPath(new URL("llhttp-child.cjs", import.meta.url).href);
const KINDS: readonly Kind[] = ["requests", "responses", "responses to HEAD"];

/** A real Node, which neither runtime's stand-in for it is; undefined where there is none. */
export function findNode(): string | undefined {
  return ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path));
}

/** What llhttp makes of each input. */
export function readByLlhttp(node: string, inputs: readonly Input[]): readonly Reading[] {
  const size = inputs.reduce((sum, { bytes }) => sum + 5 + bytes.length, 0);
  const frames = new Uint8Array(size);
  let at = 0;
  for (const { kind, bytes } of inputs) {
    frames[at] = KINDS.indexOf(kind);
    new DataView(frames.buffer).setUint32(at + 1, bytes.length);
    frames.set(bytes, at + 5);
    at += 5 + bytes.length;
  }
  const child = spawnSync(node, [CHILD], { input: frames, maxBuffer: 1 << 30, encoding: "utf8" });
  if (child.status !== 0) throw new Error(`Node failed: ${child.stderr}`);
  return child.stdout.trimEnd().split("\n").map((line): Reading => JSON.parse(line));
}

/** Says in words where we accepted what llhttp refuses or reads otherwise; undefined when nowhere. */
export function disagreement(
  { kind, bytes }: Input,
  ours: Transcript,
  theirs: Reading,
): string | undefined {
  for (const [index, message] of ours.messages.entries()) {
    const other = theirs.messages[index];
    // Methods are an open set for us (RFC 9110 section 16.1) and a list for llhttp.
    if (other === undefined && isForeignMethod(message, theirs)) return undefined;
    if (other === undefined && isOverheeded(ours.messages[index - 1], theirs, bytes)) {
      return undefined;
    }
    if (other === undefined) return `message ${index} accepted, llhttp says ${theirs.error}`;
    if (isTrailerQuarrel(message, other, theirs)) return undefined;
    // After our refusal llhttp may have read on, so only what was read whole must agree.
    if (!message.whole && ours.end === "refused") continue;
    const difference = differenceOf(kind, message, other) ??
      (kind === "requests" && outlives(message, other, bytes)
        ? "kept alive, not by llhttp"
        : undefined);
    if (difference !== undefined) return `message ${index}: ${difference}`;
  }
  if (ours.end !== "more" || theirs.error === null) return undefined;
  // An unfinished head is not accepted yet, so what llhttp says of it does not matter.
  const unfinished = ours.messages.at(-1);
  if (unfinished === undefined || unfinished.whole) return undefined;
  return `unfinished body accepted, llhttp says ${theirs.error}`;
}

function isForeignMethod({ method }: Message, { error }: Reading): boolean {
  if (error === "HPE_INVALID_METHOD" || error === "HPE_INVALID_CONSTANT") {
    return !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].includes(method);
  }
  return false;
}

/**
 * llhttp also ends the connection after `Connection: close` in an interim response, where it means nothing
 * (RFC 9112 section 9.6), after control fields in trailers, which we drop, and after a "keep-alive" with a tab
 * beside it; and it changes protocol where the name of the new one is no name.
 */
function isOverheeded(
  before: Message | undefined,
  { error, messages }: Reading,
  bytes: Uint8Array,
): boolean {
  const last = messages.at(-1);
  if (before === undefined || last === undefined) return false;
  if (error === null) return last.upgrade && last.whole;
  if (error !== "HPE_CLOSED_CONNECTION") return false;
  const interim = before.status >= 100 && before.status < 200;
  return interim && !before.keepAlive || bytes.includes(0x09) ||
    last.trailers.some((text) => ["connection", "transfer-encoding"].includes(text.toLowerCase()));
}

/** We drop framing fields from trailers, where llhttp refuses the message: both are safe. */
function isTrailerQuarrel(message: Message, other: Message, { error }: Reading): boolean {
  const framing = error === "HPE_INVALID_CONTENT_LENGTH" ||
    error === "HPE_UNEXPECTED_CONTENT_LENGTH" ||
    error === "HPE_INVALID_TRANSFER_ENCODING";
  return framing && !other.whole && message.body === other.body &&
    message.fields.some((field) => field.toLowerCase() === "transfer-encoding");
}

function differenceOf(kind: Kind, message: Message, other: Message): string | undefined {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["method", message.method, other.method],
    ["target", message.target, other.target],
    ["version", message.minorVersion, other.minorVersion],
    ["status", message.status, other.status],
    ["reason", message.reason, other.reason],
    ["fields", comparable(message, kind), comparable(other, kind)],
    ["body", message.body, other.body],
    ["trailers", message.trailers.join("\n"), believable(other.trailers).join("\n")],
    ["whole", message.whole, other.whole],
  ];
  for (const [name, one, two] of pairs) {
    if (one !== two) return `${name} ${JSON.stringify(one)}, llhttp ${JSON.stringify(two)}`;
  }
  return undefined;
}

/**
 * Only going on where the other would end is dangerous; with "close" among junk we end and llhttp goes on. To llhttp
 * "keep-alive" with a tab beside it is another word.
 */
function outlives(message: Message, other: Message, bytes: Uint8Array): boolean {
  return message.keepAlive && !other.keepAlive && !bytes.includes(0x09);
}

/** The `Host` of a request in absolute form is replaced by us, so it is left out there. */
function comparable({ fields, target }: Message, kind: Kind): string {
  if (kind !== "requests" || target.startsWith("/")) return fields.join("\n");
  return fields.filter((_, at) => fields[at - at % 2]?.toLowerCase() !== "host").join("\n");
}

function believable(trailers: readonly string[]): readonly string[] {
  return trailers.filter((_, at) => mayBeTrailer(trailers[at - at % 2] ?? ""));
}
