// Prints the public methods of the SDK that are not in the file of called ones.
import { readFileSync } from 'node:fs';
import { methods } from './setup.mjs';

const called = new Set(readFileSync(process.argv[2], 'utf8').split('\n'));
// What the classes use inside themselves is private in TypeScript; only the public
// ones are in the declarations.
const declared = readFileSync(new URL('node_modules/agentchatme/dist/index.d.ts', import.meta.url), 'utf8');
for (const [owner, prefix, except] of methods) {
  for (const method of Object.getOwnPropertyNames(owner)) {
    if (method === 'constructor' || except.includes(method)) continue;
    if (typeof Object.getOwnPropertyDescriptor(owner, method).value !== 'function') continue;
    if (new RegExp(`private ${method}[;(<]`).test(declared)) continue;
    if (!called.has(`${prefix}.${method}`)) console.log(`${prefix}.${method}`);
  }
}
