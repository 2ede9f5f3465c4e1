// A second application behind the web server.
const http = require("node:http");
http
  .createServer((request, answer) => {
    let sum = 0;
    for (let i = 0; i < 5000; i++) sum += Math.sqrt(i) * request.url.length;
    answer.end(JSON.stringify({ sum, list: [1, 2, 3] }));
  })
  .listen(8002, "127.0.0.1");
