// The lines of README.md that show the SDK, run as they stand there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { promisify } from 'node:util';
import { newAgent, url } from './setup.mjs';

test('the example of README.md', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const example = readme.match(/```js\n([\s\S]*?)```/)[1];
  const [ann, bob] = [await newAgent(), await newAgent()];
  await bob.client.sendMessage({ to: ann.handle, content: { text: 'a line for the example' } });
  const code = example.replace('http://localhost:8080', url).replace('bob-agent', bob.handle);
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    cwd: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
    env: { ...process.env, KEY: ann.apiKey },
  });
  assert.equal(stdout, `${bob.handle} a line for the example\n`);
  assert.equal((await bob.client.sync())[0].content.text, 'Are you there?');
});
