/** `understudy proxy`: serves a pool named on the command line, without any file. */
import { stringify } from "yaml";
import { type Command, EXIT, UsageError } from "./command.ts";
import { serve } from "./serving.ts";
import { checkConfig } from "./source.ts";

export const proxy: Command = {
  name: "proxy",
  summary: "Serve without a file: --from :8080 --to URL --to URL",
  help: `Usage: understudy proxy --to URL [--to URL …] [--from ADDRESS]

Serves every host on one address, or one host by its name, and forwards to the
first upstream that is up, in the order given. A configuration file can do more.

      --to URL              Upstream, preferred ones first; at least one
      --from ADDRESS        Address to listen on, ":8080" by default; or a name,
                            which is served with HTTPS on port 443
      --health-uri PATH     What to probe, "/" by default; any answer below 500
                            passes. "off" probes nothing
      --health-interval D   Time between probes, 10s by default
      --fail-duration D     How long a failure is remembered, 30s by default
      --failback MODE       immediate (default), sticky or manual
      --log FORMAT          json, text or off; text at a terminal, else json

Example: the GPU box whenever it is up, else the one that always is
  understudy proxy --to http://192.168.1.5:11434 --to http://192.168.1.6:11434
`,
  flags: {
    from: { type: "string" },
    to: { type: "string", multiple: true },
    "health-uri": { type: "string" },
    "health-interval": { type: "string" },
    "fail-duration": { type: "string" },
    failback: { type: "string", values: ["immediate", "sticky", "manual"] },
    log: { type: "string", values: ["json", "text", "off"] },
  },

  async run(platform, args) {
    const upstreams = args.texts("to");
    if (upstreams.length === 0) throw new UsageError("Expected at least one --to URL");
    const uri = args.text("health-uri") ?? "/";
    const from = args.text("from") ?? ":8080";
    const isName = !/[:/]|^\d*$/.test(from);
    // The same door as a file's: one set of rules, one set of messages.
    const text = stringify({
      listen: isName ? ":443" : from,
      log: { format: args.text("log") ?? (platform.stdout.isTerminal ? "text" : "json") },
      routes: [{
        ...(isName && { host: from }),
        upstreams,
        failback: args.text("failback") ?? "immediate",
        passive: { fail_duration: args.text("fail-duration") ?? "30s" },
        ...(uri !== "off" && {
          health: {
            uri,
            interval: args.text("health-interval") ?? "10s",
            timeout: "2s",
            status: ["2xx", "3xx", "4xx"],
          },
        }),
      }],
    });
    const source = await checkConfig(text, "(command line)", platform);
    if (source.kind === "refused") {
      platform.stderr.write(`${source.problems.join("\n")}\n`);
      return EXIT.usage;
    }
    return await serve(source.config, { path: undefined }, platform);
  },
};
