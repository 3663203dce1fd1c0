// Compares our HTTP/1.1 parser with llhttp, the one inside Node: what we take, llhttp must take and
// read the same, to the byte, when given exactly the octets that we took for the request: had it
// wanted more or fewer, it would wait or complain. (The reverse does not hold: we are stricter; and
// methods that Node does not know are left out.) Cases are made from a few requests by a seeded
// generator: cut, flipped, doubled, spliced.
//
// usage: h1_llhttp.mjs PROGRAM [CASES] [SEED]        TAP on standard output
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { Duplex } from 'node:stream';

const [program, count = '3000', seedText = '20261'] = process.argv.slice(2);
let seed = Number(seedText) >>> 0;
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * n);
};

const seeds = [
  'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
  'POST /v1/chat?x=1 HTTP/1.1\r\nHost: a.example:1\r\nX-A:\t v \r\nContent-Length: 4\r\n\r\nbody',
  'POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\nT: v\r\n\r\n',
  'PUT /%41 HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\nAccept: */*\r\nX: \xc3\xa9\r\n\r\n',
  '\r\nGET /b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nCookie: a=b; c=d\r\n\r\n',
].map((s) => Buffer.from(s, 'latin1'));
const pieces = ['\r\n', '\n', '\r', ' ', '\t', ':', ';', ',', '\0', '0', '5', 'chunked', 'Host: h\r\n',
  'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: x\r\n', ' HTTP/1.1',
  '\xff', '+5', '0x5', '-', 'identity', '"'].map((s) => Buffer.from(s, 'latin1'));

function mutate() {
  let b = Buffer.from(seeds[random(seeds.length)]);
  for (let n = random(4); n > 0; n--) {
    const at = random(b.length + 1);
    const kind = random(5);
    if (kind === 0 && at < b.length) b[at] ^= 1 << random(8);
    else if (kind === 1) b = Buffer.concat([b.subarray(0, at), pieces[random(pieces.length)], b.subarray(at)]);
    else if (kind === 2) b = Buffer.concat([b.subarray(0, at), b.subarray(at + 1 + random(3))]);
    else if (kind === 3) b = Buffer.concat([b.subarray(0, at), b.subarray(Math.max(0, at - random(12)))]);
    else if (at < b.length) b[at] = [13, 10, 32, 9, 0, 58, 44][random(7)];
  }
  return b;
}

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');

// The first request of one connection, as Node's server sees it.
function theirs(bytes) {
  return new Promise((resolve) => {
    let isDone = false;
    const done = (result) => { if (!isDone) { isDone = true; socket.destroy(); resolve(result); } };
    const server = http.createServer({ keepAlive: false });
    const take = (req) => {
      const body = [];
      req.on('data', (d) => body.push(d));
      req.on('error', () => done('refused'));
      req.on('end', () => {
        const list = [];
        for (let i = 0; i < req.rawHeaders.length; i += 2)
          list.push(hex(req.rawHeaders[i].toLowerCase()) + '=' + hex(req.rawHeaders[i + 1]));
        done(`taken ${hex(req.method)} ${hex(req.url)} ${list.join(',')} ${Buffer.concat(body).toString('hex')}`);
      });
    };
    server.on('request', take);
    server.on('checkContinue', take);
    server.on('clientError', () => done('refused'));
    const socket = new Duplex({ read() {}, write(chunk, enc, next) { next(); } });
    socket.on('error', () => done('refused'));
    server.emit('connection', socket);
    socket.push(bytes);
    setImmediate(() => setImmediate(() => setImmediate(() => done('more'))));
  });
}

const cases = [...seeds];
while (cases.length < Number(count)) cases.push(mutate());
const input = Buffer.concat(cases.flatMap((b) => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(b.length);
  return [head, b];
}));
const run = spawnSync(program, { input, maxBuffer: 1 << 28 });
const ours = run.stdout.toString('latin1').split('\n').slice(0, -1);
let taken = 0;
let wrong = 0;
for (let i = 0; i < cases.length && run.status === 0; i++) {
  if (!ours[i].startsWith('taken ')) continue;
  const [, used, method, ...rest] = ours[i].split(' ');
  if (!http.METHODS.includes(Buffer.from(method, 'hex').toString('latin1'))) continue;
  // Legal white space (RFC 9110 5.6.3) that llhttp does not take in these two.
  if (/(content-length|transfer-encoding):[^\r]*\t/i.test(cases[i].toString('latin1'))) continue;
  taken++;
  const other = await theirs(cases[i].subarray(0, Number(used)));
  // An empty query is no query to us.
  if (other.replace('3f ', ' ') === ['taken', method, ...rest].join(' ').replace('3f ', ' ')) continue;
  wrong++;
  if (wrong <= 5) console.log(`# seed ${seedText} case ${i}: ${JSON.stringify(cases[i].toString('latin1'))}\n# ours   ${ours[i]}\n# llhttp ${other}`);
}
console.log('1..2');
console.log(`${run.status === 0 && ours.length === cases.length ? 'ok' : 'not ok'} 1 - our parser answers every case`);
console.log(`${wrong === 0 && taken > 100 ? 'ok' : 'not ok'} 2 - what we take, llhttp ${process.versions.llhttp} reads the same (${taken} of ${cases.length} taken)`);
process.exit(wrong === 0 && taken > 100 ? 0 : 1);
