/// <reference types="bun" />
/**
 * Load that Debian's generators cannot make: requests at a fixed rate whatever the answers do,
 * streams whose every chunk is timed, and streams that are only held. Runs inside the bench.
 */
import type { Socket } from "bun";
import type { Report } from "./generators.ts";

/** Milliseconds since 1970 with fractions, comparable between the processes of one machine. */
export const now = (): number => performance.timeOrigin + performance.now();

/** One client connection. */
class Client {
  /** When what it waits for was sent. */
  sentMs = 0;
  text = "";
  closed = false;
  #socket: Socket<undefined> | undefined;

  static async open(port: number, heard: (client: Client) => void): Promise<Client> {
    const client = new Client();
    client.#socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data(_, bytes) {
          client.text += decoder.decode(bytes);
          heard(client);
        },
        close() {
          client.closed = true;
          heard(client);
        },
      },
    });
    return client;
  }

  get(target: string): void {
    this.text = "";
    this.sentMs = now();
    this.#socket?.write(`GET ${target} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  }

  end(): void {
    this.#socket?.terminate();
  }
}

const decoder = new TextDecoder("latin1");
/** Connections dialled at a time, well under every listener's backlog. */
const DIALS_MAX = 100;
/** How long answers that are under way may still take when a run is over. */
const GRACE_MS = 2000;

/**
 * Sends `perSecond` requests a second, each on an idle connection, and times them from when they
 * were sent. A late answer holds up no other request: there is another connection.
 */
export async function askAtRate(
  port: number,
  { perSecond, seconds, connections }: { perSecond: number; seconds: number; connections: number },
): Promise<Report> {
  const idle: Client[] = [];
  const tookMs: number[] = [];
  let broken = 0;
  const clients = await openMany(port, connections, (client) => {
    if (client.closed) return void broken++;
    if (!client.text.endsWith("world!")) return;
    if (!client.text.startsWith("HTTP/1.1 200")) broken++;
    tookMs.push(now() - client.sentMs);
    idle.push(client);
  });
  idle.push(...clients);

  const beganMs = now();
  let sent = 0;
  const turn = setInterval(() => {
    const due = Math.min((now() - beganMs) / 1000, seconds) * perSecond;
    for (; sent < due; sent++) {
      const client = idle.shift();
      if (client === undefined) return;
      client.get("/small");
    }
  }, 1);
  await until(() => tookMs.length >= perSecond * seconds, seconds * 1000 + GRACE_MS);
  clearInterval(turn);

  // Counted before the ends below, which close connections too.
  const problem = { broken, missing: perSecond * seconds - tookMs.length };
  for (const client of clients) client.end();
  if (problem.broken > 0 || problem.missing > 0) {
    throw new Error(`Cannot keep the rate: ${problem.broken} broken, ${problem.missing} missing`);
  }
  return timed(tookMs, seconds);
}

/** Reads `streams` streams at a time to their ends, and times each chunk from upstream to here. */
export async function readStreams(
  port: number,
  { streams, chunks, everyMs }: { streams: number; chunks: number; everyMs: number },
): Promise<Report> {
  const tookMs: number[] = [];
  const whole = new Set<Client>();
  let cut = 0;
  // While connections are still being made, chunks are late for reasons of our own.
  let settledMs = Infinity;
  const clients = await openMany(port, streams, (client) => {
    const arrivedMs = now();
    if (client.text.endsWith("\r\n0\r\n\r\n")) whole.add(client);
    else if (client.closed && !whole.has(client)) cut++;
    let readTo = 0;
    for (const match of client.text.matchAll(/"at":(\d+\.\d+)}/g)) {
      const sentMs = Number(match[1]);
      if (sentMs > settledMs) tookMs.push(arrivedMs - sentMs);
      readTo = match.index + match[0].length;
    }
    // Whatever is not a whole line yet stays.
    client.text = client.text.slice(readTo);
  });
  for (const client of clients) client.get(`/stream?chunks=${chunks}&every=${everyMs}`);
  settledMs = now() + everyMs;

  await until(() => whole.size + cut >= streams, chunks * everyMs + GRACE_MS);
  for (const client of clients) client.end();
  if (whole.size < streams) throw new Error(`Only ${whole.size} of ${streams} streams came whole`);
  return timed(tookMs, chunks * everyMs / 1000);
}

/** Opens streams that fall silent after their first chunk; they last until the returned call. */
export async function holdStreams(port: number, streams: number): Promise<() => void> {
  let begun = 0;
  const clients: Client[] = [];
  while (clients.length < streams) {
    const some = await openMany(port, Math.min(DIALS_MAX, streams - clients.length), (client) => {
      if (client.text.includes("{}")) begun++;
      client.text = "";
    });
    clients.push(...some);
    for (const client of some) client.get("/idle");
    await until(() => begun >= clients.length, 10_000);
  }
  const end = () => {
    for (const client of clients) client.end();
  };
  if (begun === streams) return end;
  end();
  throw new Error(`Only ${begun} of ${streams} streams began`);
}

/** Asks again and again, on a connection each, until somebody answers 200; false when nobody did. */
export async function untilAnswered(port: number, limit: AbortSignal): Promise<boolean> {
  while (!limit.aborted) {
    if (await answers(port)) return true;
    await Bun.sleep(1);
  }
  return false;
}

/** As `untilAnswered`, but a connection is enough. */
export async function untilListening(port: number, limit: AbortSignal): Promise<boolean> {
  while (!limit.aborted) {
    const client = await Client.open(port, () => {}).catch(() => undefined);
    client?.end();
    if (client !== undefined) return true;
    await Bun.sleep(1);
  }
  return false;
}

async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const client = await Client.open(port, ({ closed, text }) => {
    if (closed || text.endsWith("world!")) resolve(text.startsWith("HTTP/1.1 200"));
  }).catch(() => undefined);
  if (client === undefined) return false;
  client.get("/small");
  const answered = await Promise.race([promise, Bun.sleep(GRACE_MS).then(() => false)]);
  client.end();
  return answered;
}

async function openMany(
  port: number,
  count: number,
  heard: (client: Client) => void,
): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < count) {
    const some = Math.min(DIALS_MAX, count - clients.length);
    clients.push(
      ...await Promise.all(Array.from({ length: some }, () => Client.open(port, heard))),
    );
  }
  return clients;
}

async function until(done: () => boolean, limitMs: number): Promise<void> {
  const giveUpMs = now() + limitMs;
  while (!done() && now() < giveUpMs) await Bun.sleep(5);
}

function timed(tookMs: number[], seconds: number): Report {
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor((tookMs.length - 1) * share)] ?? NaN;
  return { count: tookMs.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
