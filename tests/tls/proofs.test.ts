/** The board of proofs that are on show. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProofBoard } from "../../src/tls/proofs.ts";

const ONE = { chain: "one", key: "1" };
const TWO = { chain: "two", key: "2" };

describe("ProofBoard", () => {
  it("http() shows an answer until it is taken away", () => {
    const board = new ProofBoard();
    const close = board.showHttp("token", "answer");
    assert.equal(board.http("token"), "answer");
    assert.equal(board.http("TOKEN"), undefined);
    close();
    assert.equal(board.http("token"), undefined);
  });

  it("alpn() shows the later of two, and the other one once that is gone", () => {
    const board = new ProofBoard();
    const closeOne = board.showAlpn("a.example", ONE);
    const closeTwo = board.showAlpn("a.example", TWO);
    assert.equal(board.alpn("a.example"), TWO);
    closeTwo();
    assert.equal(board.alpn("a.example"), ONE);
    closeTwo();
    assert.equal(board.alpn("a.example"), ONE);
    closeOne();
    assert.equal(board.alpn("a.example"), undefined);
  });

  it("alpn() shows the later one also when the earlier one goes first", () => {
    const board = new ProofBoard();
    const closeOne = board.showAlpn("a.example", ONE);
    board.showAlpn("a.example", TWO);
    closeOne();
    assert.equal(board.alpn("a.example"), TWO);
  });
});
