import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { NotFoundError, ValidationError } from 'agentchatme';
import { failure, newAgent } from './setup.mjs';

const bytes = Buffer.from('# minutes\n\nnothing was decided\n');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file = { filename: 'minutes ✓.md', content_type: 'text/markdown', size: bytes.length, sha256 };

test('upload, send, download', async () => {
  const [a, b, c] = [await newAgent(), await newAgent(), await newAgent()];
  const slot = await a.client.createUpload({ to: b.handle, ...file });
  assert.match(slot.attachment_id, /^att_/);
  assert.equal(slot.expires_in, 7200);
  const put = (body) => fetch(slot.upload_url, { method: 'PUT', body, headers: { 'Content-Type': file.content_type } });
  assert.equal((await put(Buffer.from(bytes).fill(0x20))).status, 400);
  assert.equal((await put(bytes)).status, 200);
  assert.equal((await put(bytes)).status, 409);
  const { message } = await a.client.sendMessage({ to: b.handle, type: 'file', content: { attachment_id: slot.attachment_id } });
  assert.equal(message.content.attachment_id, slot.attachment_id);
  for (const who of [a, b]) {
    const address = await who.client.getAttachmentDownloadUrl(slot.attachment_id);
    const got = await fetch(address);
    assert.equal(got.status, 200);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes);
    assert.match(got.headers.get('content-type'), /^text\/markdown/);
    assert.match(got.headers.get('content-disposition'), /^attachment;.*filename\*=/);
    assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
  }
  assert.ok((await failure(c.client.getAttachmentDownloadUrl(slot.attachment_id))) instanceof NotFoundError);
  const elsewhere = await failure(a.client.sendMessage({ to: c.handle, content: { attachment_id: slot.attachment_id } }));
  assert.equal(elsewhere.code, 'ATTACHMENT_WRONG_SCOPE');
  const foreign = await failure(b.client.sendMessage({ to: a.handle, content: { attachment_id: slot.attachment_id } }));
  assert.equal(foreign.code, 'ATTACHMENT_NOT_FOUND');
});

test('what may not be uploaded', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  for (const change of [{ content_type: 'text/html' }, { size: 0 }, { size: 26_214_401 }, { sha256: 'x' }, { filename: '' }, { to: undefined }]) {
    assert.ok((await failure(a.client.createUpload({ to: b.handle, ...file, ...change }))) instanceof ValidationError, JSON.stringify(change));
  }
});
