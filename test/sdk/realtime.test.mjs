import assert from 'node:assert/strict';
import test from 'node:test';
import { befriend, code, failure, fill, listen, newAgent, until, wsURL } from './setup.mjs';
import { ConnectionError, RealtimeClient } from 'agentchatme';

const texts = (messages) => messages.map((m) => m.content.text);

test('live messages, acknowledged on the socket', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  const conversation = await befriend(a, b);
  await b.client.syncAck((await b.client.sync()).at(-1).delivery_id);
  const { socket, seen } = await listen(t, b);
  assert.equal(socket.isConnected, true);
  for (let i = 0; i < 5; i++) await a.client.sendMessage({ to: b.handle, content: { text: `live ${i}` } });
  await until('five messages', () => seen.messages.length === 5);
  assert.deepEqual(texts(seen.messages), ['live 0', 'live 1', 'live 2', 'live 3', 'live 4']);
  assert.equal(seen.messages[0].conversation_id, conversation);
  assert.equal(seen.messages[0].context.sender.handle, a.handle);
  await until('the acknowledgements', async () => (await b.client.sync()).length === 0);
});

test('drain, over socket and REST at once, without duplicates', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  await b.client.syncAck((await b.client.sync()).at(-1).delivery_id);
  await fill(a, b, 450);
  const { seen } = await listen(t, b, { client: b.client });
  await until('all messages', () => seen.messages.length >= 450, 30);
  await until('nothing left', async () => (await b.client.sync()).length === 0);
  assert.equal(new Set(seen.messages.map((m) => m.id)).size, 450);
  assert.equal(seen.messages.length, 450);
  const seqs = seen.messages.map((m) => m.seq);
  assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y));
});

test('drainOfflineEnvelopes by hand', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  const socket = new RealtimeClient({ apiKey: b.apiKey, client: b.client });
  t.after(() => socket.disconnect());
  const got = [];
  socket.on('message.new', (frame) => got.push(frame.payload));
  await socket.drainOfflineEnvelopes();
  assert.deepEqual(texts(got), ['hello']);
  assert.deepEqual(await b.client.sync(), []);
});

test('a hole is filled from the history', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  await b.client.syncAck((await b.client.sync()).at(-1).delivery_id);
  const gaps = [];
  const { seen } = await listen(t, b, { client: b.client, onSequenceGap: (gap) => gaps.push(gap) });
  await a.client.sendMessage({ to: b.handle, content: { text: 'three' } });
  await until('three', () => seen.messages.length === 1);
  await b.client.muteAgent(a.handle);
  await a.client.sendMessage({ to: b.handle, content: { text: 'four, unseen' } });
  await b.client.unmuteAgent(a.handle);
  await a.client.sendMessage({ to: b.handle, content: { text: 'five' } });
  await a.client.sendMessage({ to: b.handle, content: { text: 'six' } });
  await until('six', () => texts(seen.messages).includes('six'), 20);
  const got = texts(seen.messages);
  assert.equal(got.indexOf('five') < got.indexOf('six'), true);
  const seqs = seen.messages.map((m) => m.seq);
  assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y));
  assert.ok(gaps.every((gap) => gap.recovered), JSON.stringify(gaps));
});

test('a handler that throws is offered the message again', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  await b.client.syncAck((await b.client.sync()).at(-1).delivery_id);
  const { socket } = await listen(t, b);
  let thrown = 0;
  socket.on('message.new', () => { thrown += 1; throw new Error('not today'); });
  await a.client.sendMessage({ to: b.handle, content: { text: 'important' } });
  await until('the handler', () => thrown === 1);
  socket.disconnect();
  assert.deepEqual(texts(await b.client.sync()), ['important']);
  const { seen } = await listen(t, b);
  await until('the message', () => seen.messages.length === 1);
  assert.deepEqual(texts(seen.messages), ['important']);
});

