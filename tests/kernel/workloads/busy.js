// node busy.js SECONDS: a server that is its own client, with everything that makes V8 compile: fresh functions,
// regular expressions, WebAssembly and worker threads; at times it runs a program.
"use strict";
const http = require("http");
const { execFileSync } = require("child_process");
const { Worker, isMainThread, workerData } = require("worker_threads");

// (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
const WASM = Buffer.from(
  "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b",
  "hex",
);

function compute(turn) {
  let sum = 0;
  const fresh = new Function("n", `let s = ${turn}; for (let i = 0; i < n; i++) s += i % ${(turn % 7) + 2}; return s;`);
  const pattern = new RegExp(`(a|b${turn % 100})*c`);
  const add = new WebAssembly.Instance(new WebAssembly.Module(WASM)).exports.add;
  for (let i = 0; i < 2000; i++) sum = add(sum, fresh(20)) | 0;
  return sum + Number(pattern.test("ab".repeat(20) + "c"));
}

function work(end, turn = 0) {
  while (Date.now() < end) compute(turn++);
}

const end = Date.now() + 1000 * (isMainThread ? Number(process.argv[2]) : workerData);
if (!isMainThread) {
  work(end);
} else {
  new Worker(__filename, { workerData: Number(process.argv[2]) });
  const server = http.createServer((request, response) => response.end(String(compute(Date.now()))));
  let requests = 0;
  function ask() {
    if (Date.now() >= end) {
      server.close();
      console.log(requests);
      return;
    }
    if (requests++ % 50 === 0) execFileSync("true");
    const { address, port } = server.address();
    http.get({ host: address, port, agent: false }, (answer) => answer.resume().on("end", ask));
  }
  server.listen(0, "127.0.0.1", ask);
}
