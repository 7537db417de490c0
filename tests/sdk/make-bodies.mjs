// SPDX-License-Identifier: Apache-2.0
//
// make-bodies.mjs DIRECTORY: request bodies of the OpenTelemetry SDK for JavaScript, which is what
// Claude Code sends its telemetry with, and the answers that they must lead to.
//
// Plays a few processes of Claude Code against a receiver on the loopback interface, and writes
// into DIRECTORY (which must be empty or not be there) each body as it came, the same as protobuf
// (.pb) and as JSON (.json), and expected.json, which says what was recorded.  Two processes share
// a session, once with deltas and once with cumulative values.  Takes three seconds.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

// What the SDK would take from the environment is no part of this.
for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];

const { AggregationTemporalityPreference } =
    await import('@opentelemetry/exporter-metrics-otlp-http');
const { DiagLogLevel, diag } = await import('@opentelemetry/api');
const { Ledger } = await import('./ledger.mjs');
const { Receiver } = await import('./receiver.mjs');
const { Process } = await import('./process.mjs');
const { rest, start, tick, turn } = await import('./session.mjs');
const { odd, records, views } = await import('./odd.mjs');

const { DELTA, CUMULATIVE } = AggregationTemporalityPreference;

function person(email) {
    return {
        id: randomBytes(32).toString('hex'),
        email,
        account: randomUUID(),
        accountId: `user_01${randomBytes(9).toString('hex')}`,
    };
}

async function play(address, ledger, problems) {
    const common = {
        address,
        ledger,
        problems,
        user: person('dev@example.com'),
        terminal: 'xterm-256color',
        custom: { 'team.id': 'platform', cost_center: 'eng 42, "north"' },
    };

    // A session that is resumed in a second process, reported as deltas, with an idle collection.
    const delta = { ...common, session: randomUUID(), temporality: DELTA };
    const first = new Process({ ...delta, name: 'first' });
    start(first, 'fresh');
    await turn(first, 1);
    await first.collect();
    rest(first);
    await first.collect();
    await first.collect();
    const resumed = new Process({ ...delta, name: 'resumed' });
    start(resumed, 'resume');
    tick(resumed, 1);
    tick(first, 2);
    await resumed.exit();
    await first.exit();

    // The same with cumulative values, compressed, of two processes that take turns.
    const cumulative = {
        ...common,
        session: randomUUID(),
        temporality: CUMULATIVE,
        compression: 'gzip',
        terminal: 'vscode',
        user: person('ops@example.com'),
    };
    const left = new Process({ ...cumulative, name: 'left' });
    left.count('session.count', 1, { start_type: 'fresh' });
    tick(left, 1);
    await left.collect();
    await sleep(5);
    const right = new Process({ ...cumulative, name: 'right' });
    tick(right, 2);
    await right.collect();
    tick(left, 3);
    await left.collect();
    tick(right, 4);
    await left.exit();
    await right.exit();

    // Not Claude Code.  The readings of odd.depth are cumulative in either form, and every
    // collection of cumulative values says the same again: exit is one.
    const other = { ...common, service: 'odd', scope: 'odd.scope', views, terminal: 'tmux' };
    const falling = new Process({
        ...other,
        name: 'odd-delta',
        session: randomUUID(),
        temporality: DELTA,
    });
    const pass = odd(falling, ledger);
    records(falling, ledger);
    for (let round = 0; round < 2; round++) {
        pass({ collections: 1 });
        await falling.collect();
    }
    await falling.exit();
    const rising = new Process({
        ...other,
        name: 'odd-total',
        session: randomUUID(),
        temporality: CUMULATIVE,
    });
    const again = odd(rising, ledger);
    again({ collections: 2 });
    await rising.collect();
    again({ collections: 0 });
    await rising.exit();
}

async function main(directory) {
    mkdirSync(directory, { recursive: true });
    if (readdirSync(directory).length) throw new Error(`${directory} is not empty`);
    const problems = [];
    diag.setLogger(
        {
            error: text => problems.push(text),
            warn: text => problems.push(text),
            info() {},
            debug() {},
            verbose() {},
        },
        DiagLogLevel.WARN,
    );
    const ledger = new Ledger();
    const receiver = new Receiver(directory, ['/first/v1/metrics pb', '/first/v1/traces json']);
    const address = await receiver.start();
    try {
        await play(address, ledger, problems);
    } finally {
        await receiver.stop();
    }
    problems.push(...receiver.problems);
    if (!receiver.compressed) problems.push('no body was compressed');
    if (problems.length) throw new Error(problems.join('\n'));
    const files = [...receiver.files].sort();
    writeFileSync(
        join(directory, 'expected.json'),
        `${JSON.stringify({ node: process.version, files, ...ledger.toJSON() })}\n`,
    );
    console.log(`${files.length} bodies in ${directory}`);
}

if (process.argv.length !== 3) {
    console.error('usage: make-bodies.mjs DIRECTORY');
    process.exit(2);
}
// Whatever hangs, this does not.
setTimeout(() => {
    console.error('make-bodies: not done after 60 seconds');
    process.exit(1);
}, 60000).unref();
try {
    await main(process.argv[2]);
    process.exit(0);
} catch (error) {
    console.error(`make-bodies: ${error.message}`);
    process.exit(1);
}
