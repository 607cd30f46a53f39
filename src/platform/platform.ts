/**
 * The one port to the world: clock, network, files, signals, terminal. Everything outside
 * `platform/` gets an object of this shape and asks nobody else what time it is.
 * Longer than usual, as it is one list of all that the world can do for us.
 */
import type { EndSignal } from "../end.ts";
import type { Address, UpstreamTls } from "../rules.ts";
import type {
  CertificateFacts,
  ConnectionTls,
  NamedIdentity,
  TlsContext,
  TlsDoor,
  TlsMaterial,
} from "./tls.ts";

export interface Clock {
  /** Wall clock, milliseconds since 1970; for what people read. */
  now(): number;
  /** Milliseconds since some fixed moment, never backwards; for durations and deadlines. */
  elapsed(): number;
  /** Calls once after `ms`, unless the returned function is called before. Keeps no process running. */
  after(ms: number, callback: () => void): () => void;
  /** Calls once what has come by now is dealt with, and before anything is waited for. */
  soon(callback: () => void): void;
  /** Settles after `ms`; rejects when `signal` aborts before. Keeps no process running. */
  sleep(ms: number, signal?: EndSignal): Promise<void>;
}

/** Pulls with `fetch`, every knob set so that bytes pass as they are, redirects and proxies are ignored. */
export interface FetchOptions {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | undefined;
  readonly signal: AbortSignal;
  /** Never on a reused connection. */
  readonly fresh: boolean;
  /** Path of a unix socket to use instead of the URL's host. */
  readonly unixPath: string | undefined;
}

/** What `fetch` could tell of its failure. */
export interface FetchFailure {
  /** True when no connection was made, so nothing can have been sent. */
  readonly dialFailed: boolean;
  readonly code:
    | "refused"
    | "unreachable"
    | "unknown_host"
    | "dial_timeout"
    | "tls"
    | "closed"
    | "protocol";
  readonly detail: string;
}

