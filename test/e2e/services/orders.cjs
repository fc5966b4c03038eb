// SPDX-License-Identifier: Apache-2.0
// The second service of the SDK test: Node's own http, pino for logs. It calls `stock`.
const http = require('node:http');
const pino = require('pino');

const log = pino();

const server = http.createServer((request, response) => {
  const article = request.url.split('/').pop();
  log.info({ article }, `ordering ${article}`);
  http
    .get(`${process.env.STOCK_URL}/stock/${article}`, (answer) => {
      let body = '';
      answer.on('data', (bytes) => (body += bytes));
      answer.on('end', () => {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ article, stock: JSON.parse(body) }));
      });
    })
    .on('error', (error) => {
      log.error(error, 'stock does not answer');
      response.statusCode = 502;
      response.end('{}');
    });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close());
