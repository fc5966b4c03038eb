// SPDX-License-Identifier: Apache-2.0
// The payment provider of the shop, or rather its stand-in: it asks the card's issuer, which takes
// its time. Amex is always slow here; the fault `slow-stripe` makes every card slow.
const { setTimeout: wait } = require('node:timers/promises');
const express = require('express');
const pino = require('pino');
const { trace, SpanStatusCode } = require('@opentelemetry/api');

const log = pino({ name: 'stripe-api' });
const tracer = trace.getTracer('stripe-api');
const app = express();
app.use(express.json());
let delayMs = 0;

function authorize(card) {
  return tracer.startActiveSpan('authorize with issuer', async (span) => {
    await wait(110 + (card === 'amex' ? 4000 : delayMs));
    span.setAttribute('payment.card.network', card);
    const approved = card !== 'expired';
    if (!approved) span.setStatus({ code: SpanStatusCode.ERROR, message: 'card_declined' });
    span.end();
    return approved;
  });
}

app.post('/v1/charges', async (request, response) => {
  const began = Date.now();
  const approved = await authorize(request.body.card);
  const ms = Date.now() - began;
  if (ms > 1000) log.warn({ ms }, `the issuer took ${ms} ms`);
  if (approved) return response.json({ status: 'succeeded' });
  log.error('card declined');
  response.status(402).json({ error: 'card_declined' });
});

app.put('/delay/:ms', (request, response) => {
  delayMs = Number(request.params.ms);
  response.json({ delayMs });
});

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close());
