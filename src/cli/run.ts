/** `understudy run`: serves what a configuration file says, and follows the file. */
import { type Command, EXIT } from "./command.ts";
import { engineNamed, serve } from "./serving.ts";
import { sourceOf } from "./source.ts";

export const run: Command = {
  name: "run",
  summary: "Serve what config.yaml says, and follow its changes (the default)",
  help: `Usage: understudy run [--config PATH]

Serves what the configuration says, and follows the file: a change is taken over
at once and whole, a mistake in it changes nothing and is logged.

  -c, --config PATH   Configuration file, YAML, or a Caddyfile: a path that ends
                      in Caddyfile or .caddyfile. Without it: ./config.yaml,
                      then /etc/understudy/config.yaml
      --engine NAME   What carries the bytes: wire (default), or web,
                      which is the runtime's own server and fetch

Signals:
  SIGHUP, SIGUSR1     Read the configuration again
  SIGUSR2             Go back to preferred upstreams (failback: manual)
  SIGTERM, SIGINT     Stop accepting, let running exchanges end (grace_period),
                      then exit; a second one exits at once

Exit codes: 0 fine, 1 failed (bad configuration, port taken), 2 usage.

A small config.yaml, which goes to the first machine whenever it is up:

  listen: ":8080"
  routes:
    - host: ollama.example.com
      upstreams:
        - http://192.168.1.5:11434
        - http://192.168.1.6:11434
      health: { uri: /, interval: 10s, timeout: 2s }
      passive: { fail_duration: 30s }
`,
  flags: {
    config: { type: "string", short: "c", values: "file" },
    engine: { type: "string", values: ["wire", "web"] },
  },

  async run(platform, args) {
    const engine = engineNamed(args.text("engine"));
    const source = await sourceOf(args.text("config"), platform);
    if (source === undefined) return EXIT.failed;
    const { config, text, path } = source;
    return await serve(config, { path, text, engine }, platform);
  },
};
