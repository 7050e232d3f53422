import assert from 'node:assert/strict';
import test from 'node:test';
import {
  AgentChatClient, AgentChatError, AwaitingReplyError, ForbiddenError, NotFoundError, RateLimitedError,
  RecipientBackloggedError, RestrictedError, SuspendedError, UnauthorizedError, ValidationError, paginate, parseRetryAfter,
  renderMessageContext,
} from 'agentchatme';
import { befriend, failure, fill, limited as limitedServer, name, newAgent, serverDo, until, url } from './setup.mjs';

test('send, replay, and what the message shows', async () => {
  const [a, b] = [await newAgent({ display_name: 'Ann' }), await newAgent()];
  const seen = [];
  const client = new AgentChatClient({ apiKey: a.apiKey, baseUrl: url, hooks: { onResponse: (r) => { seen.push(r.status); } } });
  const request = {
    to: `@${b.handle}`, client_msg_id: 'first', type: 'structured',
    content: { type: 'text', text: `hello @${b.handle} and @Zed-1`, data: { n: 1, nested: { big: 12345678901234567 } } },
    metadata: { trace: 'x' },
  };
  const { message, backlogWarning } = await client.sendMessage(request);
  assert.equal(backlogWarning, null);
  assert.match(message.id, /^msg_/);
  assert.match(message.conversation_id, /^conv_/);
  assert.deepEqual([message.sender, message.seq, message.type, message.client_msg_id], [a.handle, 1, 'structured', 'first']);
  assert.equal(message.content.data.nested.big, 12345678901234567);
  assert.deepEqual(message.metadata, { trace: 'x' });
  const { message: replayed } = await client.sendMessage({ ...request, content: { text: 'other' }, to: name() });
  assert.equal(replayed.id, message.id);
  assert.equal(replayed.content.text, message.content.text);
  assert.deepEqual(seen, [201, 200]);
  const [row] = await b.client.sync();
  assert.equal(row.id, message.id);
  assert.match(row.delivery_id, /^del_[0-9a-f]{32}$/);
  assert.equal(row.status, 'stored');
  assert.deepEqual(row.context, {
    sender: { handle: a.handle, display_name: 'Ann', kind: 'agent' },
    conversation: { type: 'direct', group_name: null, member_count: null },
    mentions: [b.handle, 'zed-1'],
  });
  const text = renderMessageContext(row, { selfHandle: b.handle });
  assert.ok(text.includes(`From: Ann (@${a.handle})`) && text.includes('direct message'));
});

test('the one opener, and who may answer', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { message } = await a.client.sendMessage({ to: b.handle, content: { text: 'hello?' } });
  const waiting = await failure(a.client.sendMessage({ to: b.handle, content: { text: 'hello??' } }));
  assert.ok(waiting instanceof AwaitingReplyError);
  assert.deepEqual([waiting.recipientHandle, new Date(waiting.waitingSince).toISOString()], [b.handle, message.created_at]);
  await b.client.sendMessage({ to: a.handle, content: { text: 'yes' } });
  assert.equal((await a.client.sendMessage({ to: b.handle, content: { text: 'good' } })).message.seq, 3);
  assert.equal((await a.client.checkContact(b.handle)).is_contact, true);
});

test('refusals have their classes', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const send = (to, content = { text: 'x' }) => failure(a.client.sendMessage({ to, content }));
  assert.ok((await send(a.handle)) instanceof ValidationError);
  assert.ok((await send(name())) instanceof NotFoundError);
  assert.ok((await send(b.handle, {})) instanceof ValidationError);
  const large = await send(b.handle, { text: 'x'.repeat(33_000) });
  assert.ok(large instanceof AgentChatError);
  assert.deepEqual([large.status, large.code], [413, 'CONTENT_TOO_LARGE']);
  await b.client.updateAgent(b.handle, { settings: { inbox_mode: 'contacts_only' } });
  const restricted = await send(b.handle);
  assert.ok(restricted instanceof ForbiddenError);
  assert.equal(restricted.code, 'INBOX_RESTRICTED');
  assert.ok(restricted.requestId);
  const nobody = new AgentChatClient({ apiKey: 'ac_live_' + 'x'.repeat(43), baseUrl: url });
  assert.ok((await failure(nobody.sendMessage({ to: b.handle, content: { text: 'x' } }))) instanceof UnauthorizedError);
});

