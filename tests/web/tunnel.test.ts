/** Two WebSockets joined: order, pauses, pings, and how both ends come to close. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageSocket } from "../../src/platform/platform.ts";
import { WebTunnel } from "../../src/web/tunnel.ts";
import { settled } from "../support/manual_clock.ts";

class FakeSocket implements MessageSocket {
  readonly heard: string[] = [];
  /** What `send` gives back. */
  full: Promise<void> | undefined;

  send(message: string | Uint8Array): Promise<void> | undefined {
    this.heard.push(String(message));
    return this.full;
  }

  ping(data: Uint8Array): void {
    this.heard.push(`ping ${data.length}`);
  }

  pong(data: Uint8Array): void {
    this.heard.push(`pong ${data.length}`);
  }

  close(code: number | undefined, reason: string): void {
    this.heard.push(`close ${code} ${reason}`);
  }

  pause(): void {
    this.heard.push("pause");
  }

  resume(): void {
    this.heard.push("resume");
  }
}

function joined() {
  const [tunnel, client, upstream] = [new WebTunnel(), new FakeSocket(), new FakeSocket()];
  tunnel.attach(upstream);
  tunnel.join(client);
  return { tunnel, client, upstream };
}

describe("WebTunnel", () => {
  it("passes messages, pings and pongs both ways", () => {
    const { tunnel, client, upstream } = joined();
    tunnel.fromClient.message("to upstream");
    tunnel.fromClient.ping(new Uint8Array(1));
    tunnel.fromUpstream.message("to client");
    tunnel.fromUpstream.pong(new Uint8Array(2));
    assert.deepEqual(upstream.heard, ["to upstream", "ping 1"]);
    assert.deepEqual(client.heard, ["to client", "pong 2"]);
  });

  it("keeps what the upstream says before the client's side is open, in order", () => {
    const [tunnel, client] = [new WebTunnel(), new FakeSocket()];
    tunnel.fromUpstream.message("one");
    tunnel.fromUpstream.message("two");
    tunnel.join(client);
    tunnel.fromUpstream.message("three");
    assert.deepEqual(client.heard, ["one", "two", "three"]);
  });

  it("gives a client its messages before the close, when all came before it was open", () => {
    const [tunnel, client] = [new WebTunnel(), new FakeSocket()];
    tunnel.fromUpstream.message("last words");
    tunnel.fromUpstream.close(4_000, "bye");
    tunnel.join(client);
    assert.deepEqual(client.heard, ["last words", "close 4000 bye"]);
  });

  it("stops reading one side while the other is full", async () => {
    const { tunnel, client, upstream } = joined();
    let drain: () => void = () => {};
    client.full = new Promise((resolve) => (drain = resolve));
    tunnel.fromUpstream.message("much");
    assert.deepEqual(upstream.heard, ["pause"]);
    drain();
    await settled();
    assert.deepEqual(upstream.heard, ["pause", "resume"]);
  });

  it("passes close codes on, and tells the bytes sent", async () => {
    const { tunnel, client, upstream } = joined();
    tunnel.fromUpstream.message("four");
    tunnel.fromUpstream.close(1_011, "broken");
    assert.deepEqual(client.heard, ["four", "close 1011 broken"]);
    assert.deepEqual(upstream.heard, []);
    assert.equal(await tunnel.ended, 4);
  });

  it("passes a close without a code on as such", () => {
    const { tunnel, upstream } = joined();
    tunnel.fromClient.close(undefined, "");
    assert.deepEqual(upstream.heard, ["close undefined "]);
  });

  it("goAway() ends both sides as going away", async () => {
    const { tunnel, client, upstream } = joined();
    tunnel.goAway();
    assert.deepEqual(client.heard, ["close 1001 going away"]);
    assert.deepEqual(upstream.heard, ["close 1001 going away"]);
    await tunnel.ended;
  });
});
