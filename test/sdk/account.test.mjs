import assert from 'node:assert/strict';
import test from 'node:test';
import { AgentChatClient, AgentChatError, ForbiddenError, NotFoundError, RateLimitedError, UnauthorizedError, ValidationError } from 'agentchatme';
import { code, failure, limited, name, newAgent, png, url } from './setup.mjs';

test('register, verify, look at oneself', async () => {
  const handle = name();
  const email = `${handle}@example.org`;
  const begun = await AgentChatClient.register({ baseUrl: url, email: ` ${email.toUpperCase()} `, handle: `@${handle}`, display_name: 'Ann', description: 'Counts.' });
  assert.match(begun.pending_id, /^pnd_/);
  const right = await code(email);
  const wrong = await failure(AgentChatClient.verify(begun.pending_id, right === '000000' ? '111111' : '000000', { baseUrl: url }));
  assert.ok(wrong instanceof AgentChatError);
  assert.deepEqual([wrong.status, wrong.code], [400, 'INVALID_CODE']);
  const { agent, apiKey, client } = await AgentChatClient.verify(begun.pending_id, right, { baseUrl: url });
  assert.match(apiKey, /^ac_live_[A-Za-z0-9_-]{43}$/);
  assert.equal(agent.handle, handle);
  assert.equal(agent.email, email);
  const me = await client.getMe();
  assert.equal(me.handle, handle);
  assert.equal(me.display_name, 'Ann');
  assert.equal(me.description, 'Counts.');
  assert.equal(me.status, 'active');
  assert.equal(me.paused_by_owner, 'none');
  assert.deepEqual(me.settings, { inbox_mode: 'open', group_invite_policy: 'open' });
  assert.ok(!Number.isNaN(Date.parse(me.created_at)));
  const again = await failure(AgentChatClient.verify(begun.pending_id, right, { baseUrl: url }));
  assert.equal(again.code, 'EXPIRED');
});

test('what is taken or malformed is refused', async () => {
  const a = await newAgent();
  const taken = await failure(AgentChatClient.register({ baseUrl: url, email: `${name()}@example.org`, handle: a.handle }));
  assert.deepEqual([taken.status, taken.code], [409, 'HANDLE_TAKEN']);
  const used = await failure(AgentChatClient.register({ baseUrl: url, email: a.email, handle: name() }));
  assert.deepEqual([used.status, used.code], [409, 'EMAIL_TAKEN']);
  for (const handle of ['Ä', 'ab', 'a--b', '-a', 'a_b', 'admin', 'a'.repeat(31)]) {
    const refused = await failure(AgentChatClient.register({ baseUrl: url, email: `${name()}@example.org`, handle }));
    assert.deepEqual([refused.status, refused.code], [400, 'INVALID_HANDLE'], handle);
  }
  const malformed = await failure(AgentChatClient.register({ baseUrl: url, email: 'nobody', handle: name() }));
  assert.ok(malformed instanceof ValidationError);
  assert.ok(malformed.details.fieldErrors);
});

test('recover gives a new key and ends the old one', async () => {
  const a = await newAgent();
  const begun = await AgentChatClient.recover(a.email, { baseUrl: url });
  const recovered = await AgentChatClient.recoverVerify(begun.pending_id, await code(a.email, 2), { baseUrl: url });
  assert.equal(recovered.handle, a.handle);
  assert.equal((await recovered.client.getMe()).handle, a.handle);
  const old = await failure(a.client.getMe());
  assert.ok(old instanceof UnauthorizedError);
  assert.ok(old.requestId);
});

test('recovering an unknown address looks the same', async () => {
  const begun = await AgentChatClient.recover(`${name()}@example.org`, { baseUrl: url });
  assert.match(begun.pending_id, /^pnd_/);
  const refused = await failure(AgentChatClient.recoverVerify(begun.pending_id, '123456', { baseUrl: url }));
  assert.equal(refused.code, 'INVALID_CODE');
});

test('rotating the key', async () => {
  const a = await newAgent();
  const begun = await a.client.rotateKey(a.handle);
  const rotated = await a.client.rotateKeyVerify(a.handle, begun.pending_id, await code(a.email, 2));
  assert.equal(rotated.handle, a.handle);
  assert.ok((await failure(a.client.getMe())) instanceof UnauthorizedError);
  const fresh = new AgentChatClient({ apiKey: rotated.api_key, baseUrl: url });
  assert.equal((await fresh.getMe()).handle, a.handle);
  const other = await newAgent();
  assert.ok((await failure(other.client.rotateKey(a.handle))) instanceof ForbiddenError);
});

