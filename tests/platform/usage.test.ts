/** What the process takes of the machine, alike on both runtimes. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";

const linux = process.platform === "linux";

describe("usage()", () => {
  it("tells memory of a plausible size, and CPU time that only grows", () => {
    const before = platform.usage();
    assert.ok(before.residentBytes > 5 * 1024 ** 2, String(before.residentBytes));
    let sum = 0;
    while (platform.usage().cpuMs === before.cpuMs) sum += Math.sqrt(sum + 1);
    assert.ok(platform.usage().cpuMs > before.cpuMs);
  });

  it("counts files that are opened and closed", { skip: !linux }, () => {
    const before = platform.usage().openFiles ?? NaN;
    const files = Array.from({ length: 8 }, () => openSync(fileURLToPath(import.meta.url), "r"));
    // Others may open and close some of theirs meanwhile.
    assert.ok((platform.usage().openFiles ?? 0) >= before + 4);
    for (const file of files) closeSync(file);
  });
});
