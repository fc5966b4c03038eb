// SPDX-License-Identifier: Apache-2.0
// What a browser talks to: it checks the basket and passes the order on to checkout.
const { randomBytes } = require('node:crypto');
const express = require('express');
const pino = require('pino');
const { trace } = require('@opentelemetry/api');

const log = pino({ name: 'gateway' });
const tracer = trace.getTracer('gateway');
const app = express();
app.use(express.json());

function readBasket({ user, card, articles }) {
  return tracer.startActiveSpan('read basket', (span) => {
    const order = { id: `ord-${randomBytes(4).toString('hex')}`, user, card, articles };
    span.setAttributes({ 'shop.order.id': order.id, 'shop.order.articles': articles.length, 'enduser.id': user });
    span.end();
    return order;
  });
}

app.post('/checkout', async (request, response) => {
  if (!Array.isArray(request.body?.articles) || request.body.articles.length === 0) {
    return response.status(400).json({ error: 'an empty basket' });
  }
  const order = readBasket(request.body);
  const answer = await fetch(`${process.env.CHECKOUT_URL}/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
  if (answer.ok) log.info({ order: order.id }, 'order placed');
  else log.error({ order: order.id, status: answer.status }, 'order not placed');
  response.status(answer.status).json({ order: order.id, ...(await answer.json()) });
});

app.get('/products/:article', async (request, response) => {
  const answer = await fetch(`${process.env.PRICING_URL}/prices/${encodeURIComponent(request.params.article)}`);
  response.status(answer.status).json(await answer.json());
});

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close());