test('profile, settings, another’s account', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const updated = await a.client.updateAgent(`@${a.handle}`, {
    display_name: 'Bea', description: null, settings: { inbox_mode: 'contacts_only', discoverable: true },
  });
  assert.equal(updated.display_name, 'Bea');
  assert.deepEqual(updated.settings, { inbox_mode: 'contacts_only', group_invite_policy: 'open' });
  const shown = await b.client.getAgent(`@${a.handle.toUpperCase()}`);
  assert.deepEqual([shown.handle, shown.display_name, shown.status], [a.handle, 'Bea', 'active']);
  for (const hidden of ['id', 'email', 'settings', 'paused_by_owner']) assert.ok(!(hidden in shown), hidden);
  assert.ok((await failure(b.client.updateAgent(a.handle, { display_name: 'x' }))) instanceof ForbiddenError);
  assert.ok((await failure(b.client.getAgent(name()))) instanceof NotFoundError);
});

test('avatars', async () => {
  const a = await newAgent();
  const { avatar_key, avatar_url } = await a.client.setAvatar(a.handle, png(300, 200));
  assert.match(avatar_key, /^[0-9a-f]{16}\/[0-9a-f]{32}\./);
  const picture = await fetch(avatar_url);
  assert.equal(picture.status, 200);
  assert.match(picture.headers.get('content-type'), /^image\//);
  assert.match(picture.headers.get('cache-control'), /immutable/);
  assert.equal((await a.client.getMe()).avatar_url, avatar_url);
  for (const [body, want] of [[png(127, 500), 'IMAGE_TOO_SMALL'], [Buffer.from('GIF89a, not'), 'DECODE_FAILED'], [Buffer.from('<svg/>'), 'UNSUPPORTED_FORMAT']]) {
    assert.equal((await failure(a.client.setAvatar(a.handle, body))).code, want);
  }
  await a.client.removeAvatar(a.handle);
  assert.equal((await a.client.getMe()).avatar_url, null);
  assert.ok((await failure(a.client.removeAvatar(a.handle))) instanceof NotFoundError);
});

test('deleting the account', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await a.client.sendMessage({ to: b.handle, content: { text: 'farewell' } });
  await a.client.deleteAgent(a.handle);
  assert.ok((await failure(a.client.getMe())) instanceof UnauthorizedError);
  assert.ok((await failure(b.client.getAgent(a.handle))) instanceof NotFoundError);
  const [row] = await b.client.sync();
  assert.deepEqual([row.sender, row.content.text], [a.handle, 'farewell']);
  const taken = await failure(AgentChatClient.register({ baseUrl: url, email: `${name()}@example.org`, handle: a.handle }));
  assert.equal(taken.code, 'HANDLE_TAKEN');
});

test('directory', async () => {
  const stem = name('dir');
  const found = await Promise.all(Array.from({ length: 53 }, (_, i) => newAgent({ handle: `${stem}${String(i).padStart(2, '0')}`.slice(0, 30) })));
  const handles = found.map((a) => a.handle).sort();
  const me = found[0].client;
  const page = await me.searchAgents(`@${stem}`, { limit: 5, offset: 2 });
  assert.deepEqual([page.agents.map((a) => a.handle), page.total, page.limit, page.offset], [handles.slice(2, 7), 53, 5, 2]);
  assert.equal(page.agents[0].in_contacts, false);
  const all = [];
  for await (const agent of me.searchAgentsAll(stem)) all.push(agent.handle);
  assert.deepEqual(all, handles);
  for (const other of handles.slice(1)) await me.addContact(other);
  const contacts = [];
  for await (const contact of me.contacts({ pageSize: 20 })) contacts.push(contact.handle);
  assert.deepEqual(contacts, handles.slice(1));
  assert.ok((await failure(me.searchAgents('x'))) instanceof ValidationError);
});

test('a second code within a minute is limited', async () => {
  const baseUrl = limited.url;
  const handle = name();
  const email = `${handle}@example.org`;
  await AgentChatClient.register({ baseUrl, email, handle });
  const refused = await failure(AgentChatClient.register({ baseUrl, email, handle }));
  assert.ok(refused instanceof RateLimitedError);
  assert.equal(refused.code, 'OTP_COOLDOWN');
  assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= 60_000, String(refused.retryAfterMs));
});
