/** Upgraded connections: bytes both ways, early ones too, each side stopped while the other is slow, every kind of end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireTunnel } from "../../src/wire/tunnel.ts";
import { settled } from "../support/manual_clock.ts";
import { MemoryConnection } from "./memory_net.ts";
import { bytesOf } from "./transcript.ts";

function open({ protocol = "websocket", early = "", clientEarly = "" } = {}) {
  const upstream = new MemoryConnection();
  const client = new MemoryConnection();
  const tunnel = new WireTunnel(protocol, upstream, bytesOf(early));
  const join = () => tunnel.join(client, clientEarly === "" ? undefined : bytesOf(clientEarly));
  return { upstream, client, tunnel, join };
}

describe("WireTunnel", () => {
  it("passes bytes both ways, and first those that came early", async () => {
    const { upstream, client, tunnel, join } = open({ early: "a", clientEarly: "1" });
    upstream.says("b");
    assert.equal(upstream.paused, true);
    join();
    assert.equal(upstream.paused, false);
    upstream.says("c");
    client.says("2");
    assert.deepEqual([client.text, upstream.text], ["abc", "12"]);
    client.leaves();
    assert.equal(await tunnel.ended, 3);
    assert.equal(upstream.state, "closed");
  });

  it("stops one side while the other is slow", () => {
    const { upstream, client, join } = open();
    join();
    client.taking = false;
    upstream.says("a");
    assert.deepEqual([upstream.paused, client.paused], [true, false]);
    client.drains();
    assert.equal(upstream.paused, false);
    upstream.taking = false;
    client.says("1");
    assert.deepEqual([upstream.paused, client.paused], [false, true]);
  });

  it("shows a side that broke as broken to the other", () => {
    for (const clean of [true, false]) {
      const { upstream, client, join } = open();
      join();
      upstream.leaves(clean);
      assert.equal(client.state, clean ? "closed" : "reset");
    }
  });

  it("delivers what the upstream said before it left, when it left early", async () => {
    const { upstream, client, tunnel, join } = open({ early: "bye" });
    upstream.leaves();
    join();
    assert.deepEqual([client.text, client.state], ["bye", "closed"]);
    await settled();
    assert.equal(await tunnel.ended, 0);
  });

  it("says 1001 to both sides of a WebSocket when it goes away, once", () => {
    const { upstream, client, tunnel, join } = open();
    join();
    tunnel.goAway();
    tunnel.goAway();
    assert.deepEqual([upstream.text, client.text], [
      "\x88\x82\0\0\0\0\x03\xe9",
      "\x88\x02\x03\xe9",
    ]);
    assert.deepEqual([upstream.state, client.state], ["closed", "closed"]);
  });

  it("just ends another protocol when it goes away", () => {
    const { upstream, client, tunnel, join } = open({ protocol: "x" });
    join();
    tunnel.goAway();
    assert.deepEqual([upstream.text, client.text, client.state], ["", "", "closed"]);
  });
});
