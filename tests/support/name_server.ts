/** A name server on UDP that answers what a test wants, byte by byte of RFC 1035, and counts. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

export type Record =
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "TXT"; readonly pieces: readonly string[] }
  | { readonly type: "NS" | "CNAME"; readonly target: string }
  | {
    readonly type: "SRV";
    readonly priority: number;
    readonly weight: number;
    readonly port: number;
    readonly target: string;
  };

const CODES = { A: 1, NS: 2, CNAME: 5, TXT: 16, AAAA: 28, SRV: 33 } as const;
const TYPES = new Map<number, string>(Object.entries(CODES).map(([type, code]) => [code, type]));
const REFUSED = 5;
const NO_SUCH_NAME = 3;

export class NameServer implements AsyncDisposable {
  /** Records by name. A name that is missing does not exist. */
  readonly records = new Map<string, readonly Record[]>();
  /** answers · refuses · says nothing */
  mood: "answers" | "refuses" | "silent" = "answers";
  /** Questions so far: `A gpu.lan`. */
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, from) => this.#answer(message, from));
  }

  static async open(): Promise<NameServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new NameServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(message: Uint8Array, from: RemoteInfo): void {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
      labels.push(new TextDecoder().decode(message.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    const name = labels.join(".").toLowerCase();
    const type = TYPES.get(view.getUint16(at + 1));
    this.asked.push(`${type ?? "other"} ${name}`);
    if (this.mood === "silent") return;

    const question = message.subarray(12, at + 5);
    const known = this.records.get(name);
    const code = this.mood === "refuses" ? REFUSED : known === undefined ? NO_SUCH_NAME : 0;
    const found = code === 0 ? (known ?? []).filter((record) => record.type === type) : [];
    const head = [
      ...message.subarray(0, 2),
      ...[0x81, 0x80 | code],
      ...[0, 1, 0, found.length, 0, 0, 0, 0],
    ];
    const answer = [...head, ...question, ...found.flatMap(spelled)];
    this.#socket.send(Uint8Array.from(answer), from.port, from.address);
  }
}

function spelled(record: Record): number[] {
  const data = dataOf(record);
  // The name is that of the question, 12 bytes from the start; it may be kept for 5 s.
  return [
    0xc0,
    12,
    ...two(CODES[record.type]),
    ...two(1),
    0,
    0,
    0,
    5,
    ...two(data.length),
    ...data,
  ];
}

function dataOf(record: Record): number[] {
  switch (record.type) {
    case "A":
      return record.address.split(".").map(Number);
    case "AAAA":
      return record.address.split(":").flatMap((group) => two(parseInt(group, 16)));
    case "SRV":
      return [
        ...two(record.priority),
        ...two(record.weight),
        ...two(record.port),
        ...labelsOf(record.target),
      ];
    case "TXT":
      return record.pieces.flatMap(counted);
    case "NS":
    case "CNAME":
      return labelsOf(record.target);
  }
}

function labelsOf(name: string): number[] {
  return [...name.split(".").flatMap(counted), 0];
}

function counted(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

function two(value: number): number[] {
  return [value >> 8, value & 0xff];
}
