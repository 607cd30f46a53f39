/**
 * Makes a fresh checkout ready, on nothing but Node and npm: packages from the lockfile, and with
 * `--test` also the compiled binary and what Debian has for the tests. Quick when all is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Tests that need these are skipped with a reason where they cannot be installed. */
const DEBIAN_PACKAGES = {
  nginx: "nginx-light",
  ip: "iproute2",
  curl: "curl",
  openssl: "openssl",
  prometheus: "prometheus",
  chromium: "chromium",
  certutil: "libnss3-tools",
  caddy: "caddy",
  pebble: "pebble",
  h2load: "nghttp2-client",
  gtlsclient: "ngtcp2-client",
};

installPackages();
if (process.argv.includes("--test")) {
  installDebianPackages();
  run(bin("bun"), ["run", "build.ts"]);
}

function installPackages() {
  const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8"));
  // Each by its own file, as npm's own list tells what it did and not what is there.
  const current = Object.entries(packages).every(([path, { version, optional }]) =>
    path === "" || optional || versionIn(path) === version
  );
  if (!current) run("npm", ["ci", "--no-audit", "--no-fund"]);

  // Where npm was told to run no install scripts, Bun is a placeholder until its own has run.
  const works = spawnSync(bin("bun"), ["--version"]).status === 0;
  if (!works) run(process.execPath, ["node_modules/bun/install.js"]);
}

function versionIn(path) {
  const manifest = `${root}/${path}/package.json`;
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
}

function installDebianPackages() {
  const missing = Object.entries(DEBIAN_PACKAGES)
    .filter(([program]) =>
      !["/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((dir) => existsSync(`${dir}/${program}`))
    )
    .map(([, name]) => name);
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  spawnSync("apt-get", ["update"], quiet);
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...missing], quiet);
}

function bin(name) {
  return `${root}/node_modules/.bin/${name}`;
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (status === 0) return;
  console.error(
    `Cannot make this checkout ready: ${program} ${args.join(" ")} failed${
      error ? `: ${error.message}` : ""
    }`,
  );
  process.exit(1);
}
