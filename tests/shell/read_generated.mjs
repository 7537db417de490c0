// SPDX-License-Identifier: Apache-2.0
//
// read_generated.mjs -- a second opinion on what `varve gen` wrote.
//
// Reads the files of a directory as any receiver would (length-delimited
// protobuf, JSON lines, OpenMetrics text), by code that shares nothing with
// the program, throws away what is there twice, adds up what is left and
// compares it with truth.json.  On the way it checks the forms: types on the
// wire, starts before ends, one family after the other.
//
//   node read_generated.mjs DIR
import fs from "node:fs";
import path from "node:path";

const dir = process.argv[2];
const truth = JSON.parse(fs.readFileSync(path.join(dir, "truth.json")));
let failures = 0;
function check(good, ...what) {
  if (good) return;
  if (failures++ < 20) console.log("FAILED:", ...what);
}
function same(found, expected, what) {
  check(found === expected, `${what} is ${found}, the truth is ${expected}`);
}

// ---- protobuf: [field, value] pairs; values are BigInt, Buffer (fixed or bytes) ----

function varint(b, at) {
  let value = 0n, shift = 0n, byte;
  do {
    byte = b[at++];
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
  } while (byte & 0x80);
  return [value, at];
}
function* fields(b) {
  for (let at = 0, tag, value; at < b.length;) {
    [tag, at] = varint(b, at);
    const field = Number(tag >> 3n), wire = Number(tag & 7n);
    if (wire === 0) [value, at] = varint(b, at);
    else {
      let size = 8;
      if (wire === 2) {
        [value, at] = varint(b, at);
        size = Number(value);
      } else if (wire !== 1) throw new Error(`wire type ${wire}`);
      if (at + size > b.length) throw new Error("a field goes past the end of its message");
      value = b.subarray(at, at += size);
    }
    yield [field, value];
  }
}
const all = (b, field) => [...fields(b)].filter(([f]) => f === field).map(([, v]) => v);
const one = (b, field) => all(b, field)[0];
const text = (b, field) => (one(b, field) ?? Buffer.alloc(0)).toString();
const time = (b, field) => String(one(b, field).readBigUInt64LE());
function anyValue(b) {
  const [[field, v]] = fields(b);
  if (field === 1) return { stringValue: v.toString() };
  if (field === 2) return { boolValue: v === 1n };
  if (field === 3) return { intValue: Number(v) };
  if (field === 4) return { doubleValue: v.readDoubleLE() };
  if (field === 5) return { arrayValue: { values: all(v, 1).map(anyValue) } };
  throw new Error(`AnyValue field ${field}`);
}
const attributes = (b, field) =>
  all(b, field).map((kv) => ({ key: text(kv, 1), value: anyValue(one(kv, 2)) }));
const resource = (b) => ({ attributes: attributes(one(b, 1), 1) });
const scope = (b) => ({ name: text(one(b, 1), 1), version: text(one(b, 1), 2) });
function sum(b) {
  return {
    aggregationTemporality: Number(one(b, 2)),
    isMonotonic: one(b, 3) === 1n,
    dataPoints: all(b, 1).map((p) => ({
      attributes: attributes(p, 7),
      startTimeUnixNano: time(p, 2),
      timeUnixNano: time(p, 3),
      asDouble: one(p, 4).readDoubleLE(),
    })),
  };
}
const metric = (b) => ({ name: text(b, 1), unit: text(b, 3), sum: sum(one(b, 7)) });
const record = (b) => ({
  timeUnixNano: time(b, 1),
  observedTimeUnixNano: time(b, 11),
  body: anyValue(one(b, 5)),
  attributes: attributes(b, 6),
});
function* protobufBodies(file, logs) {
  const b = fs.readFileSync(file);
  for (let at = 0, size; at < b.length;) {
    [size, at] = varint(b, at);
    const body = b.subarray(at, at += Number(size));
    yield logs
      ? { resourceLogs: all(body, 1).map((r) => ({ resource: resource(r),
          scopeLogs: all(r, 2).map((s) => ({ scope: scope(s), logRecords: all(s, 2).map(record) })) })) }
      : { resourceMetrics: all(body, 1).map((r) => ({ resource: resource(r),
          scopeMetrics: all(r, 2).map((s) => ({ scope: scope(s), metrics: all(s, 2).map(metric) })) })) };
  }
}
function* jsonBodies(file) {
  for (const line of fs.readFileSync(file, "utf8").split("\n")) if (line) yield JSON.parse(line);
}

