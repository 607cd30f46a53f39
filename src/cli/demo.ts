/**
 * `understudy demo`: two stand-ins for Ollama and a proxy in front of them, to be broken by hand or
 * by a script. Sets the stage; `demo/` plays on it.
 */
import { play, SCRIPT_PACE } from "../demo/script.ts";
import { judge } from "../demo/script_verdict.ts";
import { type Role, StagedUpstream } from "../demo/stage.ts";
import { keysInWords, press } from "../demo/stage_keys.ts";
import { type Answer, Beat, type ClientDeps, GENERATE, LIST } from "../demo/stage_load.ts";
import { Timeline } from "../demo/timeline.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { type Door, openDoor } from "./demo_door.ts";

/** Few tokens, so that a viewer sees many answers. */
const PREFERRED: Role = { name: "gpu", tokenEveryMs: 15, tokens: 24 };
const SPARE: Role = { name: "slow", tokenEveryMs: 80, tokens: 24 };

const LIVE_PACE = { listEveryMs: 1000, streamEveryMs: 2000 } as const;
/** By hand there is none: a suspended upstream may be waited for at leisure. */
const SCRIPT_ANSWER_LIMIT_MS = 10_000;

interface Stage {
  readonly platform: Platform;
  readonly timeline: Timeline;
  readonly preferred: StagedUpstream;
  readonly spare: StagedUpstream;
  /** Aborts when the demo shall end. */
  readonly signal: AbortSignal;
  readonly quit: () => void;
}

export const demo: Command = {
  name: "demo",
  summary: "Watch it fail over and back: two stand-ins and a proxy",
  help: `Usage: understudy demo [--script | --live] [--port N]

Starts two stand-ins for Ollama on this machine, "gpu" (fast, preferred) and
"slow" (its understudy), and a proxy in front of them. In a terminal it stays up
with its status page, on which either can be killed and revived, and shows who
answers each request, its own and yours:

  k   kill gpu (SIGKILL)          requests move to slow
  s   start gpu again             requests return to gpu
  z   suspend or continue it      it holds its connections and says nothing
  l   its own requests on or off  a list every second, a stream every two
  q   quit

      --script    Play without hands, in about ten seconds: both up, gpu killed,
                  gpu back. Prints what was seen and a verdict. The default
                  where there is no terminal
      --live      Stay up, also where there is no terminal
      --port N    Listen on 127.0.0.1:N. Without it on 8080, or on any free port
                  when that is taken

A stream that runs on gpu while it is killed is cut, and its client sees so:
half an answer is never passed off as a whole one. All else slow answers.

Exit codes: 0 fine (with --script: nothing failed, and the traffic moved and
returned), 1 failed, 2 usage.
`,
  flags: {
    script: { type: "boolean" },
    live: { type: "boolean" },
    port: { type: "string" },
  },

  async run(platform, args) {
    const port = portOf(args.text("port"));
    if (args.has("script") && args.has("live")) {
      throw new UsageError("Expected either --script or --live but received both");
    }
    const scripted = args.has("script") || (!args.has("live") && !platform.stdout.isTerminal);
    const stage = setStage(platform);
    const { preferred, spare, signal, quit } = stage;
    const stops = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) =>
      platform.onSignal(name, quit)
    );
    // At once, as a start may be waiting for a line of theirs.
    const endBoth = () => Promise.all([preferred.end(), spare.end()]);
    signal.addEventListener("abort", () => void endBoth(), { once: true });

    let door: Door | undefined;
    try {
      const [one, two] = await Promise.all([preferred.start(), spare.start()]);
      if (!one || !two) throw new StageError("Cannot start the stand-ins");
      door = await openStage(stage, { port, watched: !scripted });
      introduce(stage, door);
      return scripted ? await playScript(stage, door.url) : await playLive(stage, door.url);
    } catch (error) {
      if (signal.aborted) {
        platform.stderr.write("Stopped before its end\n");
        return EXIT.failed;
      }
      if (!(error instanceof ListenError || error instanceof StageError)) throw error;
      platform.stderr.write(`${error.message}\n`);
      return EXIT.failed;
    } finally {
      quit();
      await door?.close();
      await endBoth();
      for (const stop of stops) stop();
    }
  },
};

/** The demo cannot begin. */
class StageError extends Error {
  override readonly name = "StageError";
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`Expected --port to be a number from 0 to 65535 but received "${text}"`);
}

