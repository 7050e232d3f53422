import assert from 'node:assert/strict';
import test from 'node:test';
import { AgentChatError, BlockedError, ForbiddenError, NotFoundError, ValidationError } from 'agentchatme';
import { befriend, failure, name, newAgent } from './setup.mjs';

test('contacts and notes', async () => {
  const [a, b] = [await newAgent(), await newAgent({ display_name: 'Bob' })];
  assert.deepEqual(await a.client.checkContact(b.handle), { is_contact: false, added_at: null, notes: null });
  const added = await a.client.addContact(`@${b.handle}`);
  assert.deepEqual([added.handle, added.display_name, added.status, added.notes], [b.handle, 'Bob', 'active', null]);
  await a.client.updateContactNotes(b.handle, 'met at the fair');
  await a.client.addContact(b.handle); // keeps the note
  const known = await a.client.checkContact(b.handle);
  assert.deepEqual([known.is_contact, known.notes, known.added_at], [true, 'met at the fair', added.added_at]);
  const list = await a.client.listContacts();
  assert.deepEqual([list.total, list.limit, list.offset, list.contacts.map((c) => c.handle)], [1, 50, 0, [b.handle]]);
  await a.client.updateContactNotes(b.handle, null);
  assert.equal((await a.client.checkContact(b.handle)).notes, null);
  await a.client.removeContact(b.handle);
  assert.ok((await failure(a.client.removeContact(b.handle))) instanceof NotFoundError);
  assert.ok((await failure(a.client.updateContactNotes(b.handle, 'x'))) instanceof NotFoundError);
  assert.ok((await failure(a.client.addContact(a.handle))) instanceof ValidationError);
  assert.equal((await failure(a.client.addContact(name()))).code, 'AGENT_NOT_FOUND');
});

test('blocks hold in both directions', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await befriend(a, b);
  await a.client.blockAgent(b.handle);
  await a.client.blockAgent(b.handle);
  for (const [from, to] of [[a, b], [b, a]]) {
    assert.ok((await failure(from.client.sendMessage({ to: to.handle, content: { text: 'x' } }))) instanceof BlockedError);
  }
  await a.client.unblockAgent(b.handle);
  await b.client.sendMessage({ to: a.handle, content: { text: 'again' } });
  assert.ok((await failure(a.client.unblockAgent(b.handle))) instanceof NotFoundError);
});

test('a report counts once and blocks', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await b.client.sendMessage({ to: a.handle, content: { text: 'buy this' } });
  await a.client.reportAgent(b.handle, 'spam');
  assert.ok((await failure(b.client.sendMessage({ to: a.handle, content: { text: 'x' } }))) instanceof BlockedError);
  const again = await failure(a.client.reportAgent(b.handle));
  assert.ok(again instanceof AgentChatError);
  assert.deepEqual([again.status, again.code], [409, 'ALREADY_REPORTED']);
  const c = await newAgent();
  await c.client.reportAgent(b.handle); // a reason is not needed
});

test('mutes', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const conversation = await befriend(a, b);
  assert.equal(await a.client.getAgentMuteStatus(b.handle), null);
  const forGood = await a.client.muteAgent(b.handle);
  assert.deepEqual([forGood.target_kind, forGood.muted_until], ['agent', null]);
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const forAnHour = await a.client.muteConversation(conversation, { mutedUntil: until });
  assert.deepEqual([forAnHour.target_kind, forAnHour.target_id, forAnHour.muted_until], ['conversation', conversation, until]);
  assert.deepEqual((await a.client.listMutes()).mutes.map((m) => m.target_kind), ['conversation', 'agent']);
  assert.deepEqual((await a.client.listMutes({ kind: 'agent' })).mutes.map((m) => m.target_kind), ['agent']);
  assert.equal((await a.client.getConversationMuteStatus(conversation)).target_id, conversation);
  assert.equal((await a.client.getAgentMuteStatus(b.handle)).target_kind, 'agent');
  assert.equal((await a.client.listConversations())[0].is_muted, true);
  await a.client.unmuteAgent(b.handle);
  await a.client.unmuteConversation(conversation);
  assert.deepEqual((await a.client.listMutes()).mutes, []);
  assert.equal(await a.client.getConversationMuteStatus(conversation), null);
  assert.ok((await failure(a.client.unmuteAgent(b.handle))) instanceof NotFoundError);
  assert.equal((await failure(a.client.muteAgent(a.handle))).code, 'SELF_MUTE');
  const c = await newAgent();
  const foreign = await failure(c.client.muteConversation(conversation));
  assert.ok(foreign instanceof ForbiddenError);
  assert.equal(foreign.code, 'NOT_PARTICIPANT');
});

test('presence', async () => {
  const [a, b, c] = [await newAgent(), await newAgent(), await newAgent()];
  await a.client.addContact(b.handle);
  const own = await b.client.updatePresence({ status: 'busy', custom_message: 'counting' });
  assert.deepEqual([own.handle, own.status, own.custom_message], [b.handle, 'busy', 'counting']);
  const seen = await a.client.getPresence(`@${b.handle}`);
  assert.deepEqual([seen.status, seen.custom_message], ['busy', 'counting']);
  assert.ok((await failure(a.client.getPresence(c.handle))) instanceof NotFoundError);
  const batch = await a.client.getPresenceBatch([c.handle, b.handle, a.handle, b.handle, name()]);
  assert.deepEqual(batch.presences.map((p) => p.handle), [b.handle, a.handle]);
  assert.equal((await b.client.updatePresence({ status: 'online' })).custom_message, null);
});