// ---- what was read ------------------------------------------------------

const units = {
  "claude_code.cost.usage": "USD", "claude_code.token.usage": "tokens", "claude_code.active_time.total": "s",
};
const points = new Map(); // by all that is theirs
let pointsRead = 0, eventsRead = 0;
const events = new Map();
const scaled = (name, value) =>
  name === "claude_code.cost.usage" || name === "claude_code.active_time.total"
    ? Math.round(value * 1e9) : value;

function takePoint(name, labels, start, end, value) {
  pointsRead++;
  check(BigInt(start) < BigInt(end), `${name} starts at ${start}, after its end ${end}`);
  check(value > 0, `${name} of ${value}`);
  const series = name + JSON.stringify(Object.entries(labels).sort());
  points.set(`${series} ${start} ${end} ${value}`, { name, labels, series, start, end, value });
}
function takeMetrics(body) {
  for (const r of body.resourceMetrics) {
    check(r.resource.attributes.some((a) => a.key === "service.name"), "a resource without service.name");
    for (const s of r.scopeMetrics) {
      same(s.scope.name, "com.anthropic.claude_code", "the scope");
      for (const m of s.metrics) {
        same(m.unit, units[m.name] ?? "", `the unit of ${m.name}`);
        check(m.sum.isMonotonic, `${m.name} is not monotonic`);
        same(m.sum.aggregationTemporality, truth.temporality === "delta" ? 1 : 2, "the temporality");
        for (const p of m.sum.dataPoints) {
          const labels = Object.fromEntries(p.attributes.map((a) => [a.key, a.value.stringValue]));
          same(Object.keys(labels).length, p.attributes.length, "the number of attributes");
          takePoint(m.name, labels, p.startTimeUnixNano, p.timeUnixNano, p.asDouble);
        }
      }
    }
  }
}
const numbersAsText = /^(prompt_length|num_.*|total_duration_ms|tool_(input|result)_size_bytes)$/;
function takeLogs(body) {
  for (const r of body.resourceLogs)
    for (const s of r.scopeLogs)
      for (const e of s.logRecords) {
        eventsRead++;
        same(e.observedTimeUnixNano, e.timeUnixNano, "the observed time");
        check(e.timeUnixNano.endsWith("000000"), "an event's time is not whole milliseconds");
        const get = Object.fromEntries(e.attributes.map((a) => [a.key, a.value]));
        same(Object.keys(get).length, e.attributes.length, "the number of attributes of an event");
        const name = get["event.name"].stringValue;
        same(e.body.stringValue, `claude_code.${name}`, "the body");
        same(get["event.timestamp"].stringValue, new Date(Number(e.timeUnixNano.slice(0, -6))).toISOString(),
          "event.timestamp");
        check(Number.isInteger(get["event.sequence"].intValue), "event.sequence is no integer");
        for (const [key, value] of Object.entries(get))
          check(!numbersAsText.test(key) || value.stringValue !== undefined, `${key} is not a text`);
        if (name === "tool_result") check(get.duration_ms.stringValue !== undefined, "tool_result.duration_ms");
        if (name === "api_request") {
          check(Number.isInteger(get.duration_ms.intValue), "api_request.duration_ms");
          check(get.cost_usd.doubleValue > 0, "cost_usd");
        }
        events.set(JSON.stringify([e.timeUnixNano, e.attributes]), { name, get, time: e.timeUnixNano });
      }
}

// ---- OpenMetrics ----------------------------------------------------------

const otlpNames = {
  claude_code_session_count: "claude_code.session.count",
  claude_code_lines_of_code_count: "claude_code.lines_of_code.count",
  claude_code_pull_request_count: "claude_code.pull_request.count",
  claude_code_commit_count: "claude_code.commit.count",
  claude_code_cost_usage_USD: "claude_code.cost.usage",
  claude_code_token_usage_tokens: "claude_code.token.usage",
  claude_code_code_edit_tool_decision: "claude_code.code_edit_tool.decision",
  claude_code_active_time_seconds: "claude_code.active_time.total",
};
const dotted = ["user.id", "user.email", "user.account_uuid", "user.account_id", "organization.id", "session.id",
  "terminal.type", "team.id", "agent.name", "skill.name", "plugin.name", "marketplace.name", "mcp_server.name",
  "mcp_tool.name"];