test('too many blocks restrict and suspend', async () => {
  const spammer = await newAgent();
  const victims = await Promise.all(Array.from({ length: 15 }, () => newAgent()));
  const known = await newAgent();
  await spammer.client.sendMessage({ to: known.handle, content: { text: 'x' } });
  for (const victim of victims) {
    await spammer.client.sendMessage({ to: victim.handle, content: { text: 'buy' } });
    await victim.client.blockAgent(spammer.handle);
  }
  const stranger = await newAgent();
  assert.ok((await failure(spammer.client.sendMessage({ to: stranger.handle, content: { text: 'x' } }))) instanceof RestrictedError);
  assert.equal((await spammer.client.getMe()).status, 'restricted');
  await serverDo(`suspend?handle=${spammer.handle}`);
  const suspended = await failure(spammer.client.listContacts());
  assert.ok(suspended instanceof SuspendedError);
  assert.equal((await spammer.client.getMe()).status, 'suspended');
});

test('history by every cursor', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const conversation = await befriend(a, b);
  const ids = [];
  for (let i = 3; i <= 12; i++) ids.push((await a.client.sendMessage({ to: b.handle, content: { text: String(i) } })).message.id);
  const seqs = async (options) => (await b.client.getMessages(conversation, options)).map((m) => m.seq);
  assert.deepEqual(await seqs(), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await seqs({ beforeSeq: 5, limit: 3 }), [4, 3, 2]);
  assert.deepEqual(await seqs({ afterSeq: 9, limit: 200 }), [10, 11, 12]);
  assert.deepEqual(await seqs({ aroundMessageId: ids[2], limit: 2 }), [5, 4]);
  assert.ok((await failure(b.client.getMessages(conversation, { beforeSeq: 3, afterSeq: 1 }))) instanceof ValidationError);
  const own = await a.client.getMessages(conversation, { limit: 1 });
  assert.deepEqual([own[0].is_own, own[0].status], [true, 'stored']);
  await b.client.markAsRead(ids[9]);
  const read = (await a.client.getMessages(conversation, { limit: 1 }))[0];
  assert.equal(read.status, 'read');
  assert.ok(read.read_at && read.delivered_at);
  await b.client.deleteMessage(ids[8]);
  await b.client.deleteMessage(ids[8]);
  assert.deepEqual(await seqs({ limit: 2 }), [12, 10]);
  assert.ok((await failure(a.client.markAsRead(ids[9]))) instanceof NotFoundError);
  const outsider = await newAgent();
  assert.equal((await failure(outsider.client.getMessages(conversation))).code, 'CONVERSATION_NOT_FOUND');
});

test('sync pages forward and acknowledges', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  for (let i = 0; i < 9; i++) await a.client.sendMessage({ to: b.handle, content: { text: `n${i}` } });
  const first = await b.client.sync({ limit: 4 });
  assert.deepEqual(first.map((r) => r.content.text), ['hello', 'n0', 'n1', 'n2']);
  assert.deepEqual((await b.client.sync({ limit: 4 })).map((r) => r.id), first.map((r) => r.id));
  assert.deepEqual(await b.client.syncAck(first[3].delivery_id), { acked: 4 });
  assert.deepEqual(await b.client.syncAck(first[3].delivery_id), { acked: 0 });
  const rest = await b.client.sync({ limit: 100, after: first[3].delivery_id });
  assert.deepEqual(rest.map((r) => r.content.text), ['n3', 'n4', 'n5', 'n6', 'n7', 'n8']);
  assert.deepEqual(await b.client.sync({ after: 'del_nonsense' }), []);
  assert.deepEqual(await b.client.syncAck('del_nonsense'), { acked: 0 });
});

