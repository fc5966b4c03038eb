// SPDX-License-Identifier: Apache-2.0
// Confirms an order by mail. It answers first and sends then: its span outlives its parent.
const { setTimeout: wait } = require('node:timers/promises');
const express = require('express');
const pino = require('pino');
const { trace } = require('@opentelemetry/api');

const log = pino({ name: 'notification' });
const tracer = trace.getTracer('notification');
const app = express();
app.use(express.json());

function sendConfirmation({ id, user }) {
  return tracer.startActiveSpan('send confirmation', async (span) => {
    span.setAttributes({ 'shop.order.id': id, 'enduser.id': user, 'shop.mail.template': 'order-confirmation' });
    await wait(45);
    log.info({ order: id }, 'confirmation sent');
    span.end();
  });
}

app.post('/orders', async (request, response) => {
  response.status(202).json({});
  await sendConfirmation(request.body);
});

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close());