function setStage(platform: Platform): Stage {
  const { clock, stdout } = platform;
  const startedAt = clock.elapsed();
  const timeline = new Timeline({
    write: (text) => stdout.write(text),
    elapsed: () => clock.elapsed() - startedAt,
    colours: stdout.isTerminal && platform.env("NO_COLOR") === undefined,
    upstreams: [PREFERRED.name, SPARE.name],
  });
  const deps = {
    platform,
    tell: (name: string, event: string, detail: string) => timeline.event(name, event, detail),
  };
  const ending = new AbortController();
  return {
    platform,
    timeline,
    preferred: new StagedUpstream(PREFERRED, deps),
    spare: new StagedUpstream(SPARE, deps),
    signal: ending.signal,
    quit: () => ending.abort(),
  };
}

function openStage(
  { platform, timeline, preferred, spare, signal }: Stage,
  { port, watched }: { port: number | undefined; watched: boolean },
): Promise<Door> {
  return openDoor({
    platform,
    upstreams: [preferred, spare],
    watched,
    account: (account) => {
      // What is cut off as the demo ends says nothing about the proxy.
      if (!signal.aborted) timeline.answered(account);
    },
    changed: (upstream, change) => {
      if (!signal.aborted) timeline.changed(upstream, change);
    },
  }, port);
}

function introduce({ timeline, preferred, spare }: Stage, { url, pageUrl }: Door): void {
  timeline.print("Two stand-ins for Ollama on this machine, and understudy in front of them:");
  timeline.print();
  timeline.print(`  proxy   ${url}`);
  for (const { name, url: own, role } of [preferred, spare]) {
    const part = name === PREFERRED.name ? "preferred" : "its understudy";
    timeline.print(`  ${name.padEnd(7)} ${own}   ${part}, a token every ${role.tokenEveryMs} ms`);
  }
  if (pageUrl === undefined) return;
  timeline.heading("Watch it, kill and revive them on its status page");
  timeline.print(`  ${pageUrl}`);
}

async function playScript(stage: Stage, url: string): Promise<number> {
  const { platform, timeline, preferred, spare, signal } = stage;
  const client: ClientDeps = { platform, url, signal, answerLimitMs: SCRIPT_ANSWER_LIMIT_MS };
  const answers: Answer[] = [];
  const note = (answer: Answer) => void answers.push(answer);
  const moments = await play({
    preferred,
    spare,
    lists: new Beat(LIST, SCRIPT_PACE.listEveryMs, client, note),
    streams: new Beat(GENERATE, SCRIPT_PACE.streamEveryMs, client, note),
    answers,
    heading: (text) => timeline.heading(text),
  }, { clock: platform.clock, signal });

  const verdict = judge(answers, moments, { preferred: preferred.name, spare: spare.name });
  timeline.heading("What the client saw");
  for (const line of verdict.lines.slice(0, -1)) timeline.print(line);
  timeline.print(timeline.paint(verdict.passed ? "green" : "red", verdict.lines.at(-1) ?? ""));
  return verdict.passed ? EXIT.fine : EXIT.failed;
}

/** Goes on until a key or a signal ends it. */
async function playLive(stage: Stage, url: string): Promise<number> {
  const { platform, timeline, preferred, signal, quit } = stage;
  const bare = url.replace("http://", "");
  timeline.heading("Try it from another terminal");
  timeline.print(`  curl ${bare}/api/tags`);
  timeline.print(`  curl -N ${bare}/api/generate -d '{"model":"llama3.2","prompt":"Hi"}'`);
  timeline.print(`  curl -sI ${bare}/ | grep answered`);
  timeline.heading(keysInWords(preferred.name));
  timeline.print();

  const client: ClientDeps = { platform, url, signal, answerLimitMs: Infinity };
  const load = [
    new Beat(LIST, LIVE_PACE.listEveryMs, client),
    new Beat(GENERATE, LIVE_PACE.streamEveryMs, client),
  ];
  for (const beat of load) beat.start();
  const say = (word: string, detail: string) => timeline.event("", word, detail);
  const stopKeys = platform.onKey((key) => press(key, { preferred, load, say, quit }));
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return EXIT.fine;
  } finally {
    stopKeys();
    for (const beat of load) beat.stop();
  }
}
