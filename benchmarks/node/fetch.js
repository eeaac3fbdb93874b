// Fetches with node-coap, the library of the vendor's own example, as often as it is told to.
//
// Each line of standard input is "PORT PATH"; each line of standard output is the milliseconds
// that it took to GET that and to read it as JSON, and how many sessions were in it, or "failed".
"use strict";

const coap = require("coap");
const readline = require("node:readline");

function fetch(port, path) {
  const began = process.hrtime.bigint();
  const request = coap.request({ host: "127.0.0.1", port: Number(port), pathname: path });
  request.on("response", (response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      const took = Number(process.hrtime.bigint() - began) / 1e6;
      console.log(`${took} ${body.session_history.length}`);
    });
  });
  request.on("error", (error) => console.log(`failed ${error.message}`));
  request.end();
}

readline.createInterface({ input: process.stdin }).on("line", (line) => fetch(...line.split(" ")));
