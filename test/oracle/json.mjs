// Node.js as the oracle of codec/jnormal: for random texts in odd spellings our normal form must be
// what JSON.stringify(JSON.parse(text)) gives, and what JSON.parse refuses must be refused.
// usage: node json.mjs PROGRAM [SEED]
import {execFileSync} from 'node:child_process';

let state = BigInt(process.argv[3] ?? 20260601);
const next = () => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number(state >> 33n);
};
const below = (n) => next() % n;
const pick = (list) => list[below(list.length)];
const view = new DataView(new ArrayBuffer(8));

const pieces = ['a', 'é', '\u2028', '😀', '"', '\\', '\n', '\t', '\b', '\f', '\r', '\u0001', '/', '<', '\u007f',
  '0', '12', 'x'];
const space = () => pick([' ', '', '', '\t', '  ', '']);
const content = () => Array.from({length: below(8)}, () => pick(pieces)).join('');

function quoted(text) {
  let out = '"';
  for (const ch of text) {
    if (below(6) === 0)
      for (let i = 0; i < ch.length; i++)
        out += '\\u' + ch.charCodeAt(i).toString(16).padStart(4, '0');
    else if (ch === '/' && below(2))
      out += '\\/';
    else
      out += JSON.stringify(ch).slice(1, -1);
  }
  return out + '"';
}

function double() {
  for (;;) {
    view.setUint32(0, next() * 2 + below(2));
    view.setUint32(4, next() * 2 + below(2));
    const v = view.getFloat64(0);
    if (Math.abs(v) < 1e308) // not NaN, and still finite when rounded up
      return v;
  }
}

const number = () => pick([
  () => String(next()),
  () => `-${below(100)}.${below(1000)}0`,
  () => double().toExponential(below(20)),
  () => double().toPrecision(1 + below(18)),
  () => Math.pow(2, below(2098) - 1074).toExponential(20),
  () => pick(['-0.0', '0e7', '1E+2', '9007199254740993', '5e-324', '1e-400']),
  () => `${below(1000000)}e${below(30) - 15}`,
  () => String(Math.fround(double() % 1) || 0),
])();

const names = ['0', '1', '10', '2', '01', '4294967294', '4294967295', '-1', '1.5', '99999999999', '007'];

function value(depth) {
  const kind = below(depth > 4 ? 5 : 8);
  if (kind === 0)
    return pick(['null', 'true', 'false']);
  if (kind < 3)
    return number();
  if (kind < 5)
    return quoted(content());
  if (kind === 5) {
    const items = Array.from({length: below(5)}, () => space() + value(depth + 1) + space());
    return `[${items.join(',') || space()}]`;
  }
  const members = new Map();
  for (let i = below(9); i > 0; i--) {
    const name = below(3) ? content() : pick(names);
    members.set(name, space() + quoted(name) + space() + ':' + space() + value(depth + 1) + space());
  }
  return `{${[...members.values()].join(',')}}`;
}

/* One octet changed somewhere: mostly no JSON any more. */
function broken(text) {
  const at = below(text.length);
  const changed = text.slice(0, at) + pick(['"', '\\', ',', '{', ']', '0', 'e', '.', ' ', '']) + text.slice(at + 1);
  return Buffer.from(changed).toString(); // half a surrogate pair becomes U+FFFD on both sides
}

function parsed(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return '!';
  }
}

function ask(texts) {
  return execFileSync(process.argv[2], {input: texts.join('\n') + '\n', maxBuffer: 1 << 30}).toString().split('\n');
}

const good = Array.from({length: 20000}, () => value(0));
const bad = good.map(broken).filter((text) => text.trim() !== '');
const goodOut = ask(good);
const badOut = ask(bad);
const wrong = good.filter((text, i) => goodOut[i] !== parsed(text));
/* We may refuse what JavaScript takes (duplicate names, lone surrogates), never the reverse. */
const lax = bad.filter((text, i) => badOut[i] !== '!' && badOut[i] !== parsed(text));

console.log('1..2');
console.log(`${wrong.length ? 'not ' : ''}ok 1 - ${good.length} values are spelt as JavaScript spells them`);
wrong.slice(0, 3).forEach((text) => console.log(`# ${text}`));
console.log(`${lax.length ? 'not ' : ''}ok 2 - nothing is accepted that JSON.parse refuses (${bad.length} texts)`);
lax.slice(0, 3).forEach((text) => console.log(`# ${text}`));
process.exit(wrong.length || lax.length ? 1 : 0);
