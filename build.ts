/**
 * Builds `dist/understudy`, one executable that needs nothing beside it. `--all` builds one for
 * every system below instead, with Bun's own executables from the npm registry as their base.
 */
import { $ } from "bun";
import manifest from "./package.json" with { type: "json" };

const root = import.meta.dir;
const bunVersion = manifest.devDependencies.bun;

/** System as Bun's `target` names it → package that holds its Bun, and the executable in there. */
const SYSTEMS = {
  "linux-x64": ["@oven/bun-linux-x64", "bin/bun"],
  "linux-arm64": ["@oven/bun-linux-aarch64", "bin/bun"],
  "darwin-x64": ["@oven/bun-darwin-x64", "bin/bun"],
  "darwin-arm64": ["@oven/bun-darwin-aarch64", "bin/bun"],
  "windows-x64": ["@oven/bun-windows-x64", "bin/bun.exe"],
} as const;

type System = keyof typeof SYSTEMS;

if (process.argv.includes("--all")) await buildAll();
else await build("dist/understudy");

async function buildAll(): Promise<void> {
  for (const system of Object.keys(SYSTEMS) as System[]) {
    const base = await fetchBun(system);
    const suffix = system.startsWith("windows") ? ".exe" : "";
    await build(`dist/understudy-${system}${suffix}`, {
      target: `bun-${system}`,
      executablePath: base,
    });
  }
}

async function build(
  outfile: string,
  foreign?: { target: Bun.Build.CompileTarget; executablePath: string },
): Promise<void> {
  const result = await Bun.build({
    entrypoints: [`${root}/src/main.ts`],
    minify: true,
    bytecode: true,
    format: "esm",
    // A chunk of its own for what is loaded on demand, so that a start reads no more than it needs.
    splitting: true,
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile: `${root}/${outfile}`,
      // The working directory of a proxy is no place to take code or settings from.
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...foreign,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `Cannot build ${outfile}`);
  const bytes = Bun.file(`${root}/${outfile}`).size;
  console.log(`${outfile}  ${(bytes / 1024 ** 2).toFixed(1)} MiB`);
}

/** Path of another system's Bun, unpacked from the registry once a version. */
async function fetchBun(system: System): Promise<string> {
  const [name, executable] = SYSTEMS[system];
  const folder = `${root}/dist/runtimes/${system}-${bunVersion}`;
  if (!(await Bun.file(`${folder}/package/${executable}`).exists())) {
    await $`mkdir -p ${folder}`;
    const packed = await $`npm pack --silent ${name}@${bunVersion} --pack-destination ${folder}`
      .text();
    await $`tar -xzf ${folder}/${packed.trim()} -C ${folder}`;
  }
  return `${folder}/package/${executable}`;
}
