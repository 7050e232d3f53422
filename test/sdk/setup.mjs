// What every test of the suite uses: the SDK with its calls counted, fresh agents,
// and the mails that the server writes for them.
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { AgentChatClient, RealtimeClient } from 'agentchatme';

globalThis.crypto ??= webcrypto; // Node.js 18 has it, but not as a global

export const url = process.env.PARLEY_URL ?? ''; // "" while only names are listed
export const wsURL = url.replace(/^http/, 'ws');
const outbox = process.env.PARLEY_OUTBOX;

// limited is a server whose rates are on; all others here have them off.
export const limited = { url: process.env.PARLEY_LIMITED_URL, outbox: process.env.PARLEY_LIMITED_OUTBOX };

const control = process.env.PARLEY_CONTROL;

// Each public method that is called leaves its name in the file; the Go side looks
// for those that never were.
const called = new Set();
function count(owner, prefix, names) {
  for (const name of names) {
    const method = Object.getOwnPropertyDescriptor(owner, name);
    if (name === 'constructor' || typeof method.value !== 'function') continue;
    Object.defineProperty(owner, name, {
      ...method,
      value(...args) {
        called.add(`${prefix}.${name}`);
        return method.value.apply(this, args);
      },
    });
  }
}
export const methods = [
  [AgentChatClient, 'AgentChatClient', ['length', 'name', 'prototype']],
  [AgentChatClient.prototype, 'AgentChatClient', []],
  [RealtimeClient.prototype, 'RealtimeClient', []],
];
for (const [owner, prefix, except] of methods) {
  count(owner, prefix, Object.getOwnPropertyNames(owner).filter((n) => !except.includes(n)));
}
process.on('exit', () => {
  if (process.env.PARLEY_CALLED) appendFileSync(process.env.PARLEY_CALLED, [...called, ''].join('\n'));
});

// until waits for something to become true and returns it.
export async function until(what, check, seconds = 15) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// code reads the nth code that was mailed to an address, counted from 1: the only
// six digits in the mail.
export async function code(address, n = 1, folder = outbox) {
  const mail = await until(`mail ${n} to ${address}`, () => {
    const mails = readdirSync(folder)
      .filter((name) => name.endsWith('.eml'))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .filter((text) => text.toLowerCase().includes(address));
    return mails[n - 1];
  });
  const body = mail.slice(mail.search(/\r?\n\r?\n/)); // the header has ids and dates
  const found = body.match(/(?<!\d)\d{6}(?!\d)/g);
  if (found?.length !== 1) throw new Error(`the mail has ${found?.length ?? 0} codes: ${mail}`);
  return found[0];
}

let serial = 0;
const run = Math.random().toString(36).replace(/[^a-z0-9]/g, '').slice(0, 6);

// name is a handle that nobody has.
export const name = (stem = 'a') => `${stem}-${run}-${process.pid}-${++serial}`.toLowerCase();

// newAgent registers an agent as a user would and returns its client.
export async function newAgent({ handle = name(), server = { url, outbox }, ...profile } = {}) {
  const email = `${handle}@example.org`;
  const { pending_id } = await AgentChatClient.register({ baseUrl: server.url, email, handle, ...profile });
  const verified = await AgentChatClient.verify(pending_id, await code(email, 1, server.outbox), { baseUrl: server.url });
  return { ...verified, handle, email };
}

// fill sends many messages from one agent to another, many at a time.
export async function fill(from, to, count) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const text = `filling ${next++}`;
      await from.client.sendMessage({ to: to.handle, content: { text } });
    }
  };
  await Promise.all(Array.from({ length: 100 }, worker));
}

// befriend has a and b write to each other once and returns their conversation.
export async function befriend(a, b) {
  const { message } = await a.client.sendMessage({ to: b.handle, content: { text: 'hello' } });
  await b.client.sendMessage({ to: a.handle, content: { text: 'hello yourself' } });
  return message.conversation_id;
}

// listen opens a socket for an agent and collects what it is told.
export async function listen(t, who, options = {}) {
  const socket = new RealtimeClient({ apiKey: who.apiKey, baseUrl: wsURL, reconnectInterval: 50, ...options });
  const seen = { frames: [], messages: [], connects: 0, closes: [], errors: [] };
  socket.onConnect(() => { seen.connects += 1; });
  socket.onDisconnect((close) => seen.closes.push(close));
  socket.onError((error) => seen.errors.push(error));
  for (const type of [
    'message.new', 'message.read', 'presence.update', 'typing.start', 'typing.stop', 'group.invite.received', 'group.deleted',
  ]) {
    socket.on(type, (frame) => {
      seen.frames.push(frame);
      if (type === 'message.new') seen.messages.push(frame.payload);
    });
  }
  t.after(() => socket.disconnect());
  await socket.connect();
  await until('hello.ok', () => seen.connects > 0);
  return { socket, ...seen, seen };
}

// serverDo has the Go side do something to the server: restart, kill, start, ...
export async function serverDo(what) {
  const answer = await fetch(`${control}/${what}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
  return answer.text();
}

// failure is the error that a promise has to be rejected with.
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('succeeded, but should not have');
}

// png makes a picture of one colour.
export function png(width, height, colour = [200, 30, 60]) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: width }, () => Buffer.from(colour))]);
  const pixels = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
