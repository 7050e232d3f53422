// The server goes away and comes back: alone in its file, on a server of its own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { befriend, listen, newAgent, serverDo, until } from './setup.mjs';

for (const how of ['restart', 'crash']) {
  test(`${how}: clients reconnect, drain, and miss nothing`, async (t) => {
    const [a, b] = [await newAgent(), await newAgent()];
    await befriend(a, b);
    const { seen } = await listen(t, b, { client: b.client });
    await until('what was there', () => seen.messages.length === 1);
    const sent = [];
    const sender = (async () => {
      for (let i = 0; i < 60; i++) {
        const text = `${how} ${i}`;
        const request = { to: b.handle, client_msg_id: `${how}-${i}`, content: { text } };
        await until(`message ${i} to be taken`, () => a.client.sendMessage(request).then(() => true, () => false), 60);
        sent.push(text);
        if (i === 20) await serverDo(how);
      }
    })();
    await sender;
    await until('all messages', () => seen.messages.length >= 61, 60);
    const got = seen.messages.map((m) => m.content.text).slice(1);
    assert.deepEqual(got, sent);
    assert.equal(new Set(seen.messages.map((m) => m.id)).size, 61);
    assert.ok(seen.connects >= 2);
    if (how === 'restart') assert.deepEqual([seen.closes[0].code, seen.closes[0].reason], [1001, 'Server shutting down']);
    await until('nothing left', async () => (await b.client.sync()).length === 0);
  });
}
