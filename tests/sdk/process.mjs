// SPDX-License-Identifier: Apache-2.0
//
// One process of Claude Code, as its telemetry has it: three providers of the OpenTelemetry SDK
// with the resource, the scopes, the instruments and the attributes that Claude Code gives them.
//
// Everything is exported twice, as protobuf and as JSON, by the SDK's own exporters: a pair of
// bodies says the same to the last bit.  What goes in is written into the ledger.

import { ROOT_CONTEXT, SpanStatusCode, ValueType, trace } from '@opentelemetry/api';
import { OTLPLogExporter as LogsProtobuf } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter as MetricsProtobuf } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter as TracesProtobuf } from '@opentelemetry/exporter-trace-otlp-proto';
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

export const version = '2.1.295';
const scope = 'com.anthropic.claude_code';

// The eight instruments: unit, and what 1 of it is in the ledger.
const instruments = {
    'claude_code.session.count': { unit: '', scale: 0, help: 'Sessions started' },
    'claude_code.lines_of_code.count': { unit: '', scale: 0, help: 'Lines of code changed' },
    'claude_code.pull_request.count': { unit: '', scale: 0, help: 'Pull requests created' },
    'claude_code.commit.count': { unit: '', scale: 0, help: 'Commits created' },
    'claude_code.cost.usage': { unit: 'USD', scale: 9, help: 'Cost of the session' },
    'claude_code.token.usage': { unit: 'tokens', scale: 0, help: 'Tokens used' },
    'claude_code.code_edit_tool.decision': { unit: '', scale: 0, help: 'Decisions on edits' },
    'claude_code.active_time.total': { unit: 's', scale: 9, help: 'Active time' },
};

// One exporter out of two: the first is asked what an exporter is asked.
class Both {
    #first;
    #second;
    #problems;

    constructor(first, second, problems) {
        this.#first = first;
        this.#second = second;
        this.#problems = problems;
    }

    export(items, done) {
        const failed = result => {
            if (result.code !== 0) this.#problems.push(result.error?.message ?? 'an export failed');
        };
        this.#first.export(items, first => {
            failed(first);
            this.#second.export(items, second => {
                failed(second);
                done({ code: first.code || second.code });
            });
        });
    }

    selectAggregation(kind) {
        return this.#first.selectAggregation(kind);
    }
    selectAggregationTemporality(kind) {
        return this.#first.selectAggregationTemporality(kind);
    }
    async forceFlush() {
        await this.#first.forceFlush();
        await this.#second.forceFlush();
    }
    async shutdown() {
        await this.#first.shutdown();
        await this.#second.shutdown();
    }
}

export class Process {
    #options;
    #ledger;
    #meters;
    #loggers;
    #tracers;
    #counters = {};
    #sequence = 0;
    #prompt;

    // options: name, address, ledger, problems; session, user, custom attributes, terminal,
    // temporality, compression, views, scope
    constructor(options) {
        this.#options = options;
        this.#ledger = options.ledger;
        const resource = resourceFromAttributes({
            ...options.custom,
            'host.arch': 'amd64',
            'os.type': 'linux',
            'os.version': '6.8.0-110-generic',
            'service.name': options.service ?? 'claude-code',
            'service.version': version,
        });
        const pair = (signal, First, Second) => {
            const config = {
                url: `${options.address}/${options.name}/v1/${signal}`,
                compression: options.compression ?? 'none',
                temporalityPreference: options.temporality,
                timeoutMillis: 5000,
            };
            return new Both(new First(config), new Second(config), options.problems);
        };
        this.#meters = new MeterProvider({
            resource,
            views: options.views,
            readers: [
                new PeriodicExportingMetricReader({
                    exporter: pair('metrics', MetricsProtobuf, MetricsJson),
                    exportIntervalMillis: 60000,
                }),
            ],
        });
        this.#loggers = new LoggerProvider({
            resource,
            processors: [
                new BatchLogRecordProcessor({
                    exporter: pair('logs', LogsProtobuf, LogsJson),
                    scheduledDelayMillis: 5000,
                }),
            ],
        });
        this.#tracers = new BasicTracerProvider({
            resource,
            spanProcessors: [
                new BatchSpanProcessor(pair('traces', TracesProtobuf, TracesJson), {
                    scheduledDelayMillis: 5000,
                }),
            ],
        });
        this.meter = this.#meters.getMeter(options.scope ?? scope, version);
        if (!options.scope)
            for (const [name, { unit, help }] of Object.entries(instruments))
                this.#counters[name] = this.meter.createCounter(name, { unit, description: help });
        this.logger = this.#loggers.getLogger(options.scope ?? `${scope}.events`, version);
        this.tracer = this.#tracers.getTracer(`${scope}.tracing`, '1.0.0');
    }

    // On every point and every record, in the order of Claude Code.
    get standard() {
        const { user, session, custom, terminal } = this.#options;
        return {
            ...custom,
            'user.id': user.id,
            'session.id': session,
            'organization.id': '2f0c5d6e-8a4b-4c1d-9e7f-0123456789ab',
            'user.email': user.email,
            'user.account_uuid': user.account,
            'user.account_id': user.accountId,
            'terminal.type': terminal,
        };
    }

    // `units` of one of the eight, as integers: nanodollars, nanoseconds or plain counts.
    count(short, units, attributes = {}) {
        const name = `claude_code.${short}`;
        const { scale } = instruments[name];
        const all = { ...this.standard, ...attributes };
        this.#counters[name].add(scale ? units / 10 ** scale : units, all);
        this.#ledger.counted(name, scale, all, units);
    }

    prompted(id) {
        this.#prompt = id;
    }

    // An event of Claude Code.  Undefined attributes are not there.
    emit(event, attributes = {}, span) {
        const now = new Date();
        const all = {
            ...this.standard,
            'event.name': event,
            'event.timestamp': now.toISOString(),
            'event.sequence': this.#sequence++,
            ...(this.#prompt ? { 'prompt.id': this.#prompt } : {}),
            ...attributes,
        };
        this.logger.emit({
            timestamp: now,
            observedTimestamp: now,
            body: `claude_code.${event}`,
            attributes: all,
            ...(span ? { context: trace.setSpan(ROOT_CONTEXT, span) } : {}),
        });
        this.#ledger.happened(event, all);
    }

    // A span around `inside`, which is given it and may return attributes known only at its end.
    async span(short, parent, attributes, inside) {
        const name = `claude_code.${short}`;
        const begun = { ...this.standard, 'span.type': short, ...attributes };
        const context = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
        const span = this.tracer.startSpan(name, { attributes: begun }, context);
        const ended = (await inside(span)) ?? {};
        span.setAttributes(ended);
        if (ended.success === false)
            span.setStatus({ code: SpanStatusCode.ERROR, message: ended.error });
        span.end();
        const table = `span_${short.replaceAll('.', '_')}`;
        const status = ended.success === false ? { status: 'error' } : {};
        this.#ledger.happened(table, { ...begun, ...ended, ...status });
    }

    // Something during a span.
    note(span, short, name, attributes) {
        span.addEvent(name, attributes);
        this.#ledger.happened('span_event', {
            name,
            span: short.replaceAll('.', '_'),
            ...attributes,
        });
    }

    // What the timers of the SDK do every minute and every five seconds.
    async collect() {
        await this.#meters.forceFlush();
        await this.#loggers.forceFlush();
        await this.#tracers.forceFlush();
    }

    async exit() {
        await this.#meters.shutdown();
        await this.#loggers.shutdown();
        await this.#tracers.shutdown();
    }
}

export { ValueType };