/** A small exchange by HTTP on an errand of this machine's own: to authorities, to whoever keeps records of names. */
export interface ErrandOptions {
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  /** PEM; trusted besides those that the runtime trusts. */
  readonly authorities: readonly string[];
  /** For all of it, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ErrandAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** An errand that came to nothing, in words that hold no path and no query. */
export class ErrandError extends Error {
  override readonly name = "ErrandError";
}

export type DialResult =
  | { readonly kind: "connected" }
  | { readonly kind: "failed"; readonly code: FetchFailure["code"]; readonly detail: string }
  | { readonly kind: "aborted" };

/** Who hears what happens on a connection. Calls never overlap. */
export interface ConnectionEvents {
  /** The bytes are the hearer's to keep. */
  data(bytes: Uint8Array): void;
  /** All that was written is with the system now; told after a `write` that said false. */
  drained(): void;
  /** The last call: the peer ended it (`clean`), or it broke, or we closed it. */
  closed(clean: boolean): void;
}

/** A byte connection: TCP or a unix socket; a TLS socket fits behind it as well. */
export interface Connection {
  readonly peer: { readonly ip: string; readonly port: number };
  /** Undefined in the clear. Only of connections that were accepted. */
  readonly tls?: ConnectionTls | undefined;
  /** May be replaced at any time, as a connection goes from hand to hand. */
  events: ConnectionEvents;
  /** Takes all bytes; false when some wait, and more should come only after `drained`. */
  write(bytes: Uint8Array): boolean;
  /** What `write` took without any of it waiting may be changed again; else it must stay as it is. */
  readonly copies?: boolean;
  /** Says that no more comes, once what was written is out. The peer may still send. */
  finish(): void;
  /** Ends both ways once what was written is out. */
  close(): void;
  /** Ends both ways now, so that the peer sees it broken (RST). */
  reset(): void;
  /** Stops reading, and so in time the peer; `resume` goes on. */
  pause(): void;
  resume(): void;
}

export type Dialled =
  | { readonly kind: "connected"; readonly connection: Connection }
  | Exclude<DialResult, { kind: "connected" }>;

/** How TLS is spoken on a connection that is dialled. */
export interface DialTls {
  /** Name or IP address that is asked for, and that the peer's certificate must prove. */
  readonly name: string;
  /** Protocols offered (ALPN), the preferred one first. */
  readonly protocols: readonly string[];
  /** Its `name` says nothing here. The same object for the same rules, as what is made of it is kept. */
  readonly rules: UpstreamTls;
}

export interface DialLimits {
  /** The handshake of TLS included, where there is one. */
  readonly timeoutMs: number;
  readonly signal: EndSignal;
  /** Undefined dials in the clear. */
  readonly tls?: DialTls | undefined;
  /** Address of ours to leave from; undefined lets the system choose. */
  readonly localAddress?: string | undefined;
  /** Written ahead of everything else, the handshake of TLS included. */
  readonly lead?: Uint8Array | undefined;
}

export interface ByteListener {
  readonly address: Address;
  /** Stops accepting; connections that are open stay. */
  close(): void;
}

/** What a name service is asked. */
export interface NameQuestion {
  readonly name: string;
  /** Name servers to ask in turn, `host:port`; none asks as the system does, its hosts file included. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Failed also where the name service has nothing of the kind: Deno does not tell that from a refusal. */
export type NameAnswer<Item> =
  | { readonly kind: "found"; readonly items: readonly Item[] }
  | { readonly kind: "failed"; readonly detail: string };

/** One line of SRV (RFC 2782). */
export interface ServicePlace {
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The name service, for upstreams that it knows and for names of our own. Never rejects. */
export interface Names {
  addresses(
    question: NameQuestion,
    families: readonly (4 | 6)[],
  ): Promise<NameAnswer<string>>;
  services(question: NameQuestion): Promise<NameAnswer<ServicePlace>>;
  /** TXT of one piece each, 255 bytes at most: longer ones come apart on Bun. */
  texts(question: NameQuestion): Promise<NameAnswer<string>>;
  /** NS: names of the servers of a zone. */
  servers(question: NameQuestion): Promise<NameAnswer<string>>;
  /** CNAME: the name that this one stands for. */
  aliases(question: NameQuestion): Promise<NameAnswer<string>>;
}

/** One side of a WebSocket, made alike on both runtimes. */
export interface MessageSocket {
  /** Settles when the peer can take more. */
  send(message: string | Uint8Array): Promise<void> | void;
  /** Passes ping and pong on where the runtime can; else does nothing. */
  ping(data: Uint8Array): void;
  pong(data: Uint8Array): void;
  close(code: number | undefined, reason: string): void;
  /** Stops and restarts reading where the runtime can. */
  pause(): void;
  resume(): void;
}

export interface MessageHandlers {
  message(message: string | Uint8Array): void;
  ping(data: Uint8Array): void;
  pong(data: Uint8Array): void;
  /** Called once, also after an error. `code` is undefined when the peer gave none, 1006 when it vanished. */
  close(code: number | undefined, reason: string): void;
}

/** What the runtime's server knows about a request beside the `Request`. */
export interface ServedConnection {
  readonly peer: { readonly ip: string; readonly port: number };
  readonly scheme: "http" | "https";
  /**
   * Upgrades to a WebSocket. The returned response must be what the handler answers with.
   * `opened` is called with the client's side once it is open.
   */
  upgrade(
    protocol: string | undefined,
    handlers: MessageHandlers,
    opened: (socket: MessageSocket) => void,
  ): Response | undefined;
}

export interface HttpServer {
  readonly address: Address;
  close(): Promise<void>;
  abort(): void;
}

export interface ChildProcess {
  readonly pid: number;
  /** Lines of standard output as they come. */
  readonly lines: AsyncIterable<string>;
  readonly exited: Promise<number>;
  kill(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

export type SignalName = "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGUSR1" | "SIGUSR2";

export interface Terminal {
  readonly isTerminal: boolean;
  /** Characters a line holds now; undefined where nobody knows. */
  readonly columns?: number | undefined;
  /** Lines it shows at once. */
  readonly rows?: number | undefined;
  write(text: string): void;
}

/** What the process takes of the machine. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system time. */
  readonly cpuMs: number;
  /** Connections included; undefined where the system does not tell. */
  readonly openFiles: number | undefined;
}

/** How another program is run. */
export interface ProgramOptions {
  /** Variables of its environment besides ours. */
  readonly env: Readonly<Record<string, string>>;
  /** Killed after so long, in milliseconds. */
  readonly timeoutMs: number;
  /** Killed as this aborts. */
  readonly signal: AbortSignal;
}

/** How another program ended. */
export interface ProgramResult {
  /** 127 where there is no such program, 124 where it was killed as nobody waited any longer. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A file or directory that cannot be used, in words. */
export class FileError extends Error {
  override readonly name = "FileError";