const dots = Object.fromEntries(dotted.map((name) => [name.replaceAll(".", "_"), name]));
const nanos = (seconds) => seconds.replace(".", "");

function readOpenMetrics(file) {
  const lines = fs.readFileSync(file, "utf8").split("\n");
  same(lines.pop(), "", `the end of ${file}`);
  same(lines.pop(), "# EOF", `the last line of ${file}`);
  const families = new Set(), counters = new Set();
  let family, current, created, last;
  for (const line of lines) {
    const meta = line.match(/^# (TYPE|UNIT|HELP) (\S+) ?(.*)$/);
    if (meta) {
      if (meta[1] === "TYPE") {
        family = meta[2];
        same(meta[3], "counter", `the type of ${family}`);
        check(!families.has(family), `${family} comes twice in ${file}`);
        families.add(family);
      }
      same(meta[2], family, "the family of a comment");
      if (meta[1] === "UNIT") check(family.endsWith(`_${meta[3]}`), `the unit ${meta[3]} of ${family}`);
      continue;
    }
    const m = line.match(/^([a-zA-Z_]+)\{((?:[a-zA-Z_]+="[^"\\]*",?)+)\} ([0-9.eE+-]+) ([0-9]+\.[0-9]{9})$/);
    check(m, `a line that is no sample: ${line}`);
    if (!m) continue;
    const id = m[1].replace(/_(total|created)$/, "") + m[2];
    same(m[1].replace(/_(total|created)$/, ""), family, "the family of a sample");
    if (id !== current) {
      check(!counters.has(id), `the samples of a counter are not together: ${id}`);
      counters.add(id);
      current = id;
      created = undefined;
      last = 0n;
    }
    const end = nanos(m[4]);
    check(BigInt(end) >= last, `time runs backwards at ${line}`);
    last = BigInt(end);
    if (m[1].endsWith("_created")) {
      created = nanos(m[3]);
      continue;
    }
    const pairs = [...m[2].matchAll(/([a-zA-Z_]+)="([^"]*)"/g)].map(([, k, v]) => [dots[k] ?? k, v])
      .filter(([k]) => !k.startsWith("otel_scope"));
    takePoint(otlpNames[family], Object.fromEntries(pairs), created, end, Number(m[3]));
  }
}

// ---- adding up --------------------------------------------------------------

// Where readings are cumulative, what each adds to the one before it of the same counter.
function increments() {
  if (truth.temporality === "delta")
    return [...points.values()].map((p) => ({ ...p, added: scaled(p.name, p.value) }));
  const counters = new Map();
  for (const p of points.values()) {
    const key = `${p.series} ${p.start}`;
    if (!counters.has(key)) counters.set(key, []);
    counters.get(key).push(p);
  }
  const result = [];
  for (const readings of counters.values()) {
    readings.sort((a, b) => (BigInt(a.end) < BigInt(b.end) ? -1 : 1));
    let before = 0;
    for (const p of readings) {
      const now = scaled(p.name, p.value);
      check(now >= before, `${p.series} falls`);
      result.push({ ...p, added: now - before });
      before = now;
    }
  }
  return result;
}
const plain = (total) => (typeof total === "object" ? Object.values(total)[0] : total);
const add = (sums, key, value) => sums.set(key, (sums.get(key) ?? 0) + value);
const dayOf = (ns) => new Date(Number(ns.slice(0, -6))).toISOString().slice(0, 10);
function compare(found, expected, what) {
  for (const [key, value] of Object.entries(expected)) same(found.get(key) ?? 0, plain(value), `${what} ${key}`);
  for (const [key, value] of found) check(key in expected || value === 0, `${what} ${key} is not in the truth`);
}

function checkPoints() {
  const totals = new Map(), by = {}, dayModel = {}, days = new Map();
  const distinct = { series: new Set(), seriesDays: new Set(), sessions: new Set() };
  for (const p of increments()) {
    const day = dayOf(p.end);
    add(totals, p.name, p.added);
    for (const [key, value] of [...Object.entries({ "user.email": "", "team.id": "", ...p.labels }), ["day", day]])
      add(((by[p.name] ??= {})[key] ??= new Map()), value, p.added);
    add(((dayModel[p.name] ??= {})[day] ??= new Map()), p.labels.model, p.added);
    distinct.series.add(p.series);
    distinct.seriesDays.add(p.series + day);
    distinct.sessions.add(p.labels["session.id"]);
    if (!days.has(day)) days.set(day, { users: new Set(), sessions: new Set(), points: 0 });
    const active = days.get(day);
    active.points++;
    if (p.added) {
      active.users.add(p.labels["user.id"]);
      active.sessions.add(p.labels["session.id"]);
    }
  }
  compare(totals, truth.totals, "the total of");
  for (const [name, keys] of Object.entries(truth.by))
    for (const [key, values] of Object.entries(keys)) {
      compare(by[name]?.[key] ?? new Map(), values, `${name} by ${key}`);
      // The truth with itself: parts add up to the whole.
      const parts = Object.values(values).reduce((a, b) => a + b, 0);
      if (["type", "user.email", "team.id", "day", "model"].includes(key))
        same(parts, plain(truth.totals[name]), `the sum over ${key} of ${name}`);
    }
  for (const [name, dayValues] of Object.entries(truth.by_day_and_model))
    for (const [day, values] of Object.entries(dayValues))
      compare(dayModel[name]?.[day] ?? new Map(), values, `${name} by model on ${day}`);
  for (const [id, expected] of Object.entries(truth.some_sessions))
    for (const [name, value] of Object.entries(expected))
      same(by[name]?.["session.id"]?.get(id) ?? 0, plain(value), `${name} of session ${id}`);
  for (const [day, expected] of Object.entries(truth.days_active)) {
    const found = days.get(day);
    same(found?.users.size ?? 0, expected.users, `users on ${day}`);
    same(found?.sessions.size ?? 0, expected.sessions, `sessions on ${day}`);
    same(found?.points ?? 0, expected.points, `points on ${day}`);
  }
  same(points.size, truth.points, "points");
  same(pointsRead - points.size, truth.duplicate_points, "points that came twice");
  same(distinct.series.size, truth.series, "series");
  same(distinct.seriesDays.size, truth.series_days, "series and days");
  same(distinct.sessions.size, truth.sessions, "sessions");
}

function checkEvents() {
  const tables = new Map(), sums = {}, days = new Map();
  for (const e of events.values()) {
    add(tables, e.name, 1);
    add(days, dayOf(e.time), 1);
    const expected = truth.tables[e.name]?.sums ?? {};
    for (const [key, value] of Object.entries(e.get))
      if (key in expected) {
        const number = value.intValue ?? (value.doubleValue !== undefined ? Math.round(value.doubleValue * 1e9)
          : Number(value.stringValue));
        add((sums[e.name] ??= new Map()), key, number);
      }
  }
  compare(tables, Object.fromEntries(Object.entries(truth.tables).map(([k, v]) => [k, v.count])), "events");
  for (const [name, table] of Object.entries(truth.tables)) compare(sums[name] ?? new Map(), table.sums, name);
  for (const [day, expected] of Object.entries(truth.days_active))
    same(days.get(day) ?? 0, expected.events, `events on ${day}`);
  same(events.size, truth.events, "events");
  same(eventsRead - events.size, truth.duplicate_events, "events that came twice");
  same(truth.duplicates, truth.duplicate_points + truth.duplicate_events, "duplicates");
  if (!truth.events) return;
  const requests = truth.tables.api_request.sums, types = truth.by["claude_code.token.usage"].type;
  same(requests.cost_usd.nano_usd, plain(truth.totals["claude_code.cost.usage"]), "the cost of all requests");
  same(requests.input_tokens, types.input, "input_tokens of all requests");
  same(requests.output_tokens, types.output, "output_tokens of all requests");
  same(requests.cache_read_tokens, types.cacheRead, "cache_read_tokens of all requests");
  same(requests.cache_creation_tokens, types.cacheCreation, "cache_creation_tokens of all requests");
}

let files = 0;
for (const name of fs.readdirSync(dir)) {
  const file = path.join(dir, name), logs = name.startsWith("logs-");
  if (name === "truth.json") continue;
  files++;
  if (name.endsWith(".openmetrics")) readOpenMetrics(file);
  else
    for (const body of name.endsWith(".otlp") ? protobufBodies(file, logs) : jsonBodies(file))
      (logs ? takeLogs : takeMetrics)(body);
}
same(files, truth.files, "files");
checkPoints();
checkEvents();
process.exit(failures ? 1 : 0);
