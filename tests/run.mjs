/**
 * Runs everything that must hold: types, lint and format, then the one suite on both runtimes; with
 * `--hard` only what takes minutes, on the compiled binary at full length.
 * Ends with every failure once more and `N passed, N failed`, a check counting as one, and exits 1
 * when anything failed.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import "./ready.mjs";
import { count, failures } from "./told.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => `${root}/node_modules/.bin/${name}`;
const page = "src/ops/page/client";

const CHECKS = {
  types: [bin("deno"), "check", "--quiet", "src", "tests"],
  // The page's script is checked against a browser and not against a runtime.
  "types of the page": [bin("deno"), "check", "--quiet", "--config", `${page}/deno.json`, page],
  lint: [bin("oxlint"), "--type-aware", "--deny-warnings"],
  format: [bin("deno"), "fmt", "--quiet", "--check"],
};

const bunTest = [bin("bun"), "test", "--timeout", "120000"];
const denoTest = [bin("deno"), "test", "-A", "--quiet", "--no-lock", "--no-check"];

/** Everything on the wire engine; what people rely on once more on the web engine. */
const SUITES = {
  "bun test": bunTest,
  "deno test": [...denoTest, "tests"],
  "bun test, web engine": ["env", "ENGINE=web", "SUBJECTS=bun", ...bunTest, "tests/e2e"],
  "deno test, web engine": ["env", "ENGINE=web", ...denoTest, "tests/e2e"],
};

const HARD_SUITES = {
  "bun test tests/hard": [bin("bun"), "test", "--timeout", "900000", "tests/hard"],
};
const hard = process.argv.includes("--hard");
/** What tests in `tests/hard` take from the environment; what is set already stays. */
const env = hard
  ? { HARD: "1", SUBJECTS: "binary", FUZZ_INPUTS: "100000", ...process.env }
  : process.env;

const total = { passed: 0, failed: 0 };
/** What is told again at the end, where it can be found. */
const told = [];
for (const [name, command] of Object.entries(hard ? {} : CHECKS)) {
  const { code, output } = await run(name, command);
  total[code === 0 ? "passed" : "failed"]++;
  if (code !== 0) told.push(`— ${name}`, output.slice(-2000));
}
for (const [name, command] of Object.entries(hard ? HARD_SUITES : SUITES)) {
  const { code, output } = await run(name, command);
  const counted = count(output);
  total.passed += counted.passed;
  total.failed += counted.failed;
  // A runner that dies or finds nothing counts no failure of its own.
  const died = counted.failed === 0 && (code !== 0 || counted.passed === 0);
  if (died) total.failed++;
  if (counted.failed > 0) told.push(`— ${name}`, ...failures(output));
  if (died) told.push(`— ${name} ended with ${code}`, output.slice(-2000));
}
if (told.length > 0) console.log(`\n— what failed\n\n${told.join("\n\n")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs a command, showing what it prints and keeping it. */
async function run(name, [program, ...args]) {
  console.log(`\n— ${name}`);
  const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output += data;
      process.stdout.write(data);
    });
  }
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, output };
}