  /** Whether nothing at all can be written there for now: a disk that is full, or read-only. */
  get isOfDisk(): boolean {
    const { cause } = this;
    return cause instanceof Error && OF_DISKS.includes(String(Reflect.get(cause, "code")));
  }
}

const OF_DISKS: readonly string[] = ["ENOSPC", "EDQUOT", "EROFS"];

/** A socket that cannot be opened, in words. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Whose a file is. */
export interface Owner {
  readonly userId: number;
  readonly groupId: number;
}

/** Files with secrets in them. All reject with `FileError`. */
export interface PrivateFiles {
  /** Number of the user that we act for, 0 for root; undefined where users have none. */
  userId(): number | undefined;
  /** Makes a directory where it is missing, with all above it; those that it makes are for us alone. */
  makeDirectory(path: string): Promise<void>;
  /**
   * Sees to it that a directory is ours, that nobody else may enter it, and that we can write there.
   * Settles with what people should know: what was repaired, and what could not be.
   */
  keepPrivate(path: string): Promise<readonly string[]>;
  /** Undefined where nothing is there, or where the system knows no owners. */
  ownerOf(path: string): Promise<Owner | undefined>;
  /** Undefined where there is no such file, and only then. */
  readIfAny(path: string): Promise<string | undefined>;
  /** Names of the files in a directory, those with a dot in front left out; none where there is no directory. */
  listFiles(path: string): Promise<readonly string[]>;
  /** Whole or not at all, on the disk once it settles, for us alone to read whatever the umask says. */
  writePrivate(path: string, text: string): Promise<void>;
  /** Fine where there is none. */
  removeFile(path: string): Promise<void>;
  /**
   * A lock among processes that share a file system; the path becomes a directory. Undefined while another
   * holds it that lives. Never two hold it at once, but for one: a holder of another machine (or container)
   * that stood still for a minute is taken for dead. The call that is settled with releases it, and does
   * nothing more when called again.
   */
  lockFile(path: string): Promise<(() => Promise<void>) | undefined>;
}

export type CompressionFormat = "gzip" | "zstd";

/** One body being compressed. Calls never overlap. */
export interface Compressor {
  /** What can be sent on once these bytes are in: all of them, none held back. */
  write(bytes: Uint8Array): Promise<Uint8Array>;
  /** The last bytes. */
  end(): Promise<Uint8Array>;
  /** Frees it, also before its end. Idempotent. */
  close(): void;
}

export interface Platform extends PrivateFiles {
  /** "Bun 1.4.5", for `version`. */
  readonly runtime: string;
  readonly clock: Clock;
  /** Arguments of the command line, program name left out. */
  readonly args: readonly string[];
  env(name: string): string | undefined;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
  /** Bytes that nobody can foretell. */
  randomBytes(count: number): Uint8Array<ArrayBuffer>;
  /** HMAC-SHA256 of the text in lower-case hexadecimal digits. */
  hmacSha256(key: string, text: string): string;
  /**
   * Whether a bcrypt hash is of this password. Takes its time by design, off the event loop where the
   * runtime can. False for what bcrypt cannot tell apart: over 72 bytes, with a NUL, empty.
   */
  passwordMatches(password: string, hash: string): Promise<boolean>;
  compressor(format: CompressionFormat): Compressor;
  /** Called first by main: ends the process once the one that spawned it is gone. */
  followParent(): void;

