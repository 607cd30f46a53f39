/**
 * `deno task serve` serves the same configuration with the same answers as Bun does: one list of
 * requests put to both.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { folder } from "../support/commands.ts";
import { Child } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { freePort, RawRequest, type RequestOptions } from "../support/streams.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = (name: string) => `${root}node_modules/.bin/${name}`;

const COMMANDS = {
  bun: [bin("bun"), "run", `${root}src/main.ts`, "run"],
  deno: [bin("deno"), "task", "--quiet", "serve"],
} as const;

const REQUESTS: readonly (RequestOptions & { readonly host: string })[] = [
  { host: "pair.test" },
  { host: "PAIR.test:8080", path: "/deep/er?q=1&q=2" },
  { host: "a.wild.test", path: "/x" },
  { host: "a.b.wild.test", path: "/x" },
  { host: "paths.test", path: "/api/v1" },
  { host: "paths.test", path: "/apiary" },
  { host: "pair.test", method: "POST", body: "some bytes" },
  { host: "pair.test", method: "PUT", body: "" },
  { host: "pair.test", method: "HEAD" },
  { host: "pair.test", method: "DELETE" },
  { host: "pair.test", method: "OPTIONS", path: "/y" },
  { host: "pair.test", path: "/ticks?every=10&count=5" },
  { host: "pair.test", path: "/die" },
  { host: "pair.test", path: "/garbage?kind=2" },
  { host: "dead.test" },
  { host: "dead.test", method: "POST", body: "{}" },
  { host: "nowhere.test" },
  { host: "b@d" },
  { host: "small.test", method: "POST", body: "x".repeat(2000) },
];

function config(main: StreamUpstream, spare: StreamUpstream, dead: number): string {
  return `
listen: 127.0.0.1:0
routes:
  - host: pair.test
    upstreams: ["http://127.0.0.1:${dead}", "${main.url}"]
    headers:
      request: { set: { X-Asked: "{method} {uri} of {client_ip}" } }
      response: { set: { X-By: "{upstream_host}" }, remove: [X-Upstream] }
  - { host: "*.wild.test", upstreams: ["${spare.url}"] }
  - { host: paths.test, path: /api, upstreams: ["${spare.url}"] }
  - { host: paths.test, upstreams: ["${main.url}"] }
  - { host: dead.test, upstreams: ["http://127.0.0.1:${dead}"] }
  - { host: small.test, upstreams: ["${main.url}"], limits: { request_body: 1KiB } }
`;
}

/** Fields that say the same whatever server and upstream run, ids left out. */
function comparable(head: string): string[] {
  return head.split("\r\n").slice(1)
    .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
    .filter((line) =>
      /^(content-type|retry-after|x-by|x-upstream|via|allow|set-cookie):/.test(line)
    )
    .toSorted();
}

async function answersOf(name: keyof typeof COMMANDS, path: string): Promise<unknown[]> {
  const child = new Child([...COMMANDS[name], "--config", path], { cwd: root });
  try {
    const started = await child.line(({ msg }) => msg === "proxy.started", 20_000);
    const port = Number(/:(\d+)"/.exec(JSON.stringify(started["listening"]))?.[1]);
    const answers: unknown[] = [];
    for (const { host, ...options } of REQUESTS) {
      answers.push(await answerTo({ ...options, headers: { Host: host } }, port));
    }
    return answers;
  } finally {
    // `deno task` hands it on to the process that serves; killing it would leave that one behind.
    child.kill("SIGTERM");
    await child.exited;
  }
}

async function answerTo(options: RequestOptions, port: number): Promise<unknown> {
  const request = new RawRequest(port, options);
  const isHead = options.method === "HEAD";
  // Its answer has a length and no body to wait for.
  if (isHead) void request.status.then(() => request.socket.end());
  const { status, body, end } = await request.answer();
  // Bun holds the head back until the first byte of the body, and a cut may overtake it.
  const isCut = end === "cut" && !isHead;
  return {
    asked: `${options.method ?? "GET"} ${options.headers?.["Host"]}${options.path ?? "/"}`,
    status: isCut ? "cut" : status,
    body: isCut ? "" : body.replace(/^[\d.]+ /gm, ""),
    fields: isCut ? [] : comparable(request.head),
  };
}

describe("deno task serve", () => {
  it("answers as Bun does when both serve one configuration", { timeout: 60_000 }, async () => {
    await using main = await StreamUpstream.open("main");
    await using spare = await StreamUpstream.open("spare");
    await using at = await folder({ "config.yaml": config(main, spare, await freePort()) });
    const path = `${at.path}/config.yaml`;
    const asked = () =>
      main.calls.splice(0).map(({ head }) => /^x-asked: .*/im.exec(head)?.[0]?.toLowerCase());
    const byBun = await answersOf("bun", path);
    const askedByBun = asked();
    const byDeno = await answersOf("deno", path);
    assert.deepEqual(byDeno, byBun);
    assert.deepEqual(asked(), askedByBun);
    assert.equal(JSON.stringify(byBun).match(/"status":200/g)?.length, 11);
  });
});