test('typing, read receipts, presence', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  const conversation = await befriend(a, b);
  const one = await listen(t, a);
  const two = await listen(t, b);
  two.socket.sendTypingStart(conversation);
  two.socket.sendTypingStop(conversation);
  const typing = await until('typing', () => {
    const frames = one.seen.frames.filter((f) => f.type.startsWith('typing.'));
    return frames.length === 2 && frames;
  });
  assert.deepEqual(typing.map((f) => [f.type, f.payload.conversation_id, f.payload.sender]), [['typing.start', conversation, b.handle], ['typing.stop', conversation, b.handle]]);
  const { message } = await a.client.sendMessage({ to: b.handle, content: { text: 'read me' } });
  two.socket.sendReadAck(conversation, message.seq);
  const read = await until('the receipt', () => one.seen.frames.find((f) => f.type === 'message.read'));
  assert.deepEqual(
    [read.payload.conversation_id, read.payload.through_seq, read.payload.message_id, read.payload.reader],
    [conversation, message.seq, message.id, b.handle],
  );
  assert.ok(read.payload.at && read.payload.read_at === read.payload.at);
  await b.client.updatePresence({ status: 'busy', custom_message: 'deep work' });
  const presence = await until('presence', () => one.seen.frames.find((f) => f.type === 'presence.update' && f.payload.status === 'busy'));
  assert.deepEqual(presence.payload, { handle: b.handle, status: 'busy', custom_message: 'deep work' });
  two.socket.send({ type: 'presence.update', payload: { status: 'online' } });
  await until('presence', () => one.seen.frames.find((f) => f.type === 'presence.update' && f.payload.handle === b.handle && f.payload.status === 'online'));
});

test('groups live', async (t) => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { seen } = await listen(t, b);
  const { group, add_results: [{ invite_id: invite }] } = await a.client.createGroup({ name: 'live', member_handles: [b.handle] });
  const invited = await until('the invitation', () => seen.frames.find((f) => f.type === 'group.invite.received'));
  assert.deepEqual([invited.payload.id, invited.payload.group_id, invited.payload.inviter_handle], [invite, group.id, a.handle]);
  await b.client.acceptGroupInvite(invite);
  await a.client.sendMessage({ conversation_id: group.id, content: { text: 'hi all' } });
  await until('the message', () => texts(seen.messages).includes('hi all'));
  await a.client.deleteGroup(group.id);
  const deleted = await until('the end', () => seen.frames.find((f) => f.type === 'group.deleted'));
  assert.deepEqual([deleted.payload.group_id, deleted.payload.deleted_by_handle], [group.id, a.handle]);
  assert.equal(seen.messages.at(-1).content.data.event, 'group_deleted');
});

test('a rotated key ends the socket for good', async (t) => {
  const a = await newAgent();
  const { seen } = await listen(t, a);
  const begun = await a.client.rotateKey(a.handle);
  await a.client.rotateKeyVerify(a.handle, begun.pending_id, await code(a.email, 2));
  const close = await until('the close', () => seen.closes[0]);
  assert.deepEqual([close.code, close.reason], [1008, 'API key rotated']);
  const error = await until('the error', () => seen.errors[0]);
  assert.ok(error instanceof ConnectionError && error.message.includes('terminal code 1008'), String(error));
  const refused = await listenRefused(t, a);
  assert.deepEqual([refused.code, refused.reason], [1008, 'Invalid token']);
});

async function listenRefused(t, who) {
  const socket = new RealtimeClient({ apiKey: who.apiKey, baseUrl: wsURL });
  t.after(() => socket.disconnect());
  const closes = [];
  socket.onDisconnect((close) => closes.push(close));
  await socket.connect();
  return until('the refusal', () => closes[0]);
}

test('a disconnected client stays so', async (t) => {
  const a = await newAgent();
  const { socket } = await listen(t, a);
  socket.disconnect();
  assert.equal(socket.isConnected, false);
  assert.ok((await failure(socket.connect())) instanceof ConnectionError);
});
