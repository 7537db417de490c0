// SPDX-License-Identifier: Apache-2.0
//
// What went into the SDK, kept beside it: the answers that a store must give after it has taken the
// bodies that came out.
//
// Sums are integers: of the unit itself, or of 1e-9 of it where the unit is a currency or seconds
// (`scale` 9).  Nothing here is read back from a body.

// Attributes that Claude Code sends as text though they are numbers or truth values.
const numbersInText = new Set([
    'user_prompt.prompt_length',
    'tool_result.duration_ms',
    'tool_result.tool_input_size_bytes',
    'tool_result.tool_result_size_bytes',
    'mcp_server_connection.duration_ms',
    'hook_execution_start.num_hooks',
    'hook_execution_complete.num_hooks',
    'hook_execution_complete.num_success',
    'hook_execution_complete.num_blocking',
    'hook_execution_complete.num_non_blocking_error',
    'hook_execution_complete.num_cancelled',
    'hook_execution_complete.total_duration_ms',
    'auth.status_code',
]);
const flagsInText = new Set([
    'tool_result.success',
    'hook_registered.safe_mode',
    'hook_execution_start.managed_only',
    'hook_execution_complete.managed_only',
    'auth.success',
    'at_mention.success',
    'compaction.success',
]);
// Numbers that may come without a fraction and are fractions all the same.
const fractions = new Set(['api_request.cost_usd']);
// What a store keeps out unless it is told otherwise.
const secrets = new Set([
    'prompt',
    'prompt_text',
    'tool_input',
    'tool_parameters',
    'user_prompt',
    'output',
    'tool_result.error',
    'span_tool_execution.error',
]);

// Attributes that say again what a row says anyway: its table and its time.
const repeated = new Set(['event.name', 'event.timestamp']);

// What UTF-8 has no bytes for is a replacement character in it.
function text(value) {
    return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString();
}

function fieldOf(table, name, value) {
    const full = `${table}.${name}`;
    if (numbersInText.has(full) || (Number.isInteger(value) && !fractions.has(full)))
        return { type: 'int', value: Number(value) };
    if (typeof value === 'number') return { type: 'float', value };
    if (flagsInText.has(full) || typeof value === 'boolean')
        return { type: 'bool', value: String(value) === 'true' };
    return { type: 'text', value: text(value) };
}

export class Ledger {
    #counters = new Map();
    #gauges = new Map();
    #histograms = new Map();
    #tables = new Map();
    #secrets = new Map();
    #rejected = {};

    static #series(map, name, attributes, fresh) {
        const key = JSON.stringify([name, attributes]);
        if (!map.has(key)) map.set(key, { name, attributes, ...fresh() });
        return map.get(key);
    }

    // units: an integer, of 10^-scale
    counted(name, scale, attributes, units) {
        Ledger.#series(this.#counters, name, attributes, () => ({ scale, sum: 0 })).sum += units;
    }

    read(name, attributes, value) {
        const series = Ledger.#series(this.#gauges, name, attributes, () => ({ readings: [] }));
        series.readings.push(value);
        series.last = value;
    }

    // One value into buckets whose upper bounds belong to them.
    observed(name, bounds, attributes, value) {
        const series = Ledger.#series(this.#histograms, name, attributes, () => ({
            bounds,
            counts: Array(bounds.length + 1).fill(0),
            count: 0,
            sum: 0,
        }));
        const bucket = bounds.findIndex(bound => value <= bound);
        series.counts[bucket < 0 ? bounds.length : bucket]++;
        series.count++;
        series.sum += value;
    }

    // A row of a table: an event, a span, or what happened during one.
    happened(name, attributes) {
        if (!this.#tables.has(name)) this.#tables.set(name, { rows: 0, fields: {} });
        const table = this.#tables.get(name);
        table.rows++;
        for (const [key, value] of Object.entries(attributes)) {
            if (value === null || value === undefined || repeated.has(key)) continue;
            if (secrets.has(key) || secrets.has(`${name}.${key}`)) {
                this.#secrets.set(`${name} ${key}`, { table: name, field: key });
                continue;
            }
            const found = fieldOf(name, key, value);
            const field = (table.fields[key] ??=
                found.type === 'text'
                    ? { type: 'text', rows: 0, values: {} }
                    : { type: found.type, rows: 0, sum: 0 });
            if (field.type !== found.type) throw new Error(`${name}.${key} is of two types`);
            field.rows++;
            if (field.type === 'text')
                field.values[found.value] = (field.values[found.value] ?? 0) + 1;
            else field.sum += Number(found.value);
        }
    }

    refused(reason, count) {
        this.#rejected[reason] = (this.#rejected[reason] ?? 0) + count;
    }

    // As it goes into expected.json.
    toJSON() {
        return {
            counters: [...this.#counters.values()],
            gauges: [...this.#gauges.values()],
            histograms: [...this.#histograms.values()],
            events: Object.fromEntries(this.#tables),
            rejected: this.#rejected,
            secrets: [...this.#secrets.values()],
        };
    }
}
