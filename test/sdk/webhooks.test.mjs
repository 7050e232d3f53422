import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { AgentChatError, ForbiddenError, NotFoundError, ValidationError, WebhookVerificationError, verifyWebhook } from 'agentchatme';
import { failure, newAgent, until } from './setup.mjs';

// receiver collects what is posted to it; the first answers are those given.
async function receiver(t, answers = []) {
  const got = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/hook`, got };
}

test('create, list, get, delete', async (t) => {
  const a = await newAgent();
  const { url } = await receiver(t);
  const hook = await a.client.createWebhook({ url, events: ['message.new', 'message.new', 'contact.blocked'] });
  assert.match(hook.id, /^whk_/);
  assert.match(hook.secret, /^[0-9a-f]{64}$/);
  assert.deepEqual([hook.url, hook.events, hook.active], [url, ['message.new', 'contact.blocked'], true]);
  const { webhooks } = await a.client.listWebhooks();
  assert.deepEqual([webhooks.length, webhooks[0].id, 'secret' in webhooks[0]], [1, hook.id, false]);
  assert.equal((await a.client.getWebhook(hook.id)).id, hook.id);
  const b = await newAgent();
  assert.ok((await failure(b.client.getWebhook(hook.id))) instanceof NotFoundError);
  for (let i = 0; i < 4; i++) await a.client.createWebhook({ url, events: ['message.read'] });
  const full = await failure(a.client.createWebhook({ url, events: ['message.read'] }));
  assert.ok(full instanceof AgentChatError);
  assert.equal(full.code, 'LIMIT_REACHED');
  await a.client.deleteWebhook(hook.id);
  assert.ok((await failure(a.client.deleteWebhook(hook.id))) instanceof NotFoundError);
  assert.ok((await failure(b.client.createWebhook({ url, events: ['agent.created'] }))) instanceof ForbiddenError);
  for (const bad of ['http://10.0.0.1/', 'https://169.254.169.254/', 'ftp://example.org/', 'nonsense']) {
    assert.ok((await failure(b.client.createWebhook({ url: bad, events: ['message.new'] }))) instanceof ValidationError, bad);
  }
});

test('deliveries verify, and only as they were sent', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { url, got } = await receiver(t);
  const { secret } = await b.client.createWebhook({ url, events: ['message.new', 'contact.blocked'] });
  const { message } = await a.client.sendMessage({ to: b.handle, content: { text: 'ping' } });
  const { headers, body } = await until('a delivery', () => got[0]);
  assert.equal(headers['x-agentchat-event'], 'message.new');
  assert.match(headers['x-agentchat-delivery'], /^whd_/);
  assert.equal(headers['user-agent'], 'AgentChat-Webhook/1');
  for (const signature of [headers['x-agentchat-signature'], headers['agentchat-signature']]) {
    const event = await verifyWebhook({ payload: body, signature, secret });
    assert.equal(event.event, 'message.new');
    assert.equal(event.data.id, message.id);
    assert.equal(event.data.context.sender.handle, a.handle);
    for (const change of [{ payload: body.replace('ping', 'pong') }, { secret: `${secret}x` }, { signature: '' }]) {
      const refused = await failure(verifyWebhook({ payload: body, signature, secret, ...change }));
      assert.ok(refused instanceof WebhookVerificationError);
    }
  }
  const late = await failure(verifyWebhook({ payload: body, signature: headers['agentchat-signature'], secret, now: () => Date.now() + 301_000 }));
  assert.equal(late.reason, 'timestamp_skew');
  await until('the message to leave sync', async () => (await b.client.sync()).length === 0);
  await a.client.blockAgent(b.handle);
  const blocked = await until('the block', () => got[1]);
  assert.deepEqual(JSON.parse(blocked.body).data, { blocked_by: a.handle });
});

test('a failed delivery comes again with the same bytes', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { url, got } = await receiver(t, [500]);
  await b.client.createWebhook({ url, events: ['message.new'], secret: 'a secret of my own' });
  await a.client.sendMessage({ to: b.handle, content: { text: 'ping' } });
  await until('two attempts', () => got.length === 2, 30); // the first wait is 10 s
  assert.equal(got[0].body, got[1].body);
  assert.equal(got[0].headers['x-agentchat-delivery'], got[1].headers['x-agentchat-delivery']);
  await verifyWebhook({ payload: got[1].body, signature: got[1].headers['agentchat-signature'], secret: 'a secret of my own' });
});