  serve(
    address: Address,
    handler: (request: Request, connection: ServedConnection) => Promise<Response>,
  ): Promise<HttpServer>;
  /** Serves HTTP/3 on UDP, where the runtime can. The first identity is shown to whom asks for no name. Rejects with `ListenError`. */
  readonly serveQuic?: (
    address: Address,
    identities: readonly NamedIdentity[],
    handler: (request: Request, connection: ServedConnection) => Promise<Response>,
  ) => Promise<HttpServer>;
  /** Rejects with whatever the runtime throws; `explain` reads it. */
  fetch(url: string, options: FetchOptions): Promise<Response>;
  explain(error: unknown): FetchFailure;
  /**
   * Answers of any status resolve, redirects too, as they are not followed; 1 MiB at most. HTTP_PROXY and the
   * like hold. Rejects with `ErrandError`.
   */
  errand(url: string, options: ErrandOptions): Promise<ErrandAnswer>;
  /**
   * Accepts byte connections; `accept` sets the events of each before it returns. Rejects with `ListenError`.
   * Where a connection finds a door it speaks TLS by then, unless it began with something else.
   */
  listen(
    address: Address,
    accept: (connection: Connection) => void,
    door?: () => TlsDoor | undefined,
  ): Promise<ByteListener>;
  /**
   * Whether a handshake can show a certificate that proves a name (RFC 8737). Deno's refuses one with an
   * extension that is critical and that it does not know.
   */
  readonly showsTlsProofs: boolean;
  /** Throws `CertificateError` where chain and key do not go together, or are none. */
  tlsContext(material: TlsMaterial): TlsContext;
  /** What the first certificate of a chain says of itself. Throws `CertificateError`. */
  certificateFacts(chain: string): CertificateFacts;
  /** Opens a byte connection, which hears `events` from its first byte on. */
  dial(address: Address, events: ConnectionEvents, limits: DialLimits): Promise<Dialled>;
  /** Connects and hangs up at once: tells whether a connection can be made now. */
  knock(address: Address, timeoutMs: number, signal: EndSignal): Promise<DialResult>;
  readonly names: Names;
  /** Opens a WebSocket; rejects when the upstream refuses it. */
  openSocket(
    url: string,
    options: { headers: Headers; protocols: readonly string[]; signal: EndSignal },
    handlers: MessageHandlers,
  ): Promise<{ readonly socket: MessageSocket; readonly protocol: string }>;

  /** Names of the entries of a directory; rejects with `FileError`. */
  listDirectory(path: string): Promise<readonly string[]>;
  /** Rejects with `FileError`. */
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  fileExists(path: string): Promise<boolean>;
  /** Calls back whenever something in the directory changes, also by an atomic rename. Stops at the returned call. */
  watchDirectory(path: string, changed: () => void): () => void;

  onSignal(name: SignalName, handler: () => void): () => void;
  /** Hands over what nobody caught, also refused promises, instead of ending the process; until the returned call. */
  onUncaught(handler: (error: unknown) => void): () => void;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Single key presses of a terminal, until the returned function is called. */
  onKey(handler: (key: string) => void): () => void;
  /** Shows a question and reads a line; undefined at the end of the input, or where no terminal is. */
  askLine(question: string): Promise<string | undefined>;
  /** Words that start this program, up to its own arguments; a single one where it is one file. */
  readonly program: readonly string[];
  /** Runs another program to its end. */
  runProgram(
    file: string,
    args: readonly string[],
    options?: ProgramOptions,
  ): Promise<ProgramResult>;
  /** Keeps the process running until the returned function is called: timers alone do not. */
  stayAwake(): () => void;
  /** Tells the service manager how we are, in its words (sd_notify(3)); nothing where there is none. */
  tellSupervisor(message: string): void;
  usage(): ProcessUsage;
  /** Runs this program again with other arguments. */
  spawnSelf(args: readonly string[]): ChildProcess;
  exit(code: number): never;
}