test('conversations', async () => {
  const [a, b, c] = [await newAgent(), await newAgent({ display_name: 'Bob' }), await newAgent()];
  const ab = await befriend(a, b);
  const ac = await befriend(a, c);
  await b.client.sendMessage({ to: a.handle, content: { text: 'line one\nline two' } });
  const list = await a.client.listConversations();
  assert.deepEqual(list.map((row) => row.id), [ab, ac]);
  const row = list[0];
  assert.deepEqual(row.participants, [{ handle: b.handle, display_name: 'Bob', avatar_url: null }]);
  assert.deepEqual(
    [row.type, row.last_message_preview, row.last_message_is_own, row.unread_count, row.oldest_unread_seq, row.newest_unread_seq, row.is_muted],
    ['direct', 'line one line two', false, 2, 2, 3, false],
  );
  assert.deepEqual(await a.client.getConversationParticipants(ab), row.participants);
  const context = await a.client.getConversationContext(ab);
  assert.deepEqual([context.type, context.counterparty.handle, context.relationship.is_contact], ['direct', b.handle, true]);
  assert.deepEqual(context.unread, { count: 2, oldest_seq: 2, newest_seq: 3 });
  await a.client.hideConversation(ab);
  assert.deepEqual((await a.client.listConversations()).map((r) => r.id), [ac]);
  assert.deepEqual(await a.client.getMessages(ab), []);
  await b.client.sendMessage({ to: a.handle, content: { text: 'back' } });
  assert.deepEqual((await a.client.listConversations({ limit: 1, offset: 0 })).map((r) => r.id), [ab]);
  assert.deepEqual((await a.client.getMessages(ab)).map((m) => m.content.text), ['back']);
});

test('idempotency keys on other mutations', async () => {
  const a = await newAgent();
  const headers = [];
  const fetchFn = async (...args) => {
    const response = await fetch(...args);
    headers.push(response.headers.get('idempotent-replay'));
    return response;
  };
  const client = new AgentChatClient({ apiKey: a.apiKey, baseUrl: url, fetch: fetchFn });
  const once = { idempotencyKey: `key-${name()}` };
  const first = await client.createGroup({ name: 'Once' }, once);
  const second = await client.createGroup({ name: 'Once' }, once);
  assert.equal(second.group.id, first.group.id);
  assert.deepEqual(headers, [null, 'true']);
  assert.equal((await client.listConversations()).length, 1);
  const conflict = await failure(client.createGroup({ name: 'Twice' }, once));
  assert.deepEqual([conflict.status, conflict.code], [422, 'IDEMPOTENCY_KEY_CONFLICT']);
  const bad = await failure(client.updateAgent(a.handle, {}, { idempotencyKey: 'short' }));
  assert.deepEqual([bad.status, bad.code], [400, 'IDEMPOTENCY_KEY_INVALID']);
});

test('backlog: warning from 5,000, stop at 10,000', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  await b.client.sync(); // what has come so far stays undelivered
  await fill(a, b, 4999);
  const warnings = [];
  const client = new AgentChatClient({ apiKey: a.apiKey, baseUrl: url, onBacklogWarning: (w) => warnings.push(w) });
  const { backlogWarning } = await client.sendMessage({ to: b.handle, content: { text: 'x' } });
  assert.deepEqual(backlogWarning, { recipientHandle: b.handle, undeliveredCount: 5000 });
  assert.deepEqual(warnings, [backlogWarning]);
  await fill(a, b, 4999);
  const stopped = await failure(client.sendMessage({ to: b.handle, content: { text: 'x' } }));
  assert.ok(stopped instanceof RecipientBackloggedError);
  assert.deepEqual([stopped.recipientHandle, stopped.undeliveredCount], [b.handle, 10000]);
});

test('a flood is limited, and the SDK waits as told', async () => {
  const baseUrl = limitedServer.url;
  const { apiKey } = await newAgent({ server: limitedServer });
  const client = new AgentChatClient({ apiKey, baseUrl, retry: { maxRetries: 0, baseDelayMs: 1, maxDelayMs: 1 } });
  const limited = await until('a limit', async () => {
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => client.muteAgent('chatfather')));
    return results.find((r) => r.status === 'rejected')?.reason;
  });
  assert.ok(limited instanceof RateLimitedError);
  assert.ok(limited.retryAfterMs >= 1000);
  const patient = new AgentChatClient({ apiKey, baseUrl });
  assert.equal((await patient.muteAgent('chatfather', { idempotencyKey: `key-${name()}` })).target_kind, 'agent');
});

test('helpers', async () => {
  assert.equal(parseRetryAfter('7'), 7000);
  const items = [];
  for await (const n of paginate(async (offset, limit) => ({ items: [1, 2, 3].slice(offset, offset + limit), total: 3, limit, offset }), { pageSize: 2 })) items.push(n);
  assert.deepEqual(items, [1, 2, 3]);
});
