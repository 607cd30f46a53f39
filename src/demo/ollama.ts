/**
 * A stand-in for an Ollama server, for the demo and the tests: the part of its HTTP API that
 * clients use, with made-up words at a settable pace. Pure Web; it listens nowhere by itself.
 */
import { Hono } from "hono";
import type { Clock } from "../platform/platform.ts";
import { answerEmbedding, answerText, findModel, nobody, refused } from "./answers.ts";
import { modelOf, readBody } from "./asked.ts";
import type { DialectName } from "./dialects.ts";
import { faultsOf } from "./faults.ts";
import { Machine, type OllamaOptions } from "./machine.ts";
import { openaiModel } from "./models.ts";

/** The Ollama whose shapes these are. */
const VERSION = "0.12.0";
/** Paths for tests and the demo, which no fault touches and no count includes. */
const CONTROL = "/_stand-in/";

const TEXT_PATHS: readonly (readonly [string, DialectName])[] = [
  ["/api/generate", "generate"],
  ["/api/chat", "chat"],
  ["/v1/chat/completions", "chat.completion"],
  ["/v1/completions", "text_completion"],
];

export function createOllama(options: OllamaOptions, clock: Clock): Hono {
  const machine = new Machine(options, clock);
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    c.header("x-answered-by", options.name);
  });
  app.use(async (c, next) => {
    if (c.req.path.startsWith(CONTROL)) return await next();
    machine.ledger.countRequest(c.req.path);
    const spoiled = await spoil(machine, c.req.path, c.req.raw);
    return spoiled ?? await next();
  });

  control(app, machine);
  catalogue(app, machine);
  for (const [path, name] of TEXT_PATHS) {
    app.post(path, (c) => answerText(machine, name, c.req.raw));
  }
  app.post("/api/embed", (c) => answerEmbedding(machine, "embed", c.req.raw));
  app.post("/api/embeddings", (c) => answerEmbedding(machine, "embeddings", c.req.raw));
  app.post("/v1/embeddings", (c) => answerEmbedding(machine, "openai", c.req.raw));
  app.notFound((c) => c.text("404 page not found", 404));
  return app;
}

/** What tests use to look and to break. */
function control(app: Hono, machine: Machine): void {
  app.get(`${CONTROL}stats`, (c) => c.json(machine.ledger.stats()));
  app.post(`${CONTROL}faults`, async (c) => {
    const read = await readBody(c.req.raw);
    if (read.kind === "refused") return refused(read, false);
    const chosen = faultsOf(read.body);
    if (chosen.kind === "refused") return refused(chosen, false);
    machine.faults = chosen.faults;
    return c.json(chosen.faults);
  });
}

/** What the machine is and has. Hono answers HEAD wherever it answers GET. */
function catalogue(app: Hono, machine: Machine): void {
  const { models } = machine;
  app.get("/", (c) => c.text("Ollama is running"));
  app.get("/api/version", (c) => c.json({ version: VERSION }));
  app.get("/api/tags", (c) => c.json({ models: models.list() }));
  app.get("/api/ps", (c) => c.json({ models: models.loaded() }));
  app.post("/api/show", async (c) => {
    const read = await readBody(c.req.raw);
    if (read.kind === "refused") return refused(read, false);
    const owned = findModel(machine, modelOf(read.body));
    return owned.kind === "refused" ? refused(owned, false) : c.json(models.describe(owned.name));
  });

  app.get("/v1/models", (c) => c.json({ object: "list", data: models.names.map(openaiModel) }));
  app.get("/v1/models/:id", (c) => {
    const id = c.req.param("id");
    const owned = findModel(machine, id);
    return owned.kind === "refused" ? refused(owned, true) : c.json(openaiModel(id));
  });
}

/** Applies the faults that spoil a whole request; undefined lets it pass. */
async function spoil(
  { ledger, clock, faults }: Machine,
  path: string,
  request: Request,
): Promise<Response | undefined> {
  if (faults.delayMs !== undefined) {
    const visit = ledger.enter(request.signal, () => {});
    try {
      await clock.sleep(faults.delayMs, visit.signal);
    } catch {
      return nobody();
    }
    visit.done();
  }

  const status = faults.status ?? (path === "/" ? faults.probeStatus : undefined);
  if (status === undefined) return undefined;
  const bodiless = status === 204 || status === 205 || status === 304;
  const body = bodiless ? null : JSON.stringify({ error: `stand-in fault: status ${status}` });
  return new Response(body, { status, headers: { "content-type": "application/json" } });
}
