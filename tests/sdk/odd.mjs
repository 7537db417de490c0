// SPDX-License-Identifier: Apache-2.0
//
// What Claude Code does not send but a collector may pass on from others: gauges, counters that
// fall, histograms of both sorts, labels that are no text, bodies and fields with structure.

import { ValueType } from './process.mjs';
import { AggregationType } from '@opentelemetry/sdk-metrics';

const bounds = [0.5, 1, 2.5, 10];
export const views = [
    {
        instrumentName: 'odd.duration',
        aggregation: {
            type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
            options: { boundaries: bounds },
        },
    },
    {
        instrumentName: 'odd.spread',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
    },
];

// The instruments of one process; each call is the time between two collections.
export function odd(code, ledger) {
    const { meter } = code;
    const load = meter.createGauge('odd.load', { unit: '1' });
    const depth = meter.createUpDownCounter('odd.depth', {
        unit: '{item}',
        valueType: ValueType.INT,
    });
    const duration = meter.createHistogram('odd.duration', { unit: 's' });
    const spread = meter.createHistogram('odd.spread', { unit: 'ms' });
    const jobs = meter.createCounter('odd.jobs', { valueType: ValueType.INT });
    const broken = meter.createGauge('odd.broken');
    const memory = meter.createObservableGauge('odd.memory', {
        unit: 'By',
        valueType: ValueType.INT,
    });
    const labels = { ...code.standard, 'job.kind': 'index' };
    const typed = { ...labels, attempt: 3, ratio: 0.5, cold: true, hosts: ['a', 'b'] };
    let round = 0;
    let held = 0;

    memory.addCallback(result => {
        const bytes = 5000000000 + round;
        result.observe(bytes, labels);
        ledger.read('odd.memory', labels, bytes);
    });
    return ({ collections }) => {
        round++;
        const value = 0.1 * round;
        load.record(value, labels);
        ledger.read('odd.load', labels, value);
        for (const change of [5, -3, 4 - round]) {
            depth.add(change, labels);
            held += change;
        }
        ledger.read('odd.depth', labels, held);
        for (const seconds of [0.25, 0.5, 2, 16 * round]) {
            duration.record(seconds, labels);
            ledger.observed('odd.duration', bounds, labels, seconds);
        }
        jobs.add(9007199254740000, typed);
        const texts = { attempt: '3', ratio: '0.5', cold: 'true', hosts: '["a","b"]' };
        ledger.counted('odd.jobs', 0, { ...labels, ...texts }, 9007199254740000);
        spread.record(12.5, labels);
        ledger.refused('exponential histogram', collections);
        if (round === 1) {
            broken.record(NaN, labels);
            ledger.refused('unusable value', collections);
        }
    };
}

// Log records of somebody else: the name in the field that is meant for it, fields with structure,
// a body that is a map, nothing in the place of a value.
export function records(code, ledger) {
    const now = new Date();
    const fields = {
        ...code.standard,
        'nested.map': { list: [1, 2.5, 'x', { deep: true }], none: null },
        'empty.list': [],
        'some.bytes': Uint8Array.of(0, 1, 254, 255),
        'negative.number': -42,
        'large.number': 2 ** 53,
        nothing: null,
    };
    code.logger.emit({
        timestamp: now,
        observedTimestamp: now,
        eventName: 'odd_record',
        severityNumber: 13,
        severityText: 'WARN',
        body: { message: 'a body with structure', size: 3 },
        attributes: fields,
    });
    ledger.happened('odd_record', {
        ...fields,
        severity: 'WARN',
        severity_number: 13,
        'nested.map': JSON.stringify(fields['nested.map']),
        'empty.list': JSON.stringify(fields['empty.list']),
        'some.bytes': Buffer.from(fields['some.bytes']).toString('base64'),
    });
}
